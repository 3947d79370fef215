// Staff ask for an exam: the patient by search, then what, why, how soon and whether it is paid.
import { call } from "./api.js";
import { busy, field, h, replace } from "./dom.js";
import { findForm } from "./desk_find.js";
import { findNamed } from "./find_named.js";
import { clearError, notice, showError } from "./errors.js";
import { either, patientLine, patientName } from "./exams.js";
import { t } from "./texts.js";

export const PRIORITIES = ["routine", "urgent", "stat"];
export const FEES = ["unpaid", "paid", "exempt"];
const options = (names, word) => names.map((name) => h("option", { value: name }, t(`${word}.${name}`)));
const plain = (title) => ({ title, code: null, status: 0, data: {} });

// newRequest(panel, {places, searches, onAsked(request)}): first the patient, then the form; both stand in the panel.
// `searches`: the desk looks through its patients, a clinician names one exactly.
export function newRequest(panel, { places, searches, onAsked }) {
  const find = searches ? findForm : findNamed;
  const search = () => {
    replace(panel, find({ onPatient: (patient) => form(patient), title: t("requests.new"), lead: t(searches ? "requests.new_lead" : "requests.new_named") }));
    panel.querySelector("input").focus();
  };

  async function form(patient) {
    const types = (await call("GET", "exam-types")).results;
    const type = h("select", { required: true, name: "exam_type" }, types.map((row) => h("option", { value: row.code }, either(row))));
    const place = h("select", { required: true }, places.map((row) => h("option", { value: row.id }, either(row))));
    const priority = h("select", { name: "priority" }, options(PRIORITIES, "requests.priority"));
    const fee = h("select", { name: "fee" }, options(FEES, "requests.fee"));
    const question = h("textarea", { rows: 2, required: true, maxlength: 2000, placeholder: t("book.question_hint") });
    const history = h("textarea", { rows: 2, maxlength: 4000 });
    const problem = h("div", {});
    const send = h("button", { class: "button primary" }, t("requests.ask"));
    const submit = async () => {
      clearError(problem);
      if (!question.value.trim()) { question.focus(); return showError(problem, plain(t("book.missing", { fields: t("requests.question") }))); }
      try {
        const made = await call("POST", "exam-requests", {
          patient_id: patient.id, exam_type: type.value, institution_id: place.value, priority: priority.value,
          fee: fee.value, clinical_question: question.value.trim(), history: history.value.trim(),
        });
        notice(t("requests.added", { name: patientName(patient) }));
        return await onAsked(made);
      } catch (error) {
        return showError(problem, error);
      }
    };
    const node = h("form", { class: "stack", novalidate: true, "aria-label": t("requests.new") },
      field(t("requests.kind"), type), places.length > 1 && field(t("requests.place"), place),
      field(t("requests.question"), question), field(t("requests.history"), history, { note: t("optional") }),
      h("div", { class: "row" }, field(t("requests.priority"), priority), field(t("requests.fee"), fee)),
      problem, h("div", { class: "actions" }, send));
    node.addEventListener("submit", (event) => { event.preventDefault(); busy(send, submit); });
    replace(panel, h("h2", {}, t("requests.new")),
      h("div", { class: "chosen" }, h("div", {}, h("div", { class: "patient" }, patientName(patient)), h("div", { class: "small" }, `${patientLine(patient)} · ${patient.mpi}`)),
        h("button", { type: "button", class: "button", onclick: search }, t("find.change"))), node);
    question.focus();
  }
  search();
}
