// What the machine makes of its echoes: presets, gain, depth, focus, dynamic range, and the eight sliders of the time gain.
import { h } from "../dom.js";
import { t } from "../texts.js";

const SLIDERS = [
  ["gain_db", "live.gain", -30, 30, 1, "dB", 0],
  ["depth_mm", "live.depth", 60, 240, 10, "mm", 160],
  ["focus_mm", "live.focus", 20, 240, 5, "mm", 80],
  ["dynamic_range_db", "live.dynamic", 30, 90, 2, "dB", 60],
];
const TGC = { count: 8, most: 20, step: 1 };
const NAMED = ["abdomen", "abdomen_large", "vessel"];
const SETTLE_MS = 120;

const range = (attributes) => h("input", { type: "range", tabindex: -1, ...attributes });

// root: where they stand; request(type, fields) asks the robot; its answer (what was done) has the last word.
export function pictureControls(root, request, onError) {
  const rows = {};
  let timer = 0;
  let waiting = {};

  // Values drawn within SETTLE_MS go in one request.
  function ask(fields) {
    waiting = { ...waiting, ...fields };
    clearTimeout(timer);
    timer = setTimeout(async () => {
      const fields = waiting;
      waiting = {};
      try {
        set(await request("imaging", fields));
      } catch (error) {
        onError(error);
      }
    }, SETTLE_MS);
  }

  const presets = h("div", { class: "presets" });
  const tgc = timeGain((values) => ask({ tgc_db: values }));
  root.append(h("div", { class: "presets-row" }, presets, tgc.button), tgc.panel);
  for (const [name, label, min, max, step, unit, first] of SLIDERS) {
    const input = range({ min, max, step, value: first, id: name, "aria-label": t(label) });
    const shown = h("output", { class: "num", for: name });
    const say = () => { shown.textContent = `${Math.round(input.value)} ${unit}`; };
    input.addEventListener("input", () => { say(); ask({ [name]: Number(input.value) }); });
    const row = h("label", { class: "slider" }, h("span", {}, t(label)), input, shown);
    rows[name] = { input, say, row };
    say();
    root.append(row);
  }

  function showPresets(names, chosen) {
    presets.replaceChildren(...names.map((name) => h("button", {
      type: "button", class: "chip", tabindex: -1, "aria-pressed": String(name === chosen), onclick: () => ask({ preset: name }),
    }, NAMED.includes(name) ? t(`live.preset.${name}`) : name)));
  }

  // values: any of them, from an ack; a `frame` message has all that this source knows, the others go
  function set(values) {
    for (const [name, { input, say, row }] of Object.entries(rows)) {
      const known = typeof values?.[name] === "number";
      if (values?.type === "frame") row.hidden = !known;
      if (!known || input.matches(":active") || name in waiting) continue;
      input.value = values[name];
      say();
    }
    if (values?.type === "frame") tgc.button.hidden = !Array.isArray(values.tgc_db);
    if (Array.isArray(values?.tgc_db) && !("tgc_db" in waiting)) tgc.set(values.tgc_db);
    if (Array.isArray(values?.presets)) showPresets(values.presets, values.preset);
  }
  return { set };
}

function timeGain(changed) {
  const inputs = Array.from({ length: TGC.count }, (_, index) => range({
    min: -TGC.most, max: TGC.most, step: TGC.step, value: 0, "aria-label": t("live.tgc.of", { n: index + 1 }),
  }));
  const values = () => inputs.map((input) => Number(input.value));
  const flat = h("button", { type: "button", class: "chip", tabindex: -1, onclick: () => { set(inputs.map(() => 0)); changed(values()); } }, t("live.tgc.flat"));
  const panel = h("div", { class: "tgc", hidden: true }, h("b", {}, t("live.tgc")), inputs, flat);
  const button = h("button", {
    type: "button", class: "chip tgc-open", tabindex: -1, "aria-expanded": "false",
    onclick: () => { panel.hidden = !panel.hidden; button.setAttribute("aria-expanded", String(!panel.hidden)); },
  }, "TGC");
  for (const input of inputs) input.addEventListener("input", () => { mark(); changed(values()); });
  const mark = () => button.classList.toggle("changed", values().some((value) => value !== 0));
  function set(wanted) {
    inputs.forEach((input, index) => { if (!input.matches(":active")) input.value = wanted[index] ?? 0; });
    mark();
  }
  return { panel, button, set };
}
