// The booking desk: the board on the left, the work in hand on the right.
import { Board } from "./board.js";
import { mover } from "./board_move.js";
import { KINDS, linesOf, monday, named } from "./board_rows.js";
import { $, data, h, replace } from "./dom.js";
import { arrivals } from "./desk_arrival.js";
import { bookForm } from "./desk_book.js";
import { showDetail } from "./desk_detail.js";
import { findForm } from "./desk_find.js";
import { drawList, FILTERS } from "./desk_list.js";
import { watch } from "./desk_news.js";
import { drawAlarms, drawNow, drawTurnovers } from "./desk_now.js";
import { registerForm } from "./desk_register.js";
import { boardSearch } from "./desk_search.js";
import { noticeError } from "./errors.js";
import { t } from "./texts.js";
import { turnoverCard } from "./turnover.js";
import { addDays, clockSeconds, day as dayOf, today, weekday } from "./when.js";

const MODES = ["day", "week", "list"];
const desk = data("desk-data");
const panel = $("#panel");
const asked = new URLSearchParams(location.search);
let look = data("board-data");
let mode = MODES.includes(asked.get("view")) ? asked.get("view") : "day";
let kind = KINDS.includes(asked.get("kind")) ? asked.get("kind") : "room";
let key = "";
let filter = "all";
let selected = null;
let opened = ""; // the row of the open booking as it was when the panel read it
let turnedOver = null; // the turnover that is open on the right
let turnedOverShown = "";
let late = null; // a look that came while a booking was being carried
let seen = Date.now();

const week = () => look.days > 1;
const view = () => ({ mode: mode === "week" ? "week" : "day", kind, key });
const exam = (id) => look.results.find((one) => one.id === id) || null;
const board = new Board($("#board"), { onOpen: select });
const carry = mover({ board, exam, view, day: () => desk.day, onMoved: moved, onIdle: drawLate });

function draw() {
  const list = mode === "list";
  document.body.dataset.view = mode;
  $("#board").hidden = list;
  if (!list) board.draw(look, view());
  drawList($("#day-list"), look.results, { filter, selected, week: week() });
  $("#now").hidden = !look.results.some((one) => dayOf(one.starts_at) === today()) && desk.day !== today();
  if (!$("#now").hidden) drawNow($("#now"), look);
  drawAlarms($("#alarms"), look);
  drawTurnovers($("#turnovers"), look);
  if (turnedOver && !document.querySelector("dialog[open]")) showTurnover(turnedOver);
  drawFilters();
}

function drawFilters() {
  replace($("#filters"), Object.keys(FILTERS).map((name) => h("button", {
    type: "button", "aria-pressed": String(name === filter),
    onclick: () => { filter = name; draw(); },
  }, `${t(`desk.filter.${name}`)} ${look.results.filter(FILTERS[name]).length}`)));
}

// What is looked at is part of the address; the week is read from its Monday.
function address(changes = {}) {
  const at = { day: desk.day, view: mode, kind, ...changes };
  return `/console/desk/?${new URLSearchParams(Object.entries(at).filter(([, value]) => value))}`;
}

function drawTools() {
  replace($("#views"), MODES.map((name) => h("button", {
    type: "button", "aria-pressed": String(name === mode), "data-view": name,
    onclick: () => show(name),
  }, t(`board.view.${name}`))));
  replace($("#kinds"), KINDS.map((name) => h("option", { value: name }, t(`board.kind.${name}`))));
  $("#kinds").value = kind;
  const lines = linesOf(look, kind);
  replace($("#line"), h("option", { value: "" }, t("board.all")), lines.map((line) => h("option", { value: line.key }, named(line))));
  $("#line").value = lines.some((line) => line.key === key) ? key : "";
  $("#line-field").hidden = mode !== "week";
  $("#filters").hidden = mode !== "list";
}

async function show(name) {
  const before = week();
  mode = name;
  history.replaceState(null, "", address());
  if ((name === "week") !== before) await news.now();
  drawTools();
  drawDay();
  draw();
  $(`#views [data-view="${name}"]`).focus();
}

function idle() {
  letGo();
  replace(panel, h("p", { class: "muted" }, t("desk.pick")), h("p", { class: "hint" }, t("board.keys")));
  draw();
}

// Opens one booking on the right: the whole name comes with the record, and the log has it.
function select(id) {
  carry.forget();
  turnedOver = null;
  selected = id;
  panel.dataset.exam = id;
  board.select(id);
  drawList($("#day-list"), look.results, { filter, selected, week: week() });
  opened = lasting(exam(id));
  showDetail(panel, id, { onChanged: async (changed) => { await news.now(); if (changed) { select(changed.id); keepFocus(id); } }, onClose: () => { idle(); board.block(id)?.focus(); } });
}

// Everything else that takes the panel lets go of the exam and of the turnover that was there.
function letGo() {
  selected = null;
  turnedOver = null;
  delete panel.dataset.exam;
  board.select(null);
}

function showTurnover(id) {
  const row = look.turnovers.find((one) => one.id === id);
  const wanted = JSON.stringify(row ?? null);
  if (!row || (turnedOver === id && wanted === turnedOverShown)) return;
  if (turnedOver !== id) letGo();
  turnedOver = id;
  turnedOverShown = wanted;
  replace(panel, turnoverCard(row, { onChange: () => news.now(), onError: (error) => { noticeError(error); news.now(); } }));
}

