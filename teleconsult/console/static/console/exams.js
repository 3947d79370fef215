// What every list of exams shows the same way: state, patient, waiting time.
import { h, icon } from "./dom.js";
import { t } from "./texts.js";
import { span, today } from "./when.js";

export const OVER = new Set(["ended", "reported", "cancelled", "no_show", "aborted"]);
export const DROPPED = new Set(["cancelled", "no_show", "aborted"]);
const english = () => document.documentElement.lang === "en";

export const stateBadge = (state) => h("span", { class: `state ${state}` }, icon(state), t(`state.${state}`));
export const either = (thing) => (thing ? (english() ? thing.name_en || thing.name || thing.name_zh : thing.name_zh || thing.name) : "");
// A person or hospital may be an object or already a name.
export const nameOf = (thing) => (typeof thing === "string" ? thing : either(thing) || "");

// Full years on a Shanghai day; rows of a search carry the birth date only.
function years(birth, on) {
  return Number(on.slice(0, 4)) - Number(birth.slice(0, 4)) - (on.slice(5) < birth.slice(5) ? 1 : 0);
}

// The "requesting" or "performing" hospital in the page's language.
export const hospital = (exam, part) => (english() && exam[`${part}_institution_en`]) || nameOf(exam[`${part}_institution`]);

export function ageText(patient) {
  const age = patient.age ?? (patient.birth_date ? years(patient.birth_date, today()) : null);
  return age === null ? "" : t("unit.age", { n: age });
}

// Rows of a list carry the masked name; the record that is opened has the whole one.
export const patientName = (patient) => patient.name || patient.name_masked || "";

// Said beside a masked name that is the whole of what was typed.
export const exactTag = (patient) => patient.name_exact && h("span", { class: "tag" }, t("find.exact"));

export function patientLine(patient) {
  return [t(`sex.${patient.sex}`), ageText(patient), patient.document_tail && t("exam.document_tail", { tail: patient.document_tail })]
    .filter(Boolean).join(" · ");
}

// How long the patient has been in the house and not yet on the couch, in ms; null when not waiting.
export function waitingMs(exam, now = Date.now()) {
  const since = exam.checked_in_at;
  return since && ["checked_in", "ready"].includes(exam.state) ? now - Date.parse(since) : null;
}

export function waitingText(exam) {
  const ms = waitingMs(exam);
  return ms === null ? "" : t("exam.waiting_for", { time: span(ms) });
}

export const byTime = (a, b) => a.starts_at.localeCompare(b.starts_at) || a.id.localeCompare(b.id);
