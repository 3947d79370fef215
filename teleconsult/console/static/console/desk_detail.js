// One booking at the desk: what it is, and move, cancel, no-show.
import { call } from "./api.js";
import { busy, deed, dialog, field, h, icon, replace } from "./dom.js";
import { clearError, notice, showError } from "./errors.js";
import { either, hospital, patientLine, stateBadge, waitingText } from "./exams.js";
import { loadChoices, PARTS, slotFields } from "./desk_slot.js";
import { t } from "./texts.js";
import { clock, day } from "./when.js";

function facts(exam) {
  const row = (label, ...value) => [h("dt", {}, label), h("dd", {}, value)];
  return h("dl", { class: "facts" },
    row(t("exam.time"), h("strong", { class: "num" }, `${day(exam.starts_at)} ${clock(exam.starts_at)}–${clock(exam.ends_at)}`)),
    row(t("exam"), either(exam.exam_type)),
    exam.clinical_question !== undefined && row(t("exam.question"), exam.clinical_question || t("none")),
    exam.history && row(t("exam.history"), exam.history),
    row(t("who.remote"), `${exam.remote_physician.name} · ${hospital(exam, "performing")}`),
    row(t("who.bedside"), `${exam.bedside_physician.name} · ${hospital(exam, "requesting")}`),
    exam.assistant && row(t("who.assistant"), exam.assistant.name),
    row(t("who.robot"), either(exam.robot), exam.robot.online === undefined ? "" : ` · ${t(exam.robot.online ? "robot.online" : "robot.offline")}`),
    row(t("who.room"), either(exam.room)),
    exam.probe && row(t("who.probe"), either(exam.probe)),
    exam.end_reason && row(t("detail.reason"), exam.end_reason));
}

// A dialog whose submit gives the command; stays open with the sentence when it is refused.
function commandDialog(title, nodes, { label, danger = false, run }) {
  return dialog(title, (close) => {
    const place = h("div", {});
    const send = h("button", { class: danger ? "button danger" : "button primary" }, label);
    const form = h("form", { novalidate: true }, nodes, place,
      h("div", { class: "actions" }, send, h("button", { type: "button", class: "button", onclick: () => close(null) }, t("cancel_form"))));
    form.addEventListener("submit", (event) => {
      event.preventDefault();
      clearError(place);
      busy(send, async () => {
        try {
          close(await run(place));
        } catch (error) {
          showError(place, error);
        }
      });
    });
    return form;
  });
}

class Stay extends Error {
  constructor(title) { super(title); this.title = title; this.code = null; this.status = 0; this.data = {}; }
}

function cancelDialog(exam) {
  const reason = h("textarea", { rows: 2, required: true, maxlength: 500 });
  const quick = ["patient", "physician", "robot"].map((key) =>
    h("button", { type: "button", onclick: () => { reason.value = t(`cancel.quick.${key}`); reason.focus(); } }, t(`cancel.quick.${key}`)));
  return commandDialog(t("cancel.title"), [h("div", { class: "chips" }, quick), field(t("cancel.reason"), reason)], {
    label: t("cancel.submit"), danger: true,
    run: async () => {
      if (!reason.value.trim()) throw new Stay(t("cancel.reason_needed"));
      const answer = await call("POST", `exams/${exam.id}/cancel`, { reason: reason.value.trim() });
      notice(t("cancel.done"));
      return answer;
    },
  });
}

function noShowDialog(exam) {
  return commandDialog(t("no_show.title"), [h("p", {}, t("no_show.ask", { name: exam.patient.name }))], {
    label: t("no_show.submit"), danger: true,
    run: async () => {
      const answer = await call("POST", `exams/${exam.id}/no-show`, {});
      notice(t("no_show.done"));
      return answer;
    },
  });
}

