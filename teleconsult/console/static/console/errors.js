// A refusal as people read it: the sentence first, what it names below, the code small and last.
import { h, icon, $ } from "./dom.js";
import { t, known } from "./texts.js";
import { clock, day } from "./when.js";

const kindOf = (row) => (known(`who.${row.kind}`) ? t(`who.${row.kind}`) : row.kind);

function takenRow(row) {
  return t("book.taken_row", { kind: kindOf(row), name: named(row), from: clock(row.starts_at), to: clock(row.ends_at) });
}

const named = (row) => (document.documentElement.lang === "en" && row.name_en) || row.name;

// What else a refusal of a time names: who is closed or not qualified, the hours that are allowed, the first day again.
function namedRows(problem) {
  const rows = [...(problem.closed || []), ...(problem.resources || [])].filter((row) => row.name);
  const { holiday } = problem;
  return [
    ...rows.map((row) => (row.kind ? `${kindOf(row)} ${named(row)}` : named(row))),
    ...(problem.turnover || []).map(named),
    ...(holiday ? [t("error.holiday", { day: holiday.day, name: named(holiday) })] : []),
    ...(problem.hours || []).map((row) => `${row.from}–${row.to}`),
    ...(problem.free_from ? [t("error.free_from", { day: day(problem.free_from) })] : []),
  ];
}

function fieldRows(errors) {
  if (!errors || typeof errors !== "object") return [];
  return Object.entries(errors).map(([name, problem]) =>
    t("error.field", { field: labelOf(name), problem: [problem].flat().map(sentence).join(" ") }));
}

const sentence = (problem) => (typeof problem === "object" && problem ? problem.title || JSON.stringify(problem) : String(problem));

function labelOf(name) {
  for (const prefix of ["register", "book", "exam", "report"]) if (known(`${prefix}.${name}`)) return t(`${prefix}.${name}`);
  return name;
}

// errorNode(ApiError) -> element with role alert.
export function errorNode(error) {
  const problem = error.data || {};
  const taken = problem.taken || [];
  const rows = taken.length ? taken.map(takenRow) : [...namedRows(problem), ...fieldRows(problem.errors)];
  const title = taken.length ? t("book.taken") : error.title || t("error.unexpected");
  if (error.status === undefined) console.error(error);
  return h("div", { class: "alert", role: "alert" },
    h("p", {}, h("strong", {}, title)),
    rows.length > 0 && h("ul", {}, rows.map((row) => h("li", {}, row))),
    error.code && error.status !== 0 && h("p", { class: "small muted" }, t("error.code", { code: error.code })));
}

// Shows the error inside `place` (emptied first) and brings it into view.
export function showError(place, error) {
  place.replaceChildren(errorNode(error));
  place.firstChild.scrollIntoView({ block: "nearest" });
}

export function clearError(place) {
  place.replaceChildren();
}

// A passing message at the corner; errors stay until closed.
export function notice(text, kind = "good-note") {
  const node = h("div", { class: kind, role: "status" }, h("span", {}, text),
    h("button", { class: "quiet", type: "button", "aria-label": t("close"), onclick: () => node.remove() }, icon("cancelled")));
  if (kind === "good-note") for (const older of document.querySelectorAll("#notices .good-note")) older.remove();
  $("#notices").append(node);
  if (kind === "good-note") setTimeout(() => node.remove(), 6000);
}

export function noticeError(error) {
  notice(error.title || t("error.unexpected"), "alert");
}
