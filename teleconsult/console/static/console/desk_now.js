// The strip above the board, of today: who is late, who has arrived and waits, what runs, who is free now.
import { h, icon, replace } from "./dom.js";
import { linkWords } from "./board.js";
import { freeAt, lateMs, named } from "./board_rows.js";
import { byTime, either, waitingText } from "./exams.js";
import { t } from "./texts.js";
import { isOwed, leftText, where } from "./turnover.js";
import { clock, day, span } from "./when.js";

function entry(exam, text, bad = false) {
  return h("li", {}, h("button", { type: "button", class: "link", "data-id": exam.id }, exam.patient.name_masked), " ",
    h("span", { class: bad ? "small bad-text" : "small" }, text));
}

function group(name, list, rows) {
  return h("section", { class: `now-${name}`, tabindex: 0, "aria-label": t(`board.${name}_title`) },
    h("h2", {}, t(`board.${name}_title`), list !== null && h("span", { class: "count num" }, ` ${list.length}`)),
    rows.length ? h("ul", {}, rows) : h("p", { class: "small muted" }, t(`board.${name}_none`)));
}

function running(exam) {
  const link = linkWords(exam);
  return entry(exam, [t(`state.${exam.state}`), either(exam.room), link?.text].filter(Boolean).join(" · "), link?.bad);
}

// A robot is free, but nobody has made it ready for the next patient.
const waits = (board, line) => board.turnovers.some((row) => isOwed(row) && row.robot.id === line.key);

function freeRows(board, now) {
  return freeAt(board, now).filter((row) => row.kind !== "bedside_physician").map(({ kind, free }) => h("li", {}, h("span", { class: "muted small" }, `${t(`board.kind.${kind}`)} `),
    free.length ? free.map(({ line, until }, n) => [n > 0 && t("list.comma"), h("span", { class: "free" }, named(line), waits(board, line) && h("span", { class: "small bad-text" }, ` ${t("turnover.waits")}`), Number.isFinite(until) && until < now + 86400000 && h("span", { class: "small muted num" }, ` –${clock(until)}`))]) : h("span", { class: "small" }, t("board.nobody"))));
}

// drawNow(node, board, now): nothing on a page that does not show today.
export function drawNow(node, board, now = Date.now()) {
  const exams = board.results.filter((exam) => day(exam.starts_at) === day(now)).sort(byTime);
  const late = exams.filter((exam) => exam.state === "booked" && lateMs(exam, now));
  const waiting = exams.filter((exam) => ["checked_in", "ready"].includes(exam.state));
  const live = exams.filter((exam) => ["live", "paused"].includes(exam.state));
  const made = h("div", {},
    group("late", late, late.map((exam) => entry(exam, t("board.late_by", { time: clock(exam.starts_at), late: span(lateMs(exam, now)) }), true))),
    group("arrived", waiting, waiting.map((exam) => entry(exam, [exam.queue_number, clock(exam.starts_at), waitingText(exam), t(`state.${exam.state}`)].filter(Boolean).join(" · ")))),
    group("running", live, live.map(running)),
    group("free", null, freeRows(board, now)));
  if (made.innerHTML !== node.innerHTML) replace(node, [...made.children]); // what is open under a finger stays so
}

// Robots and rooms that wait for their turnover: a press opens the list on the right.
export function drawTurnovers(node, board) {
  const wanted = JSON.stringify(board.turnovers);
  if (node.turnovers === wanted) return;
  node.turnovers = wanted;
  replace(node, board.turnovers.filter(isOwed).map((row) => h("button", { type: "button", class: "button", "data-turnover": row.id }, t("turnover.board", { where: where(row), left: leftText(row) }))));
}

// What would keep an exam from starting that begins soon; written only when it is another, so that it is read out once.
export function drawAlarms(node, board) {
  const wanted = JSON.stringify(board.alarms);
  if (node.alarms === wanted) return;
  node.alarms = wanted;
  replace(node, board.alarms.map((alarm) => {
    const exam = board.results.find((one) => one.id === alarm.exam_id);
    return exam && h("div", { class: "alarm" }, icon("aborted"), h("div", {},
      h("button", { type: "button", class: "link", "data-id": exam.id }, `${clock(exam.starts_at)} ${exam.patient.name_masked} · ${either(exam.room)}`),
      h("ul", {}, alarm.problems.map((problem) => h("li", {}, problem.title)))));
  }));
}
