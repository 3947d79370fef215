// Beside the picture: which measurement, what to do next, and the values with their bins.
import { h, replace } from "../dom.js";
import { measured } from "../measure-text.js";
import { t } from "../texts.js";

const KINDS = ["distance", "ellipse", "volume"];

function row(found, colour, remove) {
  const dot = h("i", {});
  dot.style.background = colour;
  const bin = h("button", { type: "button", class: "icon", "aria-label": t("live.calipers.delete") }, "×");
  bin.onclick = () => remove(found);
  return h("div", { class: "measure" }, dot, h("b", { class: "num" }, found.id ? measured(found) : t("live.calipers.saving")), found.id && bin);
}

// view: {active, kind, hint, rows, colours}
export function caliperPanel(root, { active, kind, hint, rows, colours }, { choose, remove }) {
  document.getElementById("calipers").setAttribute("aria-pressed", String(active));
  const chips = KINDS.map((name) => {
    const chip = h("button", { type: "button", class: "chip", tabindex: -1, "aria-pressed": String(name === kind) }, t(`live.calipers.${name}`));
    chip.onclick = () => choose(name);
    return chip;
  });
  replace(root, active && h("div", { class: "lv-chips", role: "group", "aria-label": t("live.calipers") }, chips),
    hint && h("p", { class: "lv-hint" }, hint), rows.map((found, index) => row(found, colours[index % colours.length], remove)));
}
