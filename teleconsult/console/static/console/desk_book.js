// Step 2 of a booking: exam, question, who and when (found or typed), one submit.
import { call } from "./api.js";
import { words } from "./desk_arrival.js";
import { busy, deed, field, h, replace } from "./dom.js";
import { clearError, notice, showError } from "./errors.js";
import { either, patientLine, patientName } from "./exams.js";
import { displaceBox } from "./desk_displace.js";
import { loadChoices, slotFields } from "./desk_slot.js";
import { timesFinder } from "./desk_times.js";
import { t } from "./texts.js";
import { clock, day } from "./when.js";

function chosenPatient(patient, onChange) {
  return h("div", { class: "chosen" },
    h("div", {}, h("div", { class: "patient" }, patientName(patient)), h("div", { class: "small" }, `${patientLine(patient)} · ${patient.mpi}`)),
    h("button", { type: "button", class: "button", onclick: onChange }, t("find.change")));
}

// bookForm({patient, day, mayDisplace, onBooked(exam), onChangePatient}) -> element, filled when the choices have arrived
export function bookForm({ patient, day: dayText, mayDisplace = false, onBooked, onChangePatient }) {
  const node = h("section", { class: "stack" }, h("h2", {}, t("book.title")), h("p", { class: "muted" }, t("loading")));
  loadChoices().then((choices) => fill(choices)).catch((error) => showError(node, error));
  return node;

  function fill(choices) {
    const type = h("select", { required: true }, choices.exam_types.map((row) => h("option", { value: row.code }, either(row))));
    const question = h("textarea", { rows: 2, required: true, maxlength: 2000, placeholder: t("book.question_hint") });
    const history = h("textarea", { rows: 2, maxlength: 4000 });
    const preparation = h("p", { class: "hint" });
    const place = h("div", {});
    const send = h("button", { class: "button primary" }, t("book.submit"));
    const chosenType = () => choices.exam_types.find((row) => row.code === type.value);
    const slot = slotFields({
      choices, initial: { day: dayText }, minutes: () => chosenType()?.minutes || 30,
      assistant: () => Boolean(chosenType()?.assistant), onTouched: () => finder.drop(),
    });
    const finder = timesFinder({
      type: () => type.value, day: slot.day, people: slot.people, team: slot.team,
      onKept: ({ starts_at, team }) => slot.put(starts_at, team),
    });

    function typeChanged() {
      const row = chosenType() || {};
      const words = document.documentElement.lang === "en" ? row.preparation_en || row.preparation_zh : row.preparation_zh;
      preparation.textContent = words ? t("book.preparation", { text: words }) : "";
      slot.draw();
    }

    async function submit() {
      clearError(place);
      const missing = [...(question.value.trim() ? [] : [t("exam.question")]), ...slot.missing()];
      if (missing.length) return replace(place, h("div", { class: "alert", role: "alert" }, t("book.missing", { fields: missing.join(t("list.comma")) })));
      const body = { patient_id: patient.id, exam_type: type.value, clinical_question: question.value.trim(), history: history.value.trim(), ...slot.read() };
      if (finder.hold()) body.hold_id = finder.hold();
      try {
        const exam = await call("POST", "exams", body);
        notice(t("book.done", { name: exam.patient.name, day: day(exam.starts_at), time: clock(exam.starts_at) }));
        return onBooked(exam);
      } catch (error) {
        if (error.code === "hold_over") await finder.drop(); // the next try books without it
        slot.refresh();
        showError(place, error);
        if (error.code === "taken" && mayDisplace) {
          place.append(displaceBox({ body: () => body, onBooked }));
          place.lastChild.scrollIntoView({ block: "end" });
        }
        return null;
      }
    }

    // Who stands at the desk without a booking: the next gap of today, checked in at once.
    const walkIn = deed({ class: "button" }, t("walk_in.submit"), async () => {
      clearError(place);
      if (!question.value.trim()) return replace(place, h("div", { class: "alert", role: "alert" }, t("book.missing", { fields: t("exam.question") })));
      await finder.drop();
      try {
        const answer = await call("POST", "walk-ins", { patient_id: patient.id, exam_type: type.value, clinical_question: question.value.trim(), history: history.value.trim() });
        notice(t("walk_in.done", words(answer)));
        return onBooked(answer.exam);
      } catch (error) {
        return showError(place, error);
      }
    });
    const form = h("form", { class: "stack pinned", novalidate: true, "aria-label": t("book.title") },
      field(t("book.exam_type"), type), preparation,
      field(t("book.question"), question), field(t("book.history"), history, { note: t("optional") }),
      finder.node, slot.nodes, place, h("div", { class: "actions" }, send, walkIn));
    form.addEventListener("submit", (event) => { event.preventDefault(); busy(send, submit); });
    type.addEventListener("change", () => { finder.drop(); typeChanged(); });
    replace(node, h("h2", {}, t("book.title")), chosenPatient(patient, () => { finder.drop(); onChangePatient(); }), form);
    typeChanged();
    question.focus();
  }
}
