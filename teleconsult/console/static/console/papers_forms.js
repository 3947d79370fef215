// Dialogs of the papers page: each asks for what one door needs and sends it.
import { call } from "./api.js";
import { busy, dialog, field, h } from "./dom.js";
import { clearError, showError } from "./errors.js";
import { either } from "./exams.js";
import { prove } from "./prove.js";
import { t } from "./texts.js";

const input = (name, attributes = {}) => h("input", { name, required: true, ...attributes });
const choice = (name, rows) => h("select", { name, required: true }, rows.map(([value, label]) => h("option", { value }, label)));

// ask(title, [[label, control]], send(values, form)) -> true when it was sent
function ask(title, rows, send) {
  return dialog(title, (close) => {
    const problem = h("div", {});
    const form = h("form", { class: "stack" }, problem, rows.map(([label, control]) => field(label, control)),
      h("div", { class: "actions" }, h("button", { class: "button primary" }, t("save")),
        h("button", { class: "button", type: "button", onclick: () => close(false) }, t("cancel_form"))));
    form.addEventListener("submit", (event) => {
      event.preventDefault();
      busy(form.querySelector("button"), async () => {
        clearError(problem);
        try {
          await send(Object.fromEntries(new FormData(form)), form);
          close(true);
        } catch (error) {
          showError(problem, error);
        }
      });
    });
    return form;
  });
}

const base64 = (file) => new Promise((resolve, reject) => {
  const reader = new FileReader();
  reader.onload = () => resolve(String(reader.result).split(",", 2)[1] || "");
  reader.onerror = () => reject(reader.error);
  reader.readAsDataURL(file);
});

export function agreementForm(data) {
  const places = data.institutions.map((row) => [row.id, either(row)]);
  const others = [...places].sort(([a], [b]) => data.mine.includes(a) - data.mine.includes(b)); // nobody invites themselves
  return ask(t("papers.agreement_new"), [
    [t("papers.inviting"), choice("inviting_id", places)],
    [t("papers.invited"), choice("invited_id", others)],
    [t("papers.from"), input("valid_from", { type: "date" })],
    [t("papers.to"), input("valid_to", { type: "date" })],
    [t("papers.document"), input("document", { type: "file", accept: "application/pdf" })],
  ], async (values) => call("POST", "agreements",
    { ...values, services: ["remote_ultrasound"], document: await base64(values.document) }));
}

// Who signed there, then the recorder's own fresh proof for this one signature.
export async function signForm(row) {
  const given = await new Promise((resolve) => {
    let values = null;
    ask(t("papers.sign"), [[t("papers.signatory"), input("signatory", { maxlength: 80 })]], async (typed) => { values = typed; }).then(() => resolve(values));
  });
  if (!given) return null;
  return prove({ action: "agreement.sign", object_id: row.id }, {
    title: t("papers.sign"), lead: t("papers.sign_proof", { name: given.signatory }), button: t("papers.sign"),
    then: () => call("POST", `agreements/${row.id}/sign`, given),
  });
}

// For what can't be taken back: asked once more, with nothing to fill in.
export const sure = (path, title) => ask(title, [], () => call("POST", path));

export const endForm = (path, title) => ask(title, [[t("papers.reason"), input("reason", { maxlength: 500 })]],
  (values) => call("POST", path, values));

export function licenceForm(row) {
  const held = row.licence || {};
  return ask(t("papers.licence_of", { name: row.name }), [
    [t("papers.licence_number"), input("licence_number", { maxlength: 40, value: held.licence_number || "" })],
    [t("papers.licence_expires"), input("licence_expires_on", { type: "date", value: held.licence_expires_on || "" })],
    [t("papers.practice_since"), input("practice_started_on", { type: "date", value: held.practice_started_on || "" })],
    [t("papers.standing"), choice("standing", ["active", "suspended", "revoked"].map((one) => [one, t(`papers.standing.${one}`)]))],
    [t("papers.scope"), input("scope", { maxlength: 60, value: held.scope || "ultrasound" })],
  ], (values) => call("PUT", `registry/physicians/${row.user_id}/licence`, values));
}

export function registrationForm(row, data) {
  return ask(t("papers.registration_of", { name: row.name }), [
    [t("papers.place"), choice("institution_id", data.institutions.map((one) => [one.id, either(one)]))],
    [t("papers.kind"), choice("kind", ["filing", "main"].map((one) => [one, t(`papers.kind.${one}`)]))],
    [t("papers.from"), input("valid_from", { type: "date" })],
    [t("papers.to_open"), h("input", { name: "valid_to", type: "date" })],
    [t("papers.paper"), input("paper", { maxlength: 120 })],
  ], (values) => call("POST", `registry/physicians/${row.user_id}/registrations`, { ...values, valid_to: values.valid_to || null }));
}

export function privilegeForm(row) {
  return ask(t("papers.privilege_of", { name: row.name }), [
    [t("papers.level"), choice("level", ["simulator", "supervised", "independent"].map((one) => [one, t(`papers.level.${one}`)]))],
    [t("papers.hours"), input("simulator_hours", { type: "number", min: 0, value: 0 })],
    [t("papers.exams"), input("supervised_exams", { type: "number", min: 0, value: 0 })],
    [t("papers.to"), input("valid_to", { type: "date" })],
    [t("papers.basis"), h("input", { name: "basis", maxlength: 200 })],
  ], (values) => call("POST", `registry/physicians/${row.user_id}/privileges`, values));
}
