// When and with whom: the part that booking and moving share. Shows what that day already takes, before asking.
import { call } from "./api.js";
import { field, h, replace, s } from "./dom.js";
import { DROPPED, either, nameOf } from "./exams.js";
import { t } from "./texts.js";
import { addDays, clock, day, minutesOfDay, moment, readClock, today } from "./when.js";

const FROM_MIN = 7 * 60, TO_MIN = 20 * 60; // the track shows 07:00-20:00
export const PARTS = ["remote_physician", "bedside_physician", "assistant", "robot", "room"];
const PEOPLE = ["remote_physician", "bedside_physician", "assistant"];
const WORDS = { remote_physician: "who.remote", bedside_physician: "who.bedside", assistant: "who.assistant", robot: "who.robot", room: "who.room" };

let choices = null;
// Everything that can be booked, asked once a page: {exam_types, remote_physician, bedside_physician, assistant, robot, room}.
export async function loadChoices() {
  if (choices) return choices;
  const [types, remote, bedside, assistants, robots, rooms] = await Promise.all([
    call("GET", "exam-types"), call("GET", "practitioners?role=remote_physician"),
    call("GET", "practitioners?role=bedside_physician"), call("GET", "practitioners?role=assistant"), call("GET", "robots"), call("GET", "resources?kind=room"),
  ]);
  choices = { exam_types: types.results, remote_physician: remote.results, bedside_physician: bedside.results, assistant: assistants.results, robot: robots.results, room: rooms.results };
  return choices;
}

const idOf = (thing) => thing.user_id || thing.id;
function label(part, thing) {
  const extra = part === "robot" ? (thing.online === undefined ? "" : t(thing.online ? "robot.online" : "robot.offline")) : part === "room" ? "" : (document.documentElement.lang === "en" && thing.institution_en) || nameOf(thing.institution);
  return extra ? `${either(thing)} · ${extra}` : either(thing);
}

function picker(part, things, chosen) {
  const node = h("select", { required: part !== "assistant", name: part }, h("option", { value: "" }, t("book.choose")),
    things.map((thing) => h("option", { value: idOf(thing) }, label(part, thing))));
  node.value = chosen || (things.length === 1 && part !== "assistant" ? idOf(things[0]) : "");
  return node;
}

// The next quarter of an hour from now for today, 09:00 for another day.
function firstTime(dayText) {
  if (dayText !== today()) return "09:00";
  return clock(Math.ceil((Date.now() + 60000) / 900000) * 900000);
}

function track(busy, want) {
  const x = (minute) => ((Math.min(TO_MIN, Math.max(FROM_MIN, minute)) - FROM_MIN) / (TO_MIN - FROM_MIN)) * 390;
  const bar = (row, name) => s("rect", { class: name, x: x(row.from), width: Math.max(2, x(row.to) - x(row.from) - 1), y: 3, height: 16, rx: 2 });
  const clash = want ? busy.some((row) => row.from < want.to && row.to > want.from) : false;
  const hours = [8, 10, 12, 14, 16, 18].map((hour) => s("line", { x1: x(hour * 60), x2: x(hour * 60), y1: 0, y2: 22, stroke: "#cfd9de" }));
  const words = busy.map((row) => row.words).join(", ");
  return s("svg", { viewBox: "0 0 390 22", preserveAspectRatio: "none", role: "img", "aria-label": words ? t("book.busy", { time: words }) : t("none") },
    s("rect", { class: "track", x: 0, y: 1, width: 390, height: 20, rx: 3 }), hours, busy.map((row) => bar(row, want && row.from < want.to && row.to > want.from ? "busy clash" : "busy")),
    want && bar(want, clash ? "want bad" : "want"));
}

