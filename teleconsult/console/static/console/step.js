// One question at a time: a form that takes the whole place, its answer or the reason why not.
import { busy, h, replace } from "./dom.js";
import { clearError, showError } from "./errors.js";

// place -> step(lead, controls, label, run): run(values) may throw; its error stands above the button.
export const stepsIn = (place) => (lead, controls, label, run) => {
  const problem = h("div", {});
  const send = h("button", { class: "button primary wide" }, label);
  const form = h("form", { class: "stack", autocomplete: "off" }, lead, controls, problem, send);
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    clearError(problem);
    busy(send, () => run(Object.fromEntries(new FormData(form))).catch((error) => showError(problem, error)));
  });
  replace(place, form);
  form.querySelector("input").focus();
};
