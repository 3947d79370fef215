// A list of small rows that a person adds to and takes from; nothing is sent before `read`.
import { h, icon } from "./dom.js";
import { t } from "./texts.js";

export const CLOCK = "([01][0-9]|2[0-3]):[0-5][0-9]|24:00";

// A time of day as people type it: 08:00, 24:00 for the end of the day.
export const clockInput = (value, label) => h("input", { class: "num clock", value, inputmode: "numeric", maxlength: 5, required: true, pattern: CLOCK, placeholder: "08:00", "aria-label": label });

// rowsEditor({rows, line(row) -> {nodes, read()}, fresh() -> row, add}) -> {node, read() -> rows}
export function rowsEditor({ rows, line, fresh, add, empty = "" }) {
  const list = h("ul", { class: "rows-editor" });
  const lines = new Map();
  const note = h("p", { class: "small muted" }, empty);
  const drawNote = () => { note.hidden = !empty || lines.size > 0; };
  function put(row) {
    const made = line(row);
    const node = h("li", {}, made.nodes, h("button", { type: "button", class: "quiet", "aria-label": t("rows.remove"), onclick: () => { lines.delete(node); node.remove(); drawNote(); } }, icon("cancelled")));
    lines.set(node, made);
    list.append(node);
    drawNote();
    return node;
  }
  for (const row of rows) put(row);
  drawNote();
  const more = h("button", { type: "button", class: "button", onclick: () => put(fresh()).querySelector("input, select").focus() }, icon("plus"), add);
  return { node: h("div", { class: "rows" }, list, note, more), read: () => [...list.children].map((node) => lines.get(node).read()) };
}
