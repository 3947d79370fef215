// The screen in the waiting room: the number that is called, big and spoken; who is next. Names stay masked.
import { call } from "./api.js";
import { $, busy, data, h, replace, say as write } from "./dom.js";
import { watch } from "./desk_news.js";
import { clearError, showError } from "./errors.js";
import { either } from "./exams.js";
import { say } from "./spoken.js";
import { t } from "./texts.js";
import { clock, clockSeconds } from "./when.js";

const NEXT_N = 6; // design value: as many fit on a screen read from five metres
const words = data("spoken-data"); // Chinese on every page: the patients are
let queue = data("queue-data");
let heard = new Map(); // exam id -> how often it was called, as this screen knows it
let voice = false;
let seen = Date.now();

// The newest call that still stands.
const called = () => queue.waiting.filter((row) => row.called).sort((a, b) => b.called_at.localeCompare(a.called_at))[0] || null;

// What is said, with the star of a masked name as people read it.
const sentence = (row) => words.call.replace("{number}", row.number).replace("{name}", row.name_masked.replaceAll("*", words.star)).replace("{room}", queue.room.name);

function item(row) {
  const late = row.begins_at && Date.parse(row.begins_at) - Date.parse(row.starts_at) > 60000;
  return h("li", {}, h("strong", { class: "num" }, row.number), h("span", {}, row.name_masked),
    h("span", { class: "num" }, clock(late ? row.begins_at : row.starts_at), late && h("em", {}, ` ${t("calls.late")}`)));
}

function draw() {
  const now = called();
  write($("#room"), either(queue.room));
  write($("#call-number"), now ? now.number : "–");
  write($("#call-name"), now ? now.name_masked : t("calls.nobody"));
  write($("#call-words"), now ? t("calls.come", { room: either(queue.room) }) : "");
  const next = queue.waiting.filter((row) => !row.called).slice(0, NEXT_N);
  replace($("#next"), next.length ? next.map(item) : h("li", { class: "muted" }, t("calls.none")));
  for (const name of ["#call-again", "#call-pass"]) $(name).disabled = !now;
  $("#call-next").disabled = !next.length;
}

// A call that this screen has not heard yet is said, twice as at every hospital.
async function speak() {
  const now = called();
  const fresh = now && heard.get(now.exam_id) !== now.calls;
  heard = new Map(queue.waiting.map((row) => [row.exam_id, row.calls]));
  if (!fresh) return;
  $(".calls-now").classList.remove("fresh");
  requestAnimationFrame(() => $(".calls-now").classList.add("fresh"));
  if (!voice) return;
  const spoken = await say(sentence(now) + sentence(now));
  $("#problem").textContent = spoken ? "" : t("calls.no_voice");
}

function onQueue(answer) {
  seen = Date.now();
  $("#stale").hidden = true;
  queue = answer;
  draw();
  speak();
}

function give(button, path) {
  $(button).addEventListener("click", () => busy($(button), async () => {
    clearError($("#problem"));
    try {
      await call("POST", path(), {});
    } catch (error) {
      showError($("#problem"), error);
    }
    await news.now();
  }));
}

function drawVoice() {
  $("#voice").setAttribute("aria-pressed", String(voice));
  write($("#voice span"), t(voice ? "calls.voice_on" : "calls.voice_off"));
}

const news = watch({
  path: () => `rooms/${queue.room.id}/queue`,
  onBoard: onQueue,
  running: () => false,
  onState: (state) => {
    document.body.dataset.news = state;
    if (state !== "stale" && state !== "signed_out") return;
    $("#stale").hidden = false;
    $("#stale").textContent = t("board.stale", { time: clockSeconds(seen) });
  },
});

give("#call-next", () => `rooms/${queue.room.id}/queue`);
give("#call-again", () => `exams/${called()?.exam_id}/call`);
give("#call-pass", () => `exams/${called()?.exam_id}/pass`);
// Browsers speak only after a press: this button is that press.
$("#voice").addEventListener("click", () => { voice = !voice; drawVoice(); if (voice && called()) say(sentence(called())); });
$("#full").addEventListener("click", () => (document.fullscreenElement ? document.exitFullscreen() : document.documentElement.requestFullscreen()));
setInterval(() => write($("#clock"), clock(Date.now())), 1000);
write($("#clock"), clock(Date.now()));
heard = new Map(queue.waiting.map((row) => [row.exam_id, row.calls]));
drawVoice();
draw();
