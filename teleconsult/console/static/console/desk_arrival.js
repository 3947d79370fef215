// Arrival: a scanner types, or somebody does; the answer is a number. Each room's call screen is one press away.
import { call } from "./api.js";
import { $, busy, h, replace } from "./dom.js";
import { clearError, notice, showError } from "./errors.js";
import { named } from "./board_rows.js";
import { either } from "./exams.js";
import { t } from "./texts.js";
import { clock } from "./when.js";

export const words = ({ exam, ticket }) => ({ number: ticket.number, name: ticket.name_masked, time: clock(exam.starts_at), room: either(exam.room) });

// arrivals(form, {rooms, onArrived(exam id)})
export function arrivals(form, { rooms, onArrived }) {
  const input = form.querySelector("input"), send = form.querySelector("button"), problem = $("#arrival-problem");
  replace($("#screens"), rooms.map((line) => h("a", { href: `/console/calls/${line.key}/`, target: "_blank", rel: "noopener" }, `${t("arrival.screen")} ${named(line)}`)));
  let line = Promise.resolve(); // one after the other: a scanner does not wait for the answer to the one before
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    const said = input.value.trim();
    if (!said) return input.focus();
    clearError(problem);
    input.value = "";
    line = line.then(() => busy(send, () => arrive(said)));
    return line;
  });

  async function arrive(said) {
    try {
      const answer = await call("POST", "arrivals", { said });
      notice(t("arrival.done", words(answer)), "good-note");
      await onArrived(answer.exam.id);
      input.focus(); // the next one is scanned without a hand on the mouse
    } catch (error) {
      showError(problem, error);
      if (input.value) return; // the next one is being said already
      input.value = said;
      input.select();
    }
  }
}