// slotFields({choices, initial, minutes(), assistant() -> whether one is needed, onTouched() after a change by hand})
//   -> {nodes, read() -> body, missing() -> labels, day(), people(), team(), put(starts_at, ids by part)}
export function slotFields({ choices: from, initial = {}, exceptId = "", minutes, assistant = () => false, onTouched = () => {} }) {
  const startDay = initial.starts_at ? day(initial.starts_at) : initial.day || today();
  const dayInput = h("input", { type: "date", value: startDay, min: today(), max: addDays(today(), 365), required: true });
  const time = h("input", { value: initial.starts_at ? clock(initial.starts_at) : firstTime(startDay), required: true, inputmode: "numeric", autocomplete: "off", maxlength: 5, class: "num", title: t("book.time_hint") });
  const hint = h("p", { class: "hint", "aria-live": "polite" });
  const pickers = Object.fromEntries(PARTS.map((part) => [part, picker(part, from[part], initial[part])]));
  const lanes = h("div", { class: "lanes" });
  const helper = field(t("who.assistant"), pickers.assistant);
  const parts = () => PARTS.filter((part) => part !== "assistant" || assistant());
  let exams = [];

  function wanted() {
    const at = readClock(time.value);
    if (!at) return null;
    const start = minutesOfDay(moment(dayInput.value || today(), at));
    return { from: start, to: start + minutes() };
  }

  function busyOf(part) {
    const id = pickers[part].value;
    return exams.filter((exam) => exam.id !== exceptId && !DROPPED.has(exam.state) && exam[part] && exam[part].id === id)
      .map((exam) => ({ from: minutesOfDay(exam.starts_at), to: minutesOfDay(exam.ends_at), words: `${clock(exam.starts_at)}–${clock(exam.ends_at)}` }));
  }

  function draw() {
    helper.hidden = !assistant();
    const want = wanted();
    const at = readClock(time.value);
    const start = at && dayInput.value ? moment(dayInput.value, at) : null;
    hint.className = start && start.getTime() > Date.now() - 300000 ? "hint" : "hint bad";
    hint.textContent = !start ? t("book.time_bad") : start.getTime() < Date.now() - 300000 ? t("book.past") : t("book.minutes", { n: minutes(), end: clock(start.getTime() + minutes() * 60000) });
    replace(lanes, parts().filter((part) => pickers[part].value).map((part) => {
      const busy = busyOf(part);
      const clash = want && busy.some((row) => row.from < want.to && row.to > want.from);
      return [h("span", {}, t(WORDS[part]), clash && h("strong", {}, ` ! ${t("book.busy_mark")}`)), track(busy, want)];
    }));
  }

  async function loadDay() {
    exams = [];
    draw();
    if (!dayInput.value) return;
    const asked = dayInput.value;
    const answer = await call("GET", `exams?day=${asked}`).catch(() => ({ results: [] })); // the lanes are a hint; booking itself decides
    if (asked === dayInput.value) { exams = answer.results; draw(); }
  }

  for (const node of [dayInput, time, ...Object.values(pickers)]) node.addEventListener("change", onTouched);
  dayInput.addEventListener("change", loadDay);
  time.addEventListener("input", draw);
  time.addEventListener("change", () => { time.value = readClock(time.value) || time.value; });
  for (const node of Object.values(pickers)) node.addEventListener("change", draw);
  loadDay();
  // A found time: what it names is chosen in the form.
  function put(startsAt, team) {
    dayInput.value = day(startsAt);
    time.value = clock(startsAt);
    for (const part of parts()) if (team[part]) pickers[part].value = team[part];
    loadDay();
  }

  const team = () => Object.fromEntries(parts().map((part) => [part, pickers[part].value]));
  const helped = () => (assistant() ? { assistant_id: pickers.assistant.value } : {});
  const pair = (...nodes) => h("div", { class: "row" }, nodes);
  return {
    nodes: [
      pair(field(t("who.remote"), pickers.remote_physician), field(t("who.bedside"), pickers.bedside_physician)),
      helper,
      pair(field(t("who.robot"), pickers.robot), field(t("who.room"), pickers.room)),
      pair(field(t("book.day"), dayInput), field(t("book.time"), time)),
      hint, lanes,
    ],
    draw,
    refresh: loadDay,
    day: () => dayInput.value || today(),
    people: () => PEOPLE.filter((part) => parts().includes(part) && pickers[part].value).map((part) => pickers[part].value),
    team,
    put,
    missing: () => [...parts().filter((part) => !pickers[part].value).map((part) => t(WORDS[part])), ...(readClock(time.value) && dayInput.value ? [] : [t("book.time")])],
    read: () => ({
      remote_physician_id: pickers.remote_physician.value, bedside_physician_id: pickers.bedside_physician.value,
      robot_id: pickers.robot.value, room_id: pickers.room.value, ...helped(),
      starts_at: moment(dayInput.value, readClock(time.value)).toISOString(),
    }),
  };
}
