// What the board is made of, without the page: columns, where each exam stands, which stand side by side.
import { DROPPED, OVER } from "./exams.js";
import { addDays, day, minutesOfDay, weekday } from "./when.js";

export const KINDS = ["room", "robot", "remote_physician", "bedside_physician"];
export const PX_PER_MIN = 3; // a slot of 20 minutes holds three lines
const OPENS_MIN = 7 * 60, CLOSES_MIN = 18 * 60; // shown at least, design values
const SHORTEST_MIN = 9; // a block is never lower than one line
const english = () => document.documentElement.lang === "en";
const nameOf = (row) => (english() && row.name_en) || row.name;

// The Monday of the week in which a day lies.
export const monday = (dayText) => addDays(dayText, -((new Date(`${dayText}T00:00:00Z`).getUTCDay() + 6) % 7));

// A view is {mode: "day" | "week", kind, key}; `key` picks one calendar for the week.
export function columnsOf(board, view) {
  if (view.mode === "week") {
    return Array.from({ length: 7 }, (_, n) => addDays(board.day, n)).map((date) => ({ id: date, title: `${weekday(date)} ${date.slice(5)}`, line: lineOf(board, view), day: date }));
  }
  return board.lines.filter((line) => line.kind === view.kind)
    .map((line) => ({ id: line.key, title: nameOf(line), line, day: board.day }));
}

export const lineOf = (board, view) => board.lines.find((line) => line.kind === view.kind && line.key === view.key) || null;
export const linesOf = (board, kind) => board.lines.filter((line) => line.kind === kind);
export const columnOf = (exam, view) => (view.mode === "week" ? day(exam.starts_at) : exam[view.kind]?.id);

// The exams of a view: what is dropped takes no place.
export function examsOf(board, view) {
  return board.results.filter((exam) => !DROPPED.has(exam.state) && (view.mode === "day" || !view.key || exam[view.kind]?.id === view.key));
}

// {from, to} in minutes of the day, whole hours.
export function hoursOf(exams) {
  const starts = exams.map((exam) => minutesOfDay(exam.starts_at));
  const ends = exams.map((exam) => minutesOfDay(exam.starts_at) + lengthOf(exam));
  return { from: Math.floor(Math.min(OPENS_MIN, ...starts) / 60) * 60, to: Math.min(1440, Math.ceil(Math.max(CLOSES_MIN, ...ends) / 60) * 60) };
}

export const lengthOf = (exam) => Math.round((Date.parse(exam.ends_at) - Date.parse(exam.starts_at)) / 60000);

// Exams of one column -> [{exam, lane, lanes}]: those that overlap stand side by side.
export function lanesOf(exams) {
  const placed = [];
  let cluster = [], ends = [], until = -1;
  const close = () => { for (const row of cluster) row.lanes = ends.length; cluster = []; ends = []; };
  for (const exam of [...exams].sort((a, b) => a.starts_at.localeCompare(b.starts_at) || a.id.localeCompare(b.id))) {
    const start = minutesOfDay(exam.starts_at), end = start + Math.max(lengthOf(exam), SHORTEST_MIN);
    if (start >= until) close();
    let lane = ends.findIndex((free) => free <= start);
    if (lane < 0) lane = ends.length;
    ends[lane] = end;
    until = Math.max(until, end);
    const row = { exam, lane, lanes: 1, start, length: end - start };
    cluster.push(row);
    placed.push(row);
  }
  close();
  return placed;
}

// Stretches of seconds since 1970 -> [{from, to}] in minutes of one Shanghai day, cut at its ends.
export function bandsOf(spans, date) {
  const midnight = Date.parse(`${date}T00:00:00+08:00`) / 1000;
  return spans.map(([from, to]) => ({ from: (from - midnight) / 60, to: (to - midnight) / 60 }))
    .filter((band) => band.to > 0 && band.from < 1440)
    .map((band) => ({ from: Math.max(0, band.from), to: Math.min(1440, band.to) }));
}

// late: the time has come and nobody is there, or somebody waits past it.
export function lateMs(exam, now) {
  const past = now - Date.parse(exam.starts_at);
  return ["booked", "checked_in", "ready"].includes(exam.state) && past > 60000 ? past : 0;
}

// Who and what is free at a moment, by kind, with the end of it where the board knows one: [{line, until}].
export function freeAt(board, now) {
  const second = now / 1000;
  const holds = (spans) => spans.some(([from, to]) => from <= second && second < to);
  return KINDS.map((kind) => ({
    kind,
    free: linesOf(board, kind)
      .filter((line) => line.online !== false && !line.problem && !holds(line.busy) && !holds(line.closed))
      .map((line) => ({ line, until: Math.min(...[...line.busy, ...line.closed].map(([from]) => from).filter((from) => from > second)) * 1000 })),
  }));
}

export const named = nameOf;
export const isOver = (exam) => OVER.has(exam.state);
