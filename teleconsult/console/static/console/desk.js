// The booking desk: the day on the left, the work in hand on the right.
import { $, data, h, replace } from "./dom.js";
import { bookForm } from "./desk_book.js";
import { showDetail } from "./desk_detail.js";
import { findForm } from "./desk_find.js";
import { registerForm } from "./desk_register.js";
import { byTime, DROPPED, either, OVER, patientLine, stateBadge, waitingText } from "./exams.js";
import { refresh } from "./refresh.js";
import { t } from "./texts.js";
import { addDays, clock, span, today, weekday } from "./when.js";

const FILTERS = {
  all: () => true,
  open: (exam) => !OVER.has(exam.state),
  done: (exam) => ["ended", "reported"].includes(exam.state),
  dropped: (exam) => DROPPED.has(exam.state),
};
const { day } = data("desk-data");
const panel = $("#panel");
let exams = data("exams-data") || [];
let filter = "all";
let selected = null;

function subLine(exam) {
  if (exam.state === "booked" && Date.parse(exam.starts_at) < Date.now() - 60000) return t("desk.late", { time: span(Date.now() - Date.parse(exam.starts_at)) });
  return waitingText(exam);
}

function row(exam) {
  return h("tr", { "data-id": exam.id, class: OVER.has(exam.state) ? "over" : "", "aria-selected": String(exam.id === selected) },
    h("td", { class: "when num" }, clock(exam.starts_at), h("span", { class: "sub" }, `–${clock(exam.ends_at)}`)),
    h("td", {}, h("button", { type: "button", class: "link patient" }, exam.patient.name), h("span", { class: "sub" }, patientLine(exam.patient))),
    h("td", {}, either(exam.exam_type), h("span", { class: "sub" }, `${either(exam.robot)} · ${either(exam.room)}`)),
    h("td", {}, exam.remote_physician.name, h("span", { class: "sub" }, exam.bedside_physician.name)),
    h("td", {}, stateBadge(exam.state), h("span", { class: "sub" }, subLine(exam))));
}

function rows(shown) {
  const nodes = shown.map(row);
  if (day !== today() || filter !== "all") return nodes;
  const at = shown.findIndex((exam) => Date.parse(exam.starts_at) > Date.now());
  const line = h("tr", { class: "now-line" }, h("td", { colspan: 5 }, t("desk.now", { time: clock(Date.now()) })));
  nodes.splice(at < 0 ? nodes.length : at, 0, line);
  return nodes;
}

function drawList() {
  const shown = exams.filter(FILTERS[filter]).sort(byTime);
  const focused = document.activeElement?.closest?.("tr[data-id]")?.dataset.id;
  const heads = ["exam.time", "who.patient", "exam", "desk.people", "exam.state"].map((key) => h("th", { scope: "col" }, t(key)));
  replace($("#day-list"), shown.length
    ? h("table", { class: "table" }, h("thead", {}, h("tr", {}, heads)), h("tbody", {}, rows(shown)))
    : h("p", { class: "empty" }, t(exams.length ? "desk.empty_filter" : "desk.empty")));
  if (focused) $(`tr[data-id="${focused}"] button`)?.focus();
}

function drawFilters() {
  replace($("#filters"), Object.keys(FILTERS).map((name) => h("button", {
    type: "button", "aria-pressed": String(name === filter),
    onclick: () => { filter = name; drawFilters(); drawList(); },
  }, `${t(`desk.filter.${name}`)} ${exams.filter(FILTERS[name]).length}`)));
}

function draw() {
  drawFilters();
  drawList();
}

function put(exam) {
  exams = [...exams.filter((other) => other.id !== exam.id), ...(exam.starts_at && sameDay(exam) ? [exam] : [])];
  draw();
}

const sameDay = (exam) => new Date(Date.parse(exam.starts_at) + 8 * 3600000).toISOString().slice(0, 10) === day;

function idle() {
  selected = null;
  delete panel.dataset.exam;
  replace(panel, h("p", { class: "muted" }, t("desk.pick")));
  drawList();
}

function select(id) {
  const exam = exams.find((other) => other.id === id);
  if (!exam) return;
  selected = id;
  panel.dataset.exam = id;
  drawList();
  showDetail(panel, exam, { onChanged: (changed) => { put(changed); select(changed.id); if (!sameDay(changed)) idle(); }, onClose: idle });
}

function startBooking() {
  selected = null;
  delete panel.dataset.exam;
  drawList();
  replace(panel, findForm({ onPatient: book, onRegister: register }));
  $("#find-patient").focus();
}

function register(name) {
  replace(panel, registerForm({ name, onPatient: book, onBack: startBooking }));
  $("input", panel).focus();
}

function book(patient) {
  replace(panel, bookForm({ patient, day, onChangePatient: startBooking, onBooked: booked }));
  panel.scrollTop = 0;
}

function booked(exam) {
  if (!sameDay(exam)) return location.assign(`/console/desk/?day=${new Date(Date.parse(exam.starts_at) + 8 * 3600000).toISOString().slice(0, 10)}&exam=${exam.id}`);
  put(exam);
  return select(exam.id);
}

function drawDay() {
  const title = day === today() ? `${t("today")} · ${day} ${weekday(day)}` : `${day} ${weekday(day)}`;
  $("#day-title").textContent = title;
  $("#day-previous").href = `/console/desk/?day=${addDays(day, -1)}`;
  $("#day-next").href = `/console/desk/?day=${addDays(day, 1)}`;
  $("#day-input").value = day;
}

$("#day-input").addEventListener("change", (event) => { if (event.target.value) location.assign(`/console/desk/?day=${event.target.value}`); });
$("#day-list").addEventListener("click", (event) => {
  const found = event.target.closest("tr[data-id]");
  if (found) select(found.dataset.id);
});
$("#new-booking").addEventListener("click", startBooking);
drawDay();
draw();
const wanted = new URLSearchParams(location.search).get("exam");
if (wanted && exams.some((exam) => exam.id === wanted)) select(wanted);
else startBooking();

// News of the exam that is open on the right are shown there too, unless a dialog is open over it.
function onNews(results) {
  const find = (rows) => rows.find((exam) => exam.id === selected);
  const [before, after] = [find(exams), find(results)];
  exams = results;
  draw();
  const changed = before && after && JSON.stringify(before) !== JSON.stringify(after);
  if (changed && !document.querySelector("dialog[open]")) select(selected);
}

refresh({ path: `exams?day=${day}`, every_ms: 10000, onData: onNews, onStale: () => {} });