function startBooking() {
  letGo();
  replace(panel, findForm({ onPatient: book, onRegister: register }));
  $("#find-patient").focus();
}

function register(name) {
  replace(panel, registerForm({ name, onPatient: book, onBack: startBooking }));
  $("input", panel).focus();
}

function book(patient) {
  replace(panel, bookForm({ patient, day: desk.day, mayDisplace: desk.may_displace, onChangePatient: startBooking, onBooked: booked }));
  panel.scrollTop = 0;
}

async function booked(made) {
  if (dayOf(made.starts_at) !== desk.day) return location.assign(address({ day: dayOf(made.starts_at), exam: made.id }));
  await news.now();
  return select(made.id);
}

// What was pressed is gone with the panel's old words: the keyboard goes on from the booking, or from its panel.
function keepFocus(id) {
  if (document.activeElement === document.body) (board.block(id) || panel).focus();
}

// Who came by keyboard goes on from the block: M takes it up, Tab leads to what can be done with it.
function goTo(id) {
  select(id);
  const block = board.block(id);
  block?.scrollIntoView({ block: "center", inline: "nearest" });
  (block?.checkVisibility() ? block : panel).focus({ preventScroll: true });
}

function found(one) {
  if (exam(one.id)) return goTo(one.id);
  return location.assign(address({ day: dayOf(one.starts_at), exam: one.id }));
}

function drawDay() {
  const { day } = desk, step = mode === "week" ? 7 : 1;
  const first = monday(day);
  $("#day-title").textContent = mode === "week" ? `${first} – ${addDays(first, 6)}`
    : day === today() ? `${t("today")} · ${day} ${weekday(day)}` : `${day} ${weekday(day)}`;
  $("#day-previous").href = address({ day: addDays(day, -step) });
  $("#day-next").href = address({ day: addDays(day, step) });
  $("#day-today").href = address({ day: "" });
  $("#day-input").value = day;
  $("#print-title").textContent = `${desk.hospital} · ${$("#day-title").textContent}`;
}

async function moved(id) {
  await news.now();
  drawLate();
  if (id) { board.block(id)?.focus(); if (selected === id) select(id); }
}

function drawLate() {
  if (late) onBoard(late);
}

// News of the exam that is open on the right are shown there too, unless a dialog or a form is open over it.
function onBoard(answer) {
  seen = Date.now();
  $("#stale").hidden = true;
  if (carry.busy()) { late = answer; return; }
  late = null;
  const kinds = JSON.stringify(look.lines.map((line) => line.key));
  look = answer;
  if (kinds !== JSON.stringify(look.lines.map((line) => line.key))) drawTools();
  draw();
  const changed = opened && exam(selected) && opened !== lasting(exam(selected));
  if (changed && !document.querySelector("dialog[open]")) select(selected);
}

// All of a row but its link, which changes every few seconds while an exam runs.
function lasting(row) {
  return row ? JSON.stringify({ ...row, link: null }) : "";
}

function onState(state) {
  const lost = state !== "open" && state !== "connecting";
  document.body.dataset.news = state;
  if (!lost) return;
  $("#stale").hidden = state !== "stale" && state !== "signed_out";
  $("#stale").textContent = t("board.stale", { time: clockSeconds(seen) });
}

const news = watch({
  path: () => (mode === "week" ? `board?day=${monday(desk.day)}&days=7` : `board?day=${desk.day}`),
  onBoard, onState,
  running: () => look.results.some((one) => ["ready", "live", "paused"].includes(one.state)),
});

$("#day-input").addEventListener("change", (event) => { if (event.target.value) location.assign(address({ day: event.target.value })); });
$("#day-list").addEventListener("click", (event) => {
  const row = event.target.closest("tr[data-id]");
  if (row) select(row.dataset.id);
});
for (const place of ["#now", "#alarms"]) $(place).addEventListener("click", (event) => {
  const button = event.target.closest("button[data-id]");
  if (!button) return;
  select(button.dataset.id);
  board.block(button.dataset.id)?.scrollIntoView({ block: "center", inline: "nearest" });
});
$("#turnovers").addEventListener("click", (event) => {
  const button = event.target.closest("button[data-turnover]");
  if (button) showTurnover(button.dataset.turnover);
});
$("#kinds").addEventListener("change", (event) => { kind = event.target.value; key = ""; history.replaceState(null, "", address()); drawTools(); draw(); });
$("#line").addEventListener("change", (event) => { key = event.target.value; draw(); });
$("#new-booking").addEventListener("click", startBooking);
$("#print-day").addEventListener("click", () => window.print());
arrivals($("#arrival"), { rooms: linesOf(look, "room"), onArrived: async (id) => { await news.now(); if (exam(id)) select(id); } });
boardSearch($("#board-search"), { panel, onResults: letGo, onPick: found });
// Time goes on without news: the line of now, who is late, who waits how long.
setInterval(() => { if (!carry.busy()) draw(); }, 20_000);

drawTools();
drawDay();
draw();
const wanted = asked.get("exam");
if (wanted && exam(wanted)) goTo(wanted);
else {
  startBooking();
  board.node.querySelector(".now")?.scrollIntoView({ block: "center" });
  window.scrollTo(0, 0);
}
if (mode === "week") news.now();
