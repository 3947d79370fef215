// A patient's consents: what stands, taking one of the kinds that are not asked for in the exam's own steps, withdrawing.
import { call } from "./api.js";
import { ConsentForm, choices } from "./consent_form.js";
import { $, busy, data, deed, field, h, replace } from "./dom.js";
import { clearError, notice, noticeError, showError } from "./errors.js";
import { either, patientLine } from "./exams.js";
import { endForm } from "./papers_forms.js";
import { t } from "./texts.js";
import { day, stamp } from "./when.js";

const page = data("consents-data");
const KINDS = ["recording", "wristband_monitoring", "transfer"];

async function reload() {
  page.consents = (await call("GET", `patients/${page.patient.id}/consents`)).results;
  drawList();
}

async function withdraw(row) {
  try {
    if (!(await endForm(`consents/${row.id}/withdraw`, t("consent.withdraw")))) return;
    notice(t("consent.withdraw_done"));
    await reload();
  } catch (error) {
    noticeError(error);
  }
}

function consentRow(row) {
  const about = row.receiver ? either(row.receiver) : page.exams.find((exam) => exam.id === row.exam_id)?.accession;
  const standing = row.withdrawn_at
    ? h("span", { class: "state cancelled" }, t("consent.withdrawn_at", { time: stamp(row.withdrawn_at) }))
    : h("span", { class: "state ready" }, t("consent.stands"));
  return h("tr", {},
    h("td", {}, h("b", {}, t(`consent.kind.${row.kind}`)), about && h("span", { class: "sub" }, about), h("span", { class: "sub" }, t("consent.version", { version: row.text_version }))),
    h("td", {}, t(`bed.consent.${row.given_by}`), h("span", { class: "sub" }, row.guardian_relation), h("span", { class: "sub" }, t(`bed.consent.${row.method}`))),
    h("td", { class: "num" }, stamp(row.given_at)), h("td", {}, standing),
    h("td", {}, h("div", { class: "actions" }, h("a", { class: "button", href: `/console/consents/${row.id}/print/`, target: "_blank", rel: "noopener" }, t("print")),
      !row.withdrawn_at && deed({ class: "button danger" }, t("consent.withdraw"), () => withdraw(row)))));
}

function drawList() {
  const heads = ["consent.kind", "consent.given_by", "consent.given_at", "admin.state", ""].map((key) => h("th", { scope: "col" }, key && t(key)));
  replace($("#list"), page.consents.length
    ? h("table", { class: "table stacked" }, h("thead", {}, h("tr", {}, heads)), h("tbody", {}, page.consents.map(consentRow)))
    : h("p", { class: "empty" }, t("consent.none")));
}

// What the kind is about, if it is about something: an exam that is being prepared, or the one institution named.
function aboutOf(kind) {
  const select = (rows, label) => field(label, h("select", { required: true, id: "about" }, rows.map(([id, name]) => h("option", { value: id }, name))));
  if (kind === "recording") return select(page.exams.map((exam) => [exam.id, `${exam.accession} · ${either(exam.exam_type)} · ${day(exam.starts_at)}`]), t("exam"));
  return kind === "transfer" ? select(page.receivers.map((row) => [row.id, either(row)]), t("consent.receiver")) : null;
}

function send(kind, given) {
  const about = $("#about")?.value;
  if (kind === "recording") return call("POST", `exams/${about}/consents`, { ...given, kind });
  return call("POST", `patients/${page.patient.id}/consents`, { ...given, kind, receiver_id: about || null });
}

function takeForm(kind) {
  if (!page.texts[kind]) return [h("p", { class: "note" }, t("consent.no_text"))];
  if (kind === "recording" && !page.exams.length) return [h("p", { class: "note" }, t("consent.no_exam"))];
  const taken = new ConsentForm({ guardian: page.needs_guardian });
  taken.show(page.texts[kind]);
  const place = h("div", {});
  const button = h("button", { class: "button primary" }, t("bed.consent.do"));
  const form = h("form", { class: "stack", novalidate: true }, aboutOf(kind), taken.node, place, h("div", { class: "actions" }, button));
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    clearError(place);
    busy(button, async () => {
      try {
        await send(kind, taken.read());
        notice(t("consent.done"));
        draw();
        await reload();
      } catch (error) {
        showError(place, error);
      }
    });
  });
  return [page.needs_guardian && h("p", { class: "note" }, t("consent.guardian_needed")), form];
}

function draw() {
  const kinds = choices("kind", KINDS, (kind) => t(`consent.kind.${kind}`), null);
  const place = h("div", { class: "stack" });
  kinds.addEventListener("change", (event) => replace(place, takeForm(event.target.value)));
  replace($("#take"), kinds, place);
}

replace($("#head"), h("h1", {}, t("consent.page_title", { name: page.patient.name })), h("p", { class: "muted" }, `${patientLine(page.patient)} · ${page.patient.mpi}`));
drawList();
draw();
