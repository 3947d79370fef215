// The day as a table: what is printed, and the board for who prefers rows.
import { h, replace } from "./dom.js";
import { linkWords } from "./board.js";
import { lateMs } from "./board_rows.js";
import { byTime, DROPPED, either, OVER, patientLine, stateBadge, waitingText } from "./exams.js";
import { t } from "./texts.js";
import { clock, day, span, stamp } from "./when.js";

export const FILTERS = {
  all: () => true,
  open: (exam) => !OVER.has(exam.state),
  done: (exam) => ["ended", "reported"].includes(exam.state),
  dropped: (exam) => DROPPED.has(exam.state),
};

function subLine(exam, now) {
  const late = lateMs(exam, now);
  const waits = waitingText(exam);
  return [late && t("board.late", { time: span(late) }), waits, linkWords(exam)?.text].filter(Boolean).join(" · ");
}

function row(exam, selected, now, week) {
  return h("tr", { "data-id": exam.id, class: OVER.has(exam.state) ? "over" : "", "aria-selected": String(exam.id === selected) },
    h("td", { class: "when num" }, week ? stamp(exam.starts_at) : clock(exam.starts_at), h("span", { class: "sub" }, `–${clock(exam.ends_at)}`)),
    h("td", {}, h("button", { type: "button", class: "link patient" }, exam.patient.name_masked), h("span", { class: "sub" }, patientLine(exam.patient))),
    h("td", {}, either(exam.exam_type), h("span", { class: "sub" }, `${either(exam.robot)} · ${either(exam.room)}`)),
    h("td", {}, either(exam.remote_physician), h("span", { class: "sub" }, either(exam.bedside_physician))),
    h("td", {}, stateBadge(exam.state), h("span", { class: "sub" }, subLine(exam, now))));
}

function rows(shown, { selected, now, week, line }) {
  const nodes = shown.map((exam) => row(exam, selected, now, week));
  if (!line) return nodes;
  const at = shown.findIndex((exam) => Date.parse(exam.starts_at) > now);
  nodes.splice(at < 0 ? nodes.length : at, 0, h("tr", { class: "now-line" }, h("td", { colspan: 5 }, t("desk.now", { time: clock(now) }))));
  return nodes;
}

// drawList(node, exams, {filter, selected, week}) keeps the row that has the focus.
export function drawList(node, exams, { filter, selected, week, now = Date.now() }) {
  const shown = exams.filter(FILTERS[filter]).sort(byTime);
  const focused = node.contains(document.activeElement) ? document.activeElement.closest("tr[data-id]")?.dataset.id : null;
  const heads = ["exam.time", "who.patient", "exam", "desk.people", "exam.state"].map((key) => h("th", { scope: "col" }, t(key)));
  const line = filter === "all" && !week && shown.some((exam) => day(exam.starts_at) === day(now));
  replace(node, shown.length
    ? h("table", { class: "table" }, h("thead", {}, h("tr", {}, heads)), h("tbody", {}, rows(shown, { selected, now, week, line })))
    : h("p", { class: "empty" }, t(exams.length ? "desk.empty_filter" : "desk.empty")));
  if (focused) node.querySelector(`tr[data-id="${focused}"] button`)?.focus();
}
