// Finding a booking by its patient: name, pinyin, phone tail, document tail, number.
import { call } from "./api.js";
import { busy, h, icon, replace } from "./dom.js";
import { showError } from "./errors.js";
import { either, patientLine, stateBadge } from "./exams.js";
import { t } from "./texts.js";
import { clock, day, weekday } from "./when.js";

function row(exam, onPick) {
  const when = `${day(exam.starts_at)} ${weekday(day(exam.starts_at))} ${clock(exam.starts_at)}`;
  return h("li", {},
    h("div", {}, h("div", { class: "patient" }, exam.patient.name_masked), h("div", { class: "small muted" }, `${patientLine(exam.patient)} · ${t("exam.phone_tail", { tail: exam.patient.phone_tail })}`),
      h("div", { class: "num" }, `${when} · ${either(exam.exam_type)}`), stateBadge(exam.state)),
    h("button", { type: "button", class: "button", "aria-label": `${t("board.go")} ${exam.patient.name_masked} ${when}`, onclick: () => onPick(exam) }, t("board.go")));
}

// boardSearch(form, {panel, onResults(), onPick(exam)}): the form's input is asked, the panel shows who was found.
export function boardSearch(form, { panel, onResults, onPick }) {
  const input = form.querySelector("input"), send = form.querySelector("button");
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    const q = input.value.normalize("NFKC").trim();
    if (!q) return input.focus();
    return busy(send, async () => {
      onResults();
      try {
        const { results } = await call("GET", `board/search?q=${encodeURIComponent(q)}`);
        replace(panel, h("h2", {}, icon("search"), " ", t("board.found", { n: results.length })),
          results.length ? h("ul", { class: "picks" }, results.map((exam) => row(exam, onPick))) : h("p", { class: "note" }, t("board.found_none")));
        panel.querySelector("li button")?.focus();
      } catch (error) {
        showError(panel, error);
      }
    });
  });
}
