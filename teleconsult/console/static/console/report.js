// The report of one exam: write, save by itself, sign, amend.
import { $, busy, data, h, icon, replace } from "./dom.js";
import { autosave } from "./autosave.js";
import { call } from "./api.js";
import { notice, noticeError } from "./errors.js";
import { either, hospital, patientLine, stateBadge } from "./exams.js";
import { drawPictures } from "./report_pictures.js";
import { amendDialog, signDialog } from "./report_sign.js";
import { drawViews, unaccounted } from "./report_views.js";
import { measured } from "./measure-text.js";
import { t } from "./texts.js";
import { clock, clockSeconds, day } from "./when.js";

const exam = data("exam-data");
const root = $("#report");
let report = data("report-data");
let saver = null;

const mine = (exam.you || []).includes("remote");
const over = ["ended", "reported"].includes(exam.state);
const isDraft = () => ["none", "draft"].includes(report.status);
const editable = () => mine && over && isDraft();

function header() {
  return h("div", { class: "bar" },
    h("div", {},
      h("h1", {}, `${t("report.title")} · ${exam.patient.name}`),
      h("p", { class: "muted" }, `${patientLine(exam.patient)} · ${exam.patient.mpi} · ${either(exam.exam_type)} · ${day(exam.starts_at)} ${clock(exam.starts_at)}`)),
    h("div", { class: "bar-group" }, stateBadge(exam.state), h("a", { class: "button", href: mine ? "/console/my-day/" : "/console/bedside/" }, t(mine ? "report.back" : "bedside.title"))));
}

function statusLine() {
  const kind = isDraft() ? "draft" : report.status;
  const words = report.version > 0 ? `${t("report.version", { n: report.version })} · ${t(`report.state.${kind}`)}` : t("report.state.draft");
  const signed = report.signed_at && t("report.signed_line", { name: report.signed_by, time: `${day(report.signed_at)} ${clock(report.signed_at)}` });
  return h("p", {}, h("strong", {}, words), signed && ` · ${signed}`);
}

function say(words, bad = false) {
  const place = $("#saved");
  if (!place) return;
  place.className = bad ? "saved bad" : "saved";
  place.textContent = words;
}

function onState(kind, error, answer) {
  if (answer) report = { ...report, ...answer };
  if (kind === "dirty") say(t("report.unsaved"));
  if (kind === "saving") say(t("report.saving"));
  if (kind === "saved") say(t("report.saved", { time: clockSeconds(Date.now()) }));
  if (kind === "failed") say(error.status === 401 ? t("report.signed_out") : `${error.title} ${t("report.save_failed")}`, true);
  if (kind === "conflict") showConflict();
}

async function showConflict() {
  say(t("report.conflict"), true);
  let theirs;
  try {
    theirs = await call("GET", `exams/${exam.id}/report`);
  } catch (error) {
    return noticeError(error);
  }
  const settle = (keepMine) => () => {
    replace($("#conflict"));
    if (!isDraftOf(theirs) || !keepMine) { report = theirs; return draw(); }
    report = { ...theirs };
    return saver.goOn(theirs.revision, true);
  };
  return replace($("#conflict"), h("div", { class: "warning", role: "alert" }, h("p", {}, h("strong", {}, t("report.conflict"))),
    h("p", { class: "small muted" }, t("report.conflict_other")), h("p", { class: "prose" }, theirs.findings), h("p", { class: "prose" }, theirs.impression),
    h("div", { class: "actions" }, isDraftOf(theirs) && h("button", { type: "button", class: "button primary", onclick: settle(true) }, t("report.conflict_mine")),
      h("button", { type: "button", class: "button", onclick: settle(false) }, t("report.conflict_theirs")))));
}

const isDraftOf = (other) => ["none", "draft"].includes(other.status);

function editor() {
  const box = (id, key) => {
    const node = h("textarea", { id, value: report[id], readonly: !editable(), maxlength: 20000 });
    node.addEventListener("input", () => saver?.changed());
    return h("div", { class: "field" }, h("label", { class: "field", for: id }, h("span", {}, t(key))), node);
  };
  return [box("findings", "report.findings"), box("impression", "report.impression")];
}

function measurements() {
  const line = (row) => t("report.measurement", { label: row.label || t(`report.measurement_unnamed.${row.kind ?? "distance"}`), value: measured(row) });
  const insert = (row) => () => {
    const box = $("#findings");
    const gap = box.value && !/\s$/.test(box.value) ? " " : "";
    box.value = `${box.value}${gap}${line(row)}。`;
    saver?.changed();
    box.focus();
  };
  const rows = report.measurements || [];
  return h("section", { class: "card" }, h("h3", {}, t("report.measurements")), rows.length
    ? h("ul", { class: "measures" }, rows.map((row) => h("li", {}, h("span", { class: "num" }, line(row)),
      editable() && h("button", { type: "button", class: "button", onclick: insert(row) }, t("report.measurement_insert")))))
    : h("p", { class: "muted" }, t("report.measurements_none")));
}

