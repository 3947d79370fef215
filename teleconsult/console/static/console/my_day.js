// The remote physician's day: own exams, who waits for how long, a bell when one is ready.
import { $, data, h, icon, replace } from "./dom.js";
import { notice } from "./errors.js";
import { byTime, either, hospital, OVER, patientLine, stateBadge, waitingText } from "./exams.js";
import { refresh } from "./refresh.js";
import { t } from "./texts.js";
import { clock, clockSeconds } from "./when.js";

const SCAN = ["ready", "live", "paused"];
// What wants the physician now comes first; the order of the day is kept inside each group.
const GROUPS = { now: SCAN, write: ["ended"], later: ["checked_in", "booked"], over: ["reported", "aborted", "cancelled", "no_show"] };
let states = new Map();
let sound = null;

function action(exam, next) {
  const style = `button${next ? " primary" : ""}`;
  if (exam.state === "ended") return h("a", { class: "button primary", href: `/console/exams/${exam.id}/report/` }, t("my_day.write"));
  if (exam.state === "reported") return h("a", { class: "button", href: `/console/exams/${exam.id}/report/` }, t("my_day.read"));
  if (OVER.has(exam.state)) return null;
  return h("a", { class: style, href: `/console/exams/${exam.id}/` }, t(SCAN.includes(exam.state) ? "my_day.enter" : "my_day.look"));
}

function card(exam, next) {
  return h("article", { class: `exam-card${next ? " next" : ""}${OVER.has(exam.state) && exam.state !== "ended" ? " over" : ""}`, "aria-label": exam.patient.name },
    h("time", { datetime: exam.starts_at }, clock(exam.starts_at)),
    h("div", {}, h("div", { class: "patient" }, exam.patient.name), h("div", { class: "muted" }, patientLine(exam.patient)),
      h("div", { class: "muted" }, `${either(exam.exam_type)} · ${hospital(exam, "requesting")} · ${t("who.bedside")} ${exam.bedside_physician.name}`)),
    h("div", { class: "side" }, stateBadge(exam.state), h("span", { class: "muted" }, waitingText(exam))),
    action(exam, next) || h("span", {}));
}

function draw(exams) {
  const sorted = [...exams].sort(byTime);
  const next = sorted.find((exam) => ["live", "paused"].includes(exam.state)) || sorted.find((exam) => exam.state === "ready");
  const groups = Object.entries(GROUPS).map(([name, states]) => [name, sorted.filter((exam) => states.includes(exam.state))]);
  replace($("#exam-list"), sorted.length
    ? groups.filter(([, list]) => list.length).map(([name, list]) => [h("h2", { class: "group-title" }, t(`my_day.group.${name}`)), list.map((exam) => card(exam, exam === next))])
    : h("p", { class: "empty" }, t("my_day.empty")));
  $("#summary").textContent = sorted.length ? t("my_day.summary", {
    n: sorted.length, ready: sorted.filter((exam) => exam.state === "ready").length, reports: sorted.filter((exam) => exam.state === "ended").length,
  }) : "";
}

// Two short tones. Browsers allow sound only after a press: the bell button is that press.
function ring() {
  if (!sound) return;
  [880, 1174].forEach((frequency, i) => {
    const tone = new OscillatorNode(sound, { frequency });
    const volume = new GainNode(sound, { gain: 0.15 });
    tone.connect(volume).connect(sound.destination);
    tone.start(sound.currentTime + i * 0.25);
    tone.stop(sound.currentTime + i * 0.25 + 0.2);
  });
}

function compare(exams) {
  for (const exam of exams) {
    if (exam.state === "ready" && states.has(exam.id) && states.get(exam.id) !== "ready") {
      notice(t("my_day.ready_now", { name: exam.patient.name }), "note");
      document.title = `◆ ${t("my_day.ready_now", { name: exam.patient.name })}`;
      ring();
    }
  }
  states = new Map(exams.map((exam) => [exam.id, exam.state]));
}

function drawBell() {
  const on = sound !== null;
  $("#bell").setAttribute("aria-pressed", String(on));
  replace($("#bell"), icon("bell"), t(on ? "my_day.bell_on" : "my_day.bell_off"));
}

$("#bell").addEventListener("click", () => {
  if (sound) { sound.close(); sound = null; } else { sound = new AudioContext(); ring(); }
  drawBell();
});
drawBell();
const plainTitle = document.title;
window.addEventListener("focus", () => { document.title = plainTitle; });

const first = data("exams-data") || [];
compare(first);
draw(first);
let seen = Date.now();
refresh({
  path: "exams?at_hand=true",
  every_ms: 3000,
  onData: (results) => { seen = Date.now(); $("#updated").textContent = t("my_day.updated", { time: clockSeconds(seen) }); compare(results); draw(results); },
  onStale: () => { $("#updated").textContent = t("my_day.stale", { time: clockSeconds(seen) }); },
});
