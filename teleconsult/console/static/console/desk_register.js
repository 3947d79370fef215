// Register a patient: hints while typing, the namesakes shown before anything is saved.
import { call } from "./api.js";
import { busy, deed, field, h, replace } from "./dom.js";
import { clearError, notice, showError } from "./errors.js";
import { patientLine, patientName } from "./exams.js";
import { normalise, readIdentity } from "./identity.js";
import { t } from "./texts.js";
import { today } from "./when.js";

const TYPES = ["01", "02", "03", "04", "05", "06", "07", "99"];
const CITIZEN = new Set(["01", "02"]);

function controls(name) {
  const option = (value, label) => h("option", { value }, label);
  return {
    name: h("input", { value: name, autocomplete: "off", required: true, maxlength: 160 }),
    type: h("select", {}, TYPES.map((code) => option(code, t(`register.document.${code}`)))),
    number: h("input", { autocomplete: "off", required: true, maxlength: 40, spellcheck: "false", class: "num" }),
    birth: h("input", { autocomplete: "off", required: true, placeholder: "1950-03-15", inputmode: "numeric", maxlength: 10 }),
    sex: h("select", { required: true }, ["", "1", "2", "9"].map((code) => option(code, code ? t(`sex.${code}`) : t("book.choose")))),
    phone: h("input", { autocomplete: "off", required: true, inputmode: "tel", maxlength: 20 }),
  };
}

function readBirth(text) {
  const found = text.normalize("NFKC").trim().match(/^(\d{4})[-./年]?(\d{1,2})[-./月]?(\d{1,2})日?$/);
  if (!found) return null;
  const iso = `${found[1]}-${found[2].padStart(2, "0")}-${found[3].padStart(2, "0")}`;
  const date = new Date(`${iso}T00:00:00Z`);
  return !Number.isNaN(date.getTime()) && date.toISOString().slice(0, 10) === iso && iso <= today() ? iso : null;
}

// The hint under the number; fills birth date and sex from a valid number when they are still empty.
function watchNumber(c, hint) {
  function say(kind, words) {
    hint.className = `hint ${kind}`;
    hint.textContent = words;
  }
  function look({ fill }) {
    const raw = normalise(c.number.value);
    if (!CITIZEN.has(c.type.value) || !raw) return say("", "");
    const found = readIdentity(raw, today());
    if (!found.ok) return say(found.problem === "short" ? "" : "bad", t(`id.${found.problem}`, { n: found.length }));
    if (fill && !c.birth.value) c.birth.value = found.birth;
    if (fill && !c.sex.value) c.sex.value = found.sex;
    const birth = readBirth(c.birth.value);
    if ((birth && birth !== found.birth) || (c.sex.value && c.sex.value !== found.sex)) return say("bad", t("id.conflict"));
    return say("good", t("id.good", { birth: found.birth, sex: t(`sex.${found.sex}`) }));
  }
  c.number.addEventListener("input", () => look({ fill: true }));
  for (const other of [c.type, c.birth, c.sex]) other.addEventListener("input", () => look({ fill: false }));
}

function bodyOf(c) {
  return {
    name: c.name.value.trim(), document_type: c.type.value, document_number: normalise(c.number.value),
    birth_date: readBirth(c.birth.value), sex: c.sex.value, phone: c.phone.value.normalize("NFKC").replace(/[\s-]/g, ""),
  };
}

function firstProblem(c, body) {
  if (!body.name) return [c.name, t("register.check_name")];
  if (!body.document_number) return [c.number, t("book.missing", { fields: t("register.document_number") })];
  if (!body.birth_date) return [c.birth, t("register.check_birth")];
  if (!body.sex) return [c.sex, t("book.missing", { fields: t("register.sex") })];
  if (!/^1[0-9]{10}$/.test(body.phone.replace(/^\+86/, ""))) return [c.phone, t("register.check_phone")];
  return null;
}

function pickList(title, patients, choose) {
  return h("div", { class: "warning" }, h("strong", {}, title), h("ul", { class: "picks" }, patients.map((patient) =>
    h("li", {}, h("div", {}, h("div", { class: "patient" }, patientName(patient)), h("div", { class: "small" }, `${patientLine(patient)} · ${patient.birth_date} · ${patient.mpi}`)),
      deed({}, t("register.namesake_use"), () => choose(patient))))));
}

async function lookUp(q) {
  return (await call("GET", `patients?q=${encodeURIComponent(q)}`)).results;
}

// registerForm({name, onPatient(patient), onBack()}) -> form element
export function registerForm({ name = "", onPatient, onBack }) {
  const c = controls(name);
  const hint = h("p", { class: "hint", "aria-live": "polite" });
  const place = h("div", {});
  const send = h("button", { class: "button primary" }, t("register.submit"));
  let cleared = null; // the name for which the person said "none of the namesakes"

  async function openNamesake({ id }) {
    try {
      return onPatient(await call("GET", `patients/${id}`));
    } catch (error) {
      return showError(place, error);
    }
  }

  async function refusedAsKnown(error) {
    const id = error.code === "patient_exists" && error.data.patient_id;
    const known = id ? await call("GET", `patients/${id}`).catch(() => null) : null;
    return known ? replace(place, pickList(t("register.exists"), [known], onPatient)) : showError(place, error);
  }

  async function save(body) {
    try {
      const answer = await call("POST", "patients", body);
      const patient = answer.patient || answer;
      notice(t(answer.linked ? "register.linked" : "register.done", { mpi: patient.mpi }));
      if (answer.reviews_n) notice(t("register.reviews", { n: answer.reviews_n }), "note");
      onPatient(patient);
    } catch (error) {
      await refusedAsKnown(error);
    }
  }

  async function namesakes(body) {
    const found = (await lookUp(body.name)).filter((other) => other.name_exact);
    if (!found.length) return false;
    const other = h("button", { type: "button", class: "button", onclick: () => { cleared = body.name; clearError(place); busy(send, () => save(body)); } }, t("register.namesake_other"));
    replace(place, pickList(t("register.namesakes"), found, openNamesake), h("div", { class: "actions" }, other));
    place.scrollIntoView({ block: "nearest" });
    other.focus();
    return true;
  }

  async function submit() {
    clearError(place);
    const body = bodyOf(c);
    const problem = firstProblem(c, body);
    for (const control of Object.values(c)) control.removeAttribute("aria-invalid");
    if (problem) {
      problem[0].setAttribute("aria-invalid", "true");
      problem[0].focus();
      return replace(place, h("div", { class: "alert", role: "alert" }, problem[1]));
    }
    try {
      if (cleared !== body.name && (await namesakes(body))) return null;
    } catch (error) {
      return showError(place, error);
    }
    return save(body);
  }

  watchNumber(c, hint);
  const form = h("form", { class: "stack", novalidate: true, "aria-label": t("register.title") },
    h("h2", {}, t("register.title")),
    field(t("register.name"), c.name),
    h("div", { class: "row" }, field(t("register.document_type"), c.type), field(t("register.phone"), c.phone)),
    field(t("register.document_number"), c.number, { hint }),
    h("div", { class: "row" }, field(t("register.birth_date"), c.birth), field(t("register.sex"), c.sex)),
    place,
    h("div", { class: "actions" }, send, h("button", { type: "button", class: "button", onclick: onBack }, t("cancel_form"))));
  form.addEventListener("submit", (event) => { event.preventDefault(); busy(send, submit); });
  return form;
}