function context() {
  const row = (key, value) => value && [h("dt", {}, t(key)), h("dd", {}, value)];
  return h("section", { class: "card" }, h("dl", { class: "facts" },
    row("exam.question", exam.clinical_question), row("exam.history", exam.history),
    row("exam.requesting", hospital(exam, "requesting")), row("exam.performing", hospital(exam, "performing")),
    row("who.bedside", exam.bedside_physician.name), row("detail.reason", exam.end_reason)));
}

function versions() {
  const rows = (report.versions || []).filter((row) => row.version > 0);
  if (!rows.length) return null;
  return h("section", { class: "card" }, h("h3", {}, t("report.versions")), h("ul", { class: "versions" }, rows.map((row) => h("li", {},
    h("span", {}, `${t("report.version", { n: row.version })} · ${t(`report.state.${row.status}`)}`, row.signed_at && h("span", { class: "sub muted small" }, ` ${day(row.signed_at)} ${clock(row.signed_at)}`)),
    h("a", { class: "button", href: `/console/reports/${row.id}/print/`, "aria-label": `${t("print")} ${t("report.version", { n: row.version })}` }, icon("print"), t("print"))))));
}

async function sign() {
  if (!$("#findings").value.trim() || !$("#impression").value.trim()) return say(t("report.sign_empty"), true);
  const left = unaccounted(exam, report);
  if (left.length) {
    $("#standard-views").scrollIntoView({ block: "center" });
    return say(t("view.unaccounted", { n: left.length }), true);
  }
  if (report.status === "none" || saver.unsaved) {
    saver.changed();
    if (!(await saver.flush())) return undefined;
  }
  const signed = await signDialog(report.id, saver.revision);
  if (!signed) return undefined;
  notice(t("report.signed_done"));
  report = signed;
  exam.state = "reported";
  return draw();
}

async function amend() {
  const draft = await amendDialog(report.id);
  if (!draft) return undefined;
  notice(t("report.amend_done", { n: draft.version }));
  report = draft;
  return draw();
}

function actions() {
  const press = (label, run, style = "button primary") => {
    const button = h("button", { type: "button", class: style }, label);
    button.addEventListener("click", () => busy(button, run));
    return button;
  };
  const why = !mine ? t("report.not_yours") : !over ? t("report.not_yet") : "";
  return h("div", { class: "actions" },
    editable() && press(t("report.sign"), sign),
    mine && over && report.status === "signed" && press(t("report.amend"), amend, "button"),
    h("p", { class: "saved", id: "saved", role: "status" }, editable() ? "" : why));
}

function pictures() {
  const node = h("div", {});
  const redraw = () => drawPictures({
    node, exam, images: report.images || [], measurements: report.measurements || [], editable: editable(),
    onChanged: (changed) => { report.images = report.images.map((image) => (image.id === changed.id ? changed : image)); redraw(); redrawViews(); },
  });
  redraw();
  return h("section", { class: "card" }, h("h3", {}, t("report.pictures")), node);
}

let redrawViews = () => {};

function views() {
  if (!(exam.exam_type.views || []).length) return null;
  const node = h("div", {});
  redrawViews = () => drawViews({
    node, exam, report, editable: editable(), onChanged: (rows) => { report.missing_views = rows; redrawViews(); },
  });
  redrawViews();
  return h("section", { class: "card", id: "standard-views" }, h("h3", {}, t("view.list")), node);
}

function amendLine() {
  if (!report.amend_reason) return null;
  const before = (report.versions || []).find((row) => row.id === report.previous_id);
  return h("p", { class: "note" }, t("report.amends", { n: report.version, old: before ? before.version : report.version - 1, reason: report.amend_reason }));
}

function draw() {
  saver?.stop();
  saver = editable() ? autosave({
    read: () => ({ findings: $("#findings").value, impression: $("#impression").value }),
    save: (text, revision) => call("PUT", `exams/${exam.id}/report`, { ...text, revision }, { staySignedOut: true }),
    onState, revision: report.revision,
  }) : null;
  replace(root, header(), h("div", { class: "report-grid" },
    h("div", { class: "editor" }, statusLine(), amendLine(), h("div", { id: "conflict" }), editor(), actions(), pictures()),
    h("aside", {}, context(), views(), measurements(), versions())));
  scrollTo({ top: 0 });
}

window.addEventListener("beforeunload", (event) => { if (saver?.unsaved) event.preventDefault(); });
draw();