async function moveDialog(exam) {
  const choices = await loadChoices();
  const minutes = Math.round((Date.parse(exam.ends_at) - Date.parse(exam.starts_at)) / 60000);
  const team = Object.fromEntries(PARTS.map((part) => [part, exam[part]?.id]));
  const seen = { expected_starts_at: exam.starts_at, expected_team: Object.values(team).filter(Boolean) };
  const initial = { starts_at: exam.starts_at, ...team };
  const slot = slotFields({ choices, initial, exceptId: exam.id, minutes: () => minutes, assistant: () => Boolean(exam.assistant) });
  return commandDialog(t("move.title"), slot.nodes, {
    label: t("move.submit"),
    run: async () => {
      const missing = slot.missing();
      if (missing.length) throw new Stay(t("book.missing", { fields: missing.join(t("list.comma")) }));
      const moved = await call("POST", `exams/${exam.id}/move`, { ...slot.read(), ...seen });
      notice(t("move.done", { day: day(moved.starts_at), time: clock(moved.starts_at) }));
      return moved;
    },
  });
}

function commands(exam, onChanged, place) {
  const may = new Set(exam.allowed || []);
  const give = (ask) => async () => {
    clearError(place);
    try {
      onChanged(await ask(exam));
    } catch (error) {
      showError(place, error);
    }
  };
  const buttons = [
    may.has("check_in") && deed({ class: "button primary" }, t("arrival.submit"), give((one) => call("POST", `exams/${one.id}/check-in`, {}))),
    may.has("move") && deed({}, t("detail.move"), give(moveDialog)),
    may.has("no_show") && Date.parse(exam.starts_at) <= Date.now() && deed({}, t("detail.no_show"), give(noShowDialog)),
    may.has("cancel") && deed({ class: "button danger" }, t("detail.cancel"), give(cancelDialog)),
  ].filter(Boolean);
  return buttons.length ? h("div", { class: "actions" }, buttons) : h("p", { class: "muted" }, t("detail.closed"));
}

// Fills `node` with the booking, read whole: lists and board know only a masked name. `onChanged` hears null when a
// command was not given after all. Read again, the booking stays until the new words have come, and who stands on a
// button or a link of it stays there.
export function showDetail(node, id, { onChanged, onClose }) {
  const place = h("div", {});
  const head = () => h("div", { class: "bar", dataset: { shows: id } }, h("h2", {}, t("detail.title")),
    h("button", { type: "button", class: "quiet", "aria-label": t("close"), onclick: onClose }, icon("cancelled")));
  function draw(exam) {
    const signed = exam.report && exam.report.status === "signed";
    const at = node.contains(document.activeElement) && document.activeElement !== node ? nameOf(document.activeElement) : "";
    replace(node, head(),
      h("div", {}, h("div", { class: "patient" }, exam.patient.name), h("div", { class: "muted" }, `${patientLine(exam.patient)} · ${exam.patient.mpi}`)),
      h("div", { class: "actions" }, stateBadge(exam.state), h("span", { class: "muted" }, waitingText(exam))),
      h("a", { href: `/console/patients/${exam.patient.id}/` }, t("patient.open")),
      h("div", { class: "actions" }, h("a", { href: `/console/exams/${exam.id}/slip/` }, icon("print"), t("arrival.slip")), h("a", { href: `/console/calls/${exam.room.id}/` }, t("arrival.screen"))),
      facts(exam), place, commands(exam, onChanged, place),
      signed && h("a", { class: "button", href: `/console/reports/${exam.report.id}/print/` }, icon("print"), t("detail.report")));
    if (at) ([...node.querySelectorAll("a, button")].find((one) => nameOf(one) === at) || node).focus();
  }
  if (node.firstElementChild?.dataset.shows !== id) replace(node, head(), h("p", { class: "muted" }, t("loading")));
  call("GET", `exams/${id}`).then((exam) => { if (node.isConnected && node.dataset.exam === exam.id) draw(exam); })
    .catch((error) => { if (node.dataset.exam === id) { replace(node, head(), place); showError(place, error); } });
}

const nameOf = (control) => control.getAttribute("aria-label") || control.textContent;
