// Step 1 of a booking: find the patient, or go on to register one.
import { call } from "./api.js";
import { busy, deed, field, h, icon, replace } from "./dom.js";
import { clearError, showError } from "./errors.js";
import { exactTag, patientLine, patientName } from "./exams.js";
import { t } from "./texts.js";

// One found patient: enough to tell namesakes apart, and what can be done.
export const foundRow = (patient, ...actions) => h("li", {},
  h("div", {}, h("div", { class: "patient" }, patientName(patient), " ", exactTag(patient)),
    h("div", { class: "small muted" }, `${patientLine(patient)} · ${patient.birth_date} · ${t("exam.phone_tail", { tail: patient.phone_tail || "" })} · ${patient.mpi}`)),
  actions);
export const chooseDeed = (patient, run) => deed({ "aria-label": `${t("find.choose")} ${patientName(patient)} ${patient.mpi}` }, t("find.choose"), run);

// findForm({onPatient(patient), onRegister(typed), title, lead}) -> element; without `onRegister` nobody new is registered.
export function findForm({ onPatient, onRegister = null, title = t("find.title"), lead = null }) {
  const input = h("input", { type: "search", autocomplete: "off", spellcheck: "false", id: "find-patient" });
  const send = h("button", { class: "button primary" }, icon("search"), t("find.submit"));
  const results = h("div", { "aria-live": "polite" });
  const place = h("div", {});
  const register = onRegister && h("button", { type: "button", class: "button", onclick: () => onRegister(typedName(input.value)) }, icon("plus"), t("find.register"));

  // Whoever is chosen is opened: the whole name comes with the record, and the log has it.
  async function choose({ id }) {
    clearError(place);
    try {
      return await onPatient(await call("GET", `patients/${id}`));
    } catch (error) {
      return showError(place, error);
    }
  }

  function show(found) {
    clearError(place);
    if (!found.length) return replace(results, h("p", { class: "note" }, t(onRegister ? "find.none" : "find.none_known")));
    return replace(results, h("p", { class: "muted small" }, t("find.some", { n: found.length })),
      h("ul", { class: "picks" }, found.map((patient) => foundRow(patient,
        h("a", { class: "button", href: `/console/patients/${patient.id}/` }, t("patient.open")), chooseDeed(patient, () => choose(patient))))));
  }

  async function submit() {
    const q = input.value.normalize("NFKC").trim();
    if (!q) return input.focus();
    try {
      return show((await call("GET", `patients?q=${encodeURIComponent(q)}`)).results);
    } catch (error) {
      return showError(results, error);
    }
  }

  const form = h("form", { role: "search", novalidate: true }, field(t("find.label"), input),
    h("p", { class: "hint" }, t("find.hint")), h("div", { class: "actions" }, send, register));
  form.addEventListener("submit", (event) => { event.preventDefault(); busy(send, submit); });
  return h("section", { class: "stack" }, h("h2", {}, title), lead && h("p", {}, lead), form, place, results);
}

// What was typed goes on into the register form when it looks like a name.
const typedName = (text) => (/[0-9]/.test(text) || /^[A-Za-z\s]*$/.test(text) ? "" : text.trim());
