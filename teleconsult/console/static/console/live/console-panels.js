// The console's panels that follow the exam: strip, what is missing, identity, question and history, deeds.
import { h, replace } from "../dom.js";
import { t } from "../texts.js";

const SHOWN_FOR = new Set(["checked_in", "ready", "live", "paused"]);
const IDENTIFIERS = ["name", "birth_date", "document_tail", "phone_tail"];

const place = (id) => document.getElementById(id);
const inLanguage = (language, zh, en) => (language === "en" ? en || zh : zh || en);

export function examTypeName(exam, language) {
  return inLanguage(language, exam.exam_type.name_zh, exam.exam_type.name_en);
}

export function patientLine(exam) {
  const { patient } = exam;
  return [t(`sex.${patient.sex}`), t("unit.age", { n: patient.age }), t("exam.document_tail", { tail: patient.document_tail })];
}

export function strip(exam, language) {
  place("patient-name").textContent = exam.patient.name;
  replace(place("patient-facts"), patientLine(exam).map((fact) => h("span", {}, fact)));
  place("exam-name").textContent = examTypeName(exam, language);
  const state = place("exam-state");
  state.textContent = t(`state.${exam.state}`);
  state.dataset.state = exam.state;
}

// Question, history, requester: beside the picture, always.
export function clinical(exam) {
  replace(place("clinical"),
    h("dl", {},
      h("dt", {}, t("live.question")), h("dd", { class: "wrap strong" }, exam.clinical_question || "–"),
      h("dt", {}, t("live.history")), h("dd", { class: "wrap" }, exam.history || "–"),
      h("dt", {}, t("live.requester")), h("dd", {}, `${exam.requesting_institution} · ${exam.bedside_physician.name}`)));
}

export function gates(exam) {
  const root = place("gates");
  const missing = exam.gates.filter((gate) => !gate.ok);
  root.hidden = !["booked", "checked_in", "ready"].includes(exam.state);
  replace(root, missing.length
    ? [h("h3", {}, `${t("live.gates")} · ${missing.length}`), h("ul", { class: "gate-list" }, missing.map((gate) => h("li", { dataset: { code: gate.code } }, gate.title)))]
    : h("h3", { class: "ok" }, `✓ ${t("live.gates.all")}`));
}

function tick(name, value) {
  const box = h("input", { type: "checkbox", name: "confirmed", value: name, id: `identify-${name}` });
  return h("label", { class: "tick" }, box, h("span", {}, t(`live.identify.${name}`)), h("b", {}, value));
}

// Ticks survive news about the exam: they are built once, and rebuilt only when the answer is in.
export function identity(exam, { submit }) {
  const root = place("identity");
  const done = Boolean(exam.checks?.remote?.length);
  root.hidden = !SHOWN_FOR.has(exam.state) && exam.state !== "booked";
  if (root.dataset.done === String(done)) return;
  root.dataset.done = done;
  if (done) {
    replace(root, h("p", { class: "ok" }, `✓ ${t("live.identify.done")}`));
    return;
  }
  const button = h("button", { type: "button", id: "identify", class: "deed", disabled: true }, t("live.identify.do"));
  const chosen = () => [...root.querySelectorAll("input:checked")].map((box) => box.value);
  replace(root, h("p", { class: "lv-hint" }, t("live.identify")),
    h("div", { class: "ticks" }, IDENTIFIERS.filter((name) => exam.patient[name]).map((name) => tick(name, exam.patient[name]))), button);
  root.onchange = () => { button.disabled = chosen().length < 2; };
  button.onclick = () => submit(chosen(), button);
}

export function concerns(exam, { agree }) {
  const root = place("concerns");
  const { concerns: found = [], agreed_by: agreed = [] } = exam.checklist ?? {};
  root.hidden = !found.length || !["booked", "checked_in", "ready"].includes(exam.state);
  if (root.hidden) return;
  const mine = agreed.includes("remote");
  const button = h("button", { type: "button", id: "agree", class: "deed" }, t("live.concerns.agree"));
  button.onclick = () => agree(button);
  replace(root, h("p", {}, `${t("live.concerns")} `, h("b", {}, found.map((name) => t(`live.concern.${name}`)).join("、"))), mine ? h("p", { class: "ok" }, "✓") : button);
}

// Which deeds show, which is the next one (primary), from the exam and whose control it is.
export function deeds(exam, mine) {
  const scanning = exam.state === "live" || exam.state === "paused";
  const open = exam.gates.filter((gate) => !gate.ok && gate.code !== "lease_missing").map((gate) => gate.title);
  const shown = {
    take: (exam.state === "ready" || scanning) && !mine,
    start: exam.state === "ready" && mine,
    resume: exam.state === "paused" && mine,
    pause: exam.state === "live",
    release: mine,
    park: scanning && mine,
    end: scanning,
    abort: ["checked_in", "ready", "live", "paused"].includes(exam.state),
    report: exam.state === "ended" || exam.state === "reported",
  };
  for (const [name, on] of Object.entries(shown)) place(name).hidden = !on;
  place("start").title = open.join(" ");
  for (const name of ["take", "start", "resume", "report"]) place(name).classList.toggle("primary", shown[name]);
}
