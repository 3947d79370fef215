// Today's exams at the bedside: the next one large, the rest in order.
import { $, data, h, replace } from "./dom.js";
import { noticeError } from "./errors.js";
import { byTime, either, OVER, patientLine, stateBadge, waitingText } from "./exams.js";
import { refresh } from "./refresh.js";
import { t } from "./texts.js";
import { turnoverCard } from "./turnover.js";
import { clock, clockSeconds } from "./when.js";

const may = data("may-data");
const URGENT = ["live", "paused", "ready", "checked_in"];

function card(exam, next) {
  const over = OVER.has(exam.state);
  return h("article", { class: `exam-card${next ? " next" : ""}${over ? " over" : ""}`, "aria-label": exam.patient.name },
    h("time", { datetime: exam.starts_at }, clock(exam.starts_at)),
    h("div", {}, h("div", { class: "patient" }, exam.patient.name),
      h("div", { class: "muted" }, patientLine(exam.patient)),
      h("div", { class: "muted" }, `${either(exam.exam_type)} · ${either(exam.room)} · ${t("who.remote")} ${exam.remote_physician.name}`)),
    h("div", { class: "side" }, stateBadge(exam.state), h("span", { class: "muted" }, waitingText(exam))),
    !over && may.open && h("a", { class: `button${next ? " primary" : ""}`, href: `/console/bedside/${exam.id}/` }, t("open")));
}

function draw(exams) {
  const sorted = [...exams].sort(byTime);
  const open = sorted.filter((exam) => !OVER.has(exam.state));
  const next = open.find((exam) => URGENT.includes(exam.state)) || open[0];
  const later = open.filter((exam) => exam !== next);
  const over = sorted.filter((exam) => OVER.has(exam.state));
  const group = (key, list, big) => list.length > 0 && [h("h2", { class: "group-title" }, t(key)), list.map((exam) => card(exam, big))];
  replace($("#exam-list"), sorted.length
    ? [group("bedside.next", next ? [next] : [], true), group("bedside.later", later, false), group("bedside.finished", over, false)]
    : h("p", { class: "empty" }, t("bedside.empty")));
}

// What must be done before the next patient: the open ones first, those of the tablet's own room before other rooms'.
// Drawn again only when something changed.
const rank = (row) => (row.open.length > 0 ? 0 : 2) + (may.room_id && row.room?.id !== may.room_id ? 1 : 0);
let owed = [];
let shownOwed = "";
function drawOwed(rows) {
  owed = [...rows].sort((a, b) => rank(a) - rank(b));
  if (JSON.stringify(owed) === shownOwed || document.querySelector("dialog[open]")) return;
  shownOwed = JSON.stringify(owed);
  replace($("#turnovers"), owed.filter((row) => row.due).map((row) => turnoverCard(row, {
    onChange: (changed) => { drawOwed(owed.map((one) => (one.id === changed.id ? changed : one))); },
    onError: (error) => { noticeError(error); news.now(); },
  })));
}

let seen = Date.now();
drawOwed(data("turnovers-data") || []);
const news = refresh({ path: "turnovers", onData: drawOwed, onStale: () => {} });
draw(data("exams-data") || []);
refresh({
  path: "exams?at_hand=true",
  onData: (results) => { seen = Date.now(); $("#updated").textContent = t("my_day.updated", { time: clockSeconds(seen) }); draw(results); },
  onStale: () => { $("#updated").textContent = t("my_day.stale", { time: clockSeconds(seen) }); },
});
