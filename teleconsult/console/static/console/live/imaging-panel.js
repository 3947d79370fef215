// The deck under the picture: gain, depth, dynamic range; freeze, still, loop, calipers; views; thumbnails.
import { h, replace } from "../dom.js";
import { t } from "../texts.js";

const SLIDERS = [
  ["gain_db", "live.gain", -30, 30, 1, "dB"],
  ["depth_mm", "live.depth", 40, 300, 10, "mm"],
  ["dynamic_range_db", "live.dynamic", 30, 90, 2, "dB"],
];
const DEFAULTS = { gain_db: 0, depth_mm: 160, dynamic_range_db: 60 };
const SETTLE_MS = 120;

const place = (id) => document.getElementById(id);

// One slider a value; the robot's answer (what was done) has the last word.
export function sliders(root, request, onError) {
  const rows = {};
  for (const [name, label, min, max, step, unit] of SLIDERS) {
    const input = h("input", { type: "range", min, max, step, value: DEFAULTS[name], id: name, "aria-label": t(label) });
    const shown = h("output", { class: "num", for: name });
    const say = () => { shown.textContent = `${input.value} ${unit}`; };
    let timer = 0;
    input.addEventListener("input", () => {
      say();
      clearTimeout(timer);
      timer = setTimeout(async () => {
        try {
          set(await request("imaging", { [name]: Number(input.value) }));
        } catch (error) {
          onError(error);
        }
      }, SETTLE_MS);
    });
    rows[name] = { input, say };
    say();
    root.append(h("label", { class: "slider" }, h("span", {}, t(label)), input, shown));
  }
  // values: any of the three, from an ack or a `frame` message
  function set(values) {
    for (const [name, row] of Object.entries(rows)) {
      if (typeof values?.[name] !== "number" || row.input.matches(":active")) continue;
      row.input.value = values[name];
      row.say();
    }
  }
  return { set };
}

export class Views {
  // views: list of strings or {code, name_zh, name_en}
  constructor(root, views, language) {
    this.chosen = "";
    this.taken = new Map();
    this.list = views.map((view) => (typeof view === "string"
      ? { code: view, name: view }
      : { code: view.code, name: (language === "en" ? view.name_en : view.name_zh) || view.name_zh || view.code }));
    this.root = root;
    this.choose(this.list[0]?.code ?? "");
  }

  choose(code) {
    this.chosen = code;
    this.show();
  }

  took(view) {
    this.taken.set(view, (this.taken.get(view) ?? 0) + 1);
    if (view === this.chosen) {
      const next = this.list.find(({ code }) => !this.taken.get(code));
      if (next) this.chosen = next.code; // on to the next missing view
    }
    this.show();
  }

  name(code) {
    return this.list.find((view) => view.code === code)?.name ?? code;
  }

  show() {
    replace(this.root, this.list.map(({ code, name }) => {
      const count = this.taken.get(code) ?? 0;
      const button = h("button", { type: "button", class: "view", "aria-pressed": String(code === this.chosen), tabindex: -1 },
        h("span", { class: "view-tick" }, count ? "✓" : "·"), name, count > 1 && h("small", {}, ` ×${count}`));
      button.onclick = () => this.choose(code);
      return button;
    }));
  }
}

export class Thumbnails {
  constructor(root, nameOf) {
    this.root = root;
    this.nameOf = nameOf;
    this.known = new Set();
    replace(root, h("p", { class: "lv-hint" }, t("live.pictures.none")));
  }

  add({ id, kind, view, url }) {
    if (this.known.has(id)) return false;
    if (!this.known.size) this.root.replaceChildren();
    this.known.add(id);
    const picture = h("img", { src: `${url}?as=png`, alt: "", loading: "lazy" });
    this.root.prepend(h("a", { class: "lv-thumb", href: `${url}?as=${kind === "loop" ? "mp4" : "png"}`, target: "_blank", rel: "noopener", tabindex: -1 },
      picture, h("span", {}, `${kind === "loop" ? "▶ " : ""}${this.nameOf(view) || t("live.views.other")}`)));
    return true;
  }
}

export function caliperRows(root, { active, hint, rows, colours }, remove) {
  place("calipers").setAttribute("aria-pressed", String(active));
  replace(root, hint && h("p", { class: "lv-hint" }, hint), rows.map((row, index) => {
    const label = row.value_mm === null ? t("live.calipers.saving") : `${Number(row.value_mm).toFixed(1)} mm`;
    const bin = h("button", { type: "button", class: "icon", "aria-label": t("live.calipers.delete") }, "×");
    bin.onclick = () => remove(row);
    const dot = h("i", {});
    dot.style.background = colours[index % colours.length];
    return h("div", { class: "measure" }, dot, h("b", { class: "num" }, label), row.id && bin);
  }));
}
