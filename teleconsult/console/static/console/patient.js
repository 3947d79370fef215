// One patient's card at the desk: registration, verification, family and carers.
import { call } from "./api.js";
import { $, busy, data, deed, field, h, replace } from "./dom.js";
import { clearError, notice, noticeError, showError } from "./errors.js";
import { patientLine } from "./exams.js";
import { drawWishes } from "./patient_wishes.js";
import { t } from "./texts.js";
import { day, stamp } from "./when.js";

const SEEN = ["card", "passport", "household_book", "other_document"];
let patient = data("patient-data");

const mark = () => h("span", { class: patient.verified ? "mark good" : "mark warn" }, t(patient.verified ? "patient.verified" : "patient.unverified"));

function drawHead() {
  replace($("#head"), h("h1", {}, patient.name, " ", mark()), h("p", { class: "muted" }, `${patientLine(patient)} · ${patient.mpi}`));
}

function verifyForm() {
  const place = h("div", {});
  const seen = h("select", {}, SEEN.map((code) => h("option", { value: code }, t(`patient.seen.${code}`))));
  if (patient.document_type === "03") seen.value = "passport";
  const line = h("input", { autocomplete: "off", spellcheck: "false", maxlength: 60, class: "mono" });
  const send = h("button", { class: "button primary" }, t("patient.verify_submit"));
  const form = h("form", { class: "stack", novalidate: true }, h("h3", {}, t("patient.verify")), h("p", { class: "hint" }, t("patient.verify_lead")),
    field(t("patient.seen"), seen), patient.document_type === "03" && field(t("patient.passport_line"), line), place, h("div", { class: "actions" }, send));
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    clearError(place);
    busy(send, async () => {
      try {
        await call("POST", `patients/${patient.id}/verify`, { seen: seen.value, passport_line: line.value.trim() });
        notice(t("patient.verify_done"));
        patient = { ...patient, ...(await call("GET", `patients/${patient.id}`)) };
        draw();
      } catch (error) {
        showError(place, error);
      }
    });
  });
  return form;
}

function drawRegistration() {
  const fact = (label, value) => [h("dt", {}, label), h("dd", {}, value)];
  replace($("#registration"), h("dl", { class: "facts" },
    fact(t("register.birth_date"), patient.birth_date), fact(t("register.document_type"), t(`register.document.${patient.document_type}`)),
    fact(t("register.document_number"), h("span", { class: "num" }, patient.document_masked)), fact(t("register.phone"), h("span", { class: "num" }, patient.phone_masked)),
    fact(t("identity.hospital"), patient.institution), fact(t("identity.registered"), stamp(patient.registered_at)),
    fact(t("patient.verify"), [mark(), patient.verified_at ? ` ${t("patient.verified_at", { time: stamp(patient.verified_at) })}` : ""])),
    verifyForm());
}

function delegateRow(row) {
  const revoke = deed({ class: "button danger" }, t("patient.delegate_revoke"), async () => {
    try {
      await call("DELETE", `patients/${patient.id}/delegates/${row.id}`);
      notice(t("patient.delegate_revoked"));
      await reload();
    } catch (error) {
      noticeError(error);
    }
  });
  const ends = row.ends_soon ? h("span", { class: "hint bad" }, t("patient.delegate_soon", { n: row.ends_in_days })) : h("span", { class: "sub" }, row.in_use ? "" : t("patient.delegate_unused"));
  return h("tr", {}, h("td", {}, h("span", { class: "patient" }, row.name), h("span", { class: "sub" }, `${row.relation} · ${row.phone_masked}`)),
    h("td", {}, row.scopes.map((scope) => h("span", { class: "sub" }, t(`patient.scope.${scope}`)))),
    h("td", {}, day(row.expires_at), ends, row.ends_soon && !row.in_use && h("span", { class: "sub" }, t("patient.delegate_unused"))),
    h("td", {}, h("span", { class: "sub" }, t(`patient.delegate_by.${row.granted_by}`)), revoke));
}

function drawDelegates() {
  const heads = ["patient.delegate_name", "patient.delegate_scopes", "patient.delegate_until", "patient.delegate_by"].map((key) => h("th", { scope: "col" }, t(key)));
  replace($("#delegates"), patient.delegates.length
    ? h("table", { class: "table" }, h("thead", {}, h("tr", {}, heads)), h("tbody", {}, patient.delegates.map(delegateRow)))
    : h("p", { class: "empty" }, t("patient.delegates_none")));
}

async function reload() {
  patient.delegates = (await call("GET", `patients/${patient.id}/delegates`)).results;
  draw();
}

function scopeBoxes() {
  return h("fieldset", { class: "keep" }, h("legend", {}, t("patient.delegate_scopes")), patient.scopes.map((scope) => {
    const box = h("input", { type: "checkbox", value: scope, id: `scope-${scope}` });
    box.checked = scope === "read";
    return h("label", { for: `scope-${scope}` }, box, h("span", {}, t(`patient.scope.${scope}`)));
  }));
}

function drawGrant() {
  const place = h("div", {});
  const input = (attributes) => h("input", { autocomplete: "off", required: true, ...attributes });
  const c = { name: input({ maxlength: 160 }), relation: input({ maxlength: 40 }), phone: input({ maxlength: 20, inputmode: "tel" }), days: input({ type: "number", min: 1, max: 366, value: 180 }), paper: input({ maxlength: 120 }) };
  const boxes = scopeBoxes();
  const send = h("button", { class: "button primary" }, t("patient.delegate_grant"));
  const form = h("form", { class: "stack card", novalidate: true }, h("h3", {}, t("patient.delegate_add")),
    h("div", { class: "row" }, field(t("patient.delegate_name"), c.name), field(t("patient.delegate_relation"), c.relation)),
    h("div", { class: "row" }, field(t("patient.delegate_phone"), c.phone), field(t("patient.delegate_days"), c.days)),
    field(t("patient.delegate_paper"), c.paper), boxes, place, h("div", { class: "actions" }, send));
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    clearError(place);
    busy(send, async () => {
      const scopes = [...boxes.querySelectorAll("input:checked")].map((box) => box.value);
      try {
        await call("POST", `patients/${patient.id}/delegates`, { name: c.name.value.trim(), relation: c.relation.value.trim(), phone: c.phone.value.trim(), days: Number(c.days.value), paper: c.paper.value.trim(), scopes });
        notice(t("patient.delegate_granted"));
        await reload();
      } catch (error) {
        showError(place, error);
      }
    });
  });
  replace($("#grant"), form);
}

function draw() {
  drawHead();
  drawRegistration();
  drawDelegates();
  drawGrant();
}

draw();
drawWishes(patient, patient.messages);
