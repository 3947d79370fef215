// The desk's two panels: a patient's signed request for erasure, and the way back of one who returns.
import { call } from "./api.js";
import { $, busy, field, h, replace } from "./dom.js";
import { findForm } from "./desk_find.js";
import { clearError, errorNode, showError } from "./errors.js";
import { patientLine } from "./exams.js";
import { answerNode, answerTitle, printLink } from "./keeping_answer.js";
import { withStepUp } from "./prove.js";
import { t } from "./texts.js";

const plain = (title) => ({ title, code: null, status: 0, data: {} });
const ask = $("#panel-ask");

// What is half entered stays when another tab is looked at and this one comes back. A patient's card names its patient.
export async function showAsk() {
  if (ask.firstChild) return;
  find(document.activeElement === document.body); // whoever walks the tabs by arrow keys stays on them
  const named = new URLSearchParams(location.search).get("patient");
  if (!named) return;
  try {
    await explain(await call("GET", `patients/${encodeURIComponent(named)}`));
  } catch (error) {
    ask.prepend(errorNode(error));
  }
}

function find(focus = true) {
  replace(ask, h("div", { class: "card narrow" }, findForm({ onPatient: explain, title: t("keeping.find_title"), lead: t("keeping.find_lead") })));
  if (focus) $("#find-patient").focus({ preventScroll: true });
}

// First what it would do: it can't be undone, so the patient hears it before the form is there.
async function explain(patient) {
  const answer = await call("GET", `patients/${patient.id}/erasure-requests`);
  const who = h("div", { class: "chosen" }, h("div", {}, h("div", { class: "patient" }, patient.name), h("div", { class: "small muted" }, `${patientLine(patient)} · ${patient.mpi}`)),
    h("button", { type: "button", class: "button", onclick: () => find() }, t("keeping.other")));
  replace(ask, who, h("div", { class: "split even" },
    h("section", { class: "card stack" }, h("h2", {}, t("keeping.foreseen")), h("p", { class: "note" }, t("keeping.foreseen_lead")), answerNode(answer)),
    h("section", { class: "card" }, requestForm(patient, answer))));
  $("input", ask).focus();
}

function requestForm(patient, answer) {
  const problem = h("div", {});
  const paper = h("input", { maxlength: 120, autocomplete: "off", spellcheck: "false", required: true });
  const seen = h("input", { type: "checkbox", id: "seen" });
  const send = h("button", { class: "button danger" }, t("keeping.send"));
  const form = h("form", { class: "stack", novalidate: true }, h("h2", {}, t("admin.tab.ask")),
    h("p", { class: "warning" }, t(answer.restricted ? "keeping.restricts" : "keeping.whole")),
    field(t("keeping.paper"), paper, { hint: h("p", { class: "hint" }, t("keeping.paper_hint")) }),
    h("label", { class: "check", for: "seen" }, seen, h("span", {}, t("keeping.seen"))), problem, h("div", { class: "actions" }, send));
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    clearError(problem);
    if (!paper.value.trim()) return paper.focus();
    if (!seen.checked) {
      seen.focus();
      return showError(problem, plain(t("keeping.seen_needed")));
    }
    return busy(send, async () => {
      try {
        const row = await withStepUp(() => call("POST", `patients/${patient.id}/erasure-requests`, { paper: paper.value.trim() }));
        if (row) answered(row);
      } catch (error) {
        showError(problem, error);
      }
    });
  });
  return form;
}

function answered(row) {
  const print = printLink(row);
  replace(ask, h("section", { class: "card stack" },
    row.answered_at ? h("p", { class: "good-note", role: "status" }, t("keeping.answered")) : null, answerTitle(row),
    h("div", { class: "actions" }, print, h("button", { type: "button", class: "button", onclick: () => find() }, t("keeping.next"))),
    row.answered_at && answerNode(row)));
  print.focus();
}

export function showReopen() {
  const panel = $("#panel-reopen");
  if (panel.firstChild) return;
  const problem = h("div", { "aria-live": "polite" });
  const number = h("input", { maxlength: 40, autocomplete: "off", spellcheck: "false", class: "mono", required: true });
  const paper = h("input", { maxlength: 120, autocomplete: "off", spellcheck: "false", required: true });
  const send = h("button", { class: "button primary" }, t("keeping.reopen"));
  const form = h("form", { class: "card narrow stack", novalidate: true }, h("h2", {}, t("admin.tab.reopen")), h("p", {}, t("keeping.reopen_lead")),
    field(t("keeping.document"), number), field(t("keeping.paper"), paper), problem, h("div", { class: "actions" }, send));
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    clearError(problem);
    const empty = [number, paper].find((control) => !control.value.trim());
    if (empty) return empty.focus();
    return busy(send, async () => {
      try {
        const patient = await call("POST", "restrictions/lift", { document_number: number.value.trim(), paper: paper.value.trim() });
        form.reset();
        replace(problem, h("p", { class: "good-note", role: "status" }, h("span", {}, t("keeping.reopened", patient)), h("a", { class: "button", href: `/console/patients/${patient.id}/` }, t("keeping.reopen_card"))));
      } catch (error) {
        replace(problem, errorNode(error));
      }
    });
  });
  replace(panel, form);
}
