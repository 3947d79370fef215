// Whoever may not look through the house's patients names one exactly: by a number, or by name and birth date.
import { call } from "./api.js";
import { busy, field, h, icon, replace } from "./dom.js";
import { chooseDeed, foundRow } from "./desk_find.js";
import { clearError, showError } from "./errors.js";
import { t } from "./texts.js";
import { today } from "./when.js";

const said = (input) => input.value.normalize("NFKC").trim();

// findNamed({onPatient(row), title, lead}) -> element; the row is masked, as it was found.
export function findNamed({ onPatient, title, lead }) {
  const number = h("input", { autocomplete: "off", spellcheck: "false", maxlength: 40, id: "find-number" });
  const name = h("input", { autocomplete: "off", spellcheck: "false", maxlength: 80 });
  const birth = h("input", { type: "date", max: today() });
  const send = h("button", { class: "button primary" }, icon("search"), t("find.submit"));
  const results = h("div", { "aria-live": "polite" });

  const show = (found) => replace(results, found.length
    ? [h("p", { class: "muted small" }, t("find.some", { n: found.length })),
      h("ul", { class: "picks" }, found.map((patient) => foundRow(patient, chooseDeed(patient, () => onPatient(patient)))))]
    : h("p", { class: "note" }, t("find.none_here")));

  async function submit() {
    clearError(results);
    const asked = said(number) ? { number: said(number) } : { name: said(name), birth_date: birth.value || null };
    try {
      show((await call("POST", "patients/find", asked)).results);
    } catch (error) {
      replace(results);
      showError(results, error);
    }
  }

  const form = h("form", { role: "search", class: "stack", novalidate: true }, field(t("find.number"), number),
    h("p", { class: "muted small" }, t("find.or")),
    h("div", { class: "row" }, field(t("find.name"), name), field(t("find.birth_date"), birth)), h("div", { class: "actions" }, send));
  form.addEventListener("submit", (event) => { event.preventDefault(); busy(send, submit); });
  return h("section", { class: "stack" }, h("h2", {}, title), lead && h("p", {}, lead), form, results);
}
