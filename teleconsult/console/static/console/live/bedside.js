// The bedside page: the steps to *ready*, then one word, one force bar, and a stop that needs nobody's server.
import { call } from "../api.js";
import { data, replace, s, say } from "../dom.js";
import { t } from "../texts.js";
import { Steps } from "./bedside-steps.js";
import { patientLine } from "./console-panels.js";
import { FORCE_HARD_N, FORCE_SOFT_N } from "./limits.js";
import { Notes, ask, codeWord, deed, inPageLanguage, serverSentence } from "./messages.js";
import { PromptBoard } from "./prompts.js";
import { Session } from "./session.js";
import { bedsideWord, delayWord, explain } from "./state.js";
import { Tones } from "./tones.js";
import { Voice } from "./voice.js";
import { device } from "../tablet_device.js";
import { choosePerson } from "../tablet_panel.js";
import { STATES, TEL_FLAG, has } from "./wire.js";

const SHOW_MS = 50;
const HOLD_TO_CLEAR_MS = 2000;
const GO_MS = 60_000;
const BAR_N = 25;
// A shape for each word: colour is never the only sign.
const SHAPES = {
  moving: "M12 20 50 50 12 80ZM50 20 88 50 50 80Z", rest: "M50 12a38 38 0 1 0 .01 0Z", hold: "M22 14h20v72H22ZM58 14h20v72H58Z",
  stopped: "M31 4h38l27 27v38l-27 27H31L4 69V31Z", lost: "M14 26 26 14 50 38 74 14 86 26 62 50 86 74 74 86 50 62 26 86 14 74 38 50Z",
};
const OVER = new Set(["ended", "reported", "aborted", "cancelled", "no_show"]);
const LIVE_STATES = new Set(["ready", "live", "paused"]);
const place = (id) => document.getElementById(id);
const config = data("page-config");
const base = `exams/${config.exam_id}`;

class Bedside {
  constructor(exam) {
    this.exam = exam;
    this.notes = new Notes(place("notes"));
    this.tones = new Tones();
    this.kind = "";
    this.goAt = -Infinity;
    this.refused = null;
    this.session = new Session({
      config, snapshot: () => null,
      on: {
        message: (message) => this.#message(message), server: (state) => this.#server(state), telemetry: () => {}, ctl: () => {},
        stream: (stream) => this.#stream(stream), linked: () => { this.refused = null; },
        refused: (code, title) => { this.refused = title || codeWord(code); }, stop: (view) => this.#stopped(view),
      },
    });
    // A page in the background cannot stop anything: it does not count as present.
    this.session.stop.present = () => document.visibilityState === "visible";
    const send = (message) => this.session.signalling.send(message);
    this.prompts = new PromptBoard({ examId: config.exam_id, words: data("prompt-words"), send, tones: this.tones });
    this.voice = new Voice({
      offers: false, send, memory: `voice-${config.exam_id}`, onChange: (view) => this.#voice(view), onLevels: (levels) => this.#levels(levels),
    });
    this.steps = new Steps(place("step-list"), place("step-body"), {
      exam: () => this.exam, notes: this.notes, setExam: (found) => this.setExam(found),
      post: (path, body = {}) => this.#post(path, body), request: (type, fields) => this.session.request(type, fields), state: () => STATES[this.session.telemetry?.safety_state],
    });
    this.#deeds();
    this.#changing();
    this.#clearing();
  }

  async start() {
    for (const name of ["keydown", "pointerdown"]) {
      window.addEventListener(name, () => { this.tones.gesture(); this.voice.gesture(); }, { capture: true });
    }
    this.setExam(inPageLanguage(this.exam, { own: true }));
    this.#tab(LIVE_STATES.has(this.exam.state));
    this.#keepAwake();
    this.voice.openMicrophone(); // the voice waits for nothing else
    await this.session.start();
    setInterval(() => this.#show(), SHOW_MS);
  }

  #post(path, body) {
    return call("POST", `${base}/${path}`, body, { staySignedOut: true });
  }

  setExam(exam) {
    const before = this.exam.state;
    this.exam = exam;
    place("patient-name").textContent = exam.patient.name;
    place("patient-facts").textContent = patientLine(exam).join(" · ");
    place("exam-state").textContent = t(`state.${exam.state}`);
    place("exam-state").dataset.state = exam.state;
    place("abort").hidden = !["checked_in", "ready", "live", "paused"].includes(exam.state);
    if (!LIVE_STATES.has(before) && LIVE_STATES.has(exam.state)) this.#tab(true);
    if (["ended", "reported", "aborted"].includes(exam.state) && before !== exam.state) this.notes.say(t("bed.over"));
    this.steps.show();
  }

  #tab(live) {
    place("steps").hidden = live;
    place("live").hidden = !live;
    place("show-live").setAttribute("aria-pressed", String(live));
    place("show-steps").setAttribute("aria-pressed", String(!live));
  }

  async #keepAwake() {
    const hold = async () => {
      if (document.visibilityState !== "visible" || !navigator.wakeLock) return;
      await navigator.wakeLock.request("screen").catch(() => {}); // low battery may refuse; nothing depends on it
    };
    document.addEventListener("visibilitychange", hold);
    await hold();
  }

  #message(message) {
    const handlers = {
      welcome: () => {
        this.voice.welcomed(message.ice_servers);
        if (this.renamed) this.session.link.dial();
        this.renamed = false;
        this.setExam(inPageLanguage(message.exam, { own: false }));
      },
      exam: () => this.setExam(inPageLanguage(message.exam, { own: false })),
      console: () => this.#remote(message.present),
      voice: () => { this.#remote(true); this.voice.received(message); },
      prompt: () => this.prompts.told(message),
      error: () => this.notes.say(message.title || codeWord(message.code), "bad"),
    };
    handlers[message.type]?.();
  }

  #remote(present) {
    place("remote-there").dataset.there = present;
    place("remote-there").textContent = `${t("bed.remote")} ${t(present ? "live.present" : "live.absent")}`;
    this.voice.other(present);
  }

  #levels({ mine, theirs }) {
    place("level-mine").value = mine;
    place("level-theirs").value = theirs;
  }

  #server(state) {
    place("server").hidden = state === "open" || state === "connecting";
    place("server").textContent = serverSentence("bed", state);
    if (["replaced", "over", "not_yours"].includes(state)) this.voice.end(); // the robot link stays: a stop is still a stop
  }

  #stream(stream) {
    const video = place("video");
    video.srcObject = stream;
    video.onplaying = () => { place("waiting").hidden = true; };
    video.play().catch(() => {});
  }

  #deeds() {
    const on = (id, run) => deed(place(id), this.notes, run);
    const flag = (bit) => this.session.telemetry !== null && has(this.session.telemetry, bit);
    on("go", async () => {
      await this.session.request("go");
      this.goAt = performance.now();
    });
    on("lift", () => this.session.request("lift"));
    on("place-again", () => this.session.request("place"));
    on("gentler", () => this.session.request("gentler", { on: !flag(TEL_FLAG.GENTLE) }));
    on("hand", () => this.session.request("hand_guide", { on: !flag(TEL_FLAG.HAND_GUIDE) }));
    on("talk", () => this.voice.toggleMicrophone());
    on("hurt", async () => {
      this.session.signalling.send({ type: "hurt" });
      await this.session.request("gentler", { on: true });
      this.notes.say(t("bed.hurt.sent"));
    });
    on("abort", async () => {
      const form = await ask(place("abort-dialog"));
      if (form) this.setExam(await this.#post("abort", { code: form.get("code"), reason: form.get("reason") }));
    });
    place("show-steps").onclick = () => this.#tab(false);
    place("show-live").onclick = () => this.#tab(true);
    place("tone").onclick = () => {
      this.tones.on = !this.tones.on;
      place("tone").setAttribute("aria-pressed", String(this.tones.on));
      place("tone").textContent = t(this.tones.on ? "bed.tone.on" : "bed.tone.off");
    };
    // Touch-down, not release; the click is for keyboards only.
    place("stop").addEventListener("pointerdown", (event) => { event.preventDefault(); this.session.stop.press(); });
    place("stop").addEventListener("click", (event) => event.detail === 0 && this.session.stop.press());
    place("red").addEventListener("pointerdown", (event) => { if (event.target.id !== "red-dismiss") this.session.stop.press(); });
    place("red-dismiss").onclick = () => this.session.stop.dismiss();
  }

  // Another person at the couch, on this page: the link to the robot and its stop stay; the socket comes back as theirs,
  // and a new connection in their name is made before the old one is let go.
  async #changing() {
    const button = place("change-person");
    const panel = place("tablet-panel");
    place("stands-here").textContent = config.user_name;
    button.hidden = (await device()) === null;
    const close = () => { panel.hidden = true; replace(panel); button.setAttribute("aria-expanded", "false"); };
    button.onclick = () => {
      if (!panel.hidden) { close(); return; }
      panel.hidden = false;
      button.setAttribute("aria-expanded", "true");
      choosePerson(panel, { examId: config.exam_id, onCancel: close, onChanged: (person) => { close(); this.#changed(person); } });
    };
  }

  #changed(person) {
    place("stands-here").textContent = person.name;
    config.user_id = person.id;
    config.user_name = person.name;
    this.renamed = true;
    this.session.signalling.stop();
    this.session.signalling.start();
    this.notes.say(t("tablet.changed", { name: person.name }));
  }

  #stopped({ phase, ms, handed }) {
    const words = {
      none: t("bed.stop.hint"), sent: handed ? t("bed.stop.sent") : t("bed.stop.unlinked"), latched: t("bed.stop.latched"),
      rest: t("bed.stop.rest", { ms }), held: t("bed.word.stopped"), unknown: t("bed.word.lost"), unanswered: t("bed.red.title"), dismissed: t("bed.red.still"),
    };
    place("stop").dataset.phase = phase;
    place("stop-note").textContent = words[phase];
    place("red").hidden = phase !== "unanswered";
    if (phase === "unanswered") this.tones.play("lost");
    if (phase === "sent") this.#tab(true);
  }

  // Held for two seconds, with both lines ticked; the robot decides.
  #clearing() {
    const button = place("clear-hold");
    const ready = () => place("clear-cause").checked && place("clear-well").checked;
    const off = () => {
      clearTimeout(this.clearTimer);
      button.classList.remove("holding");
    };
    place("clear").onchange = () => { button.disabled = !ready(); };
    const begin = (event) => {
      if (!ready() || button.classList.contains("holding")) return;
      event.preventDefault();
      button.classList.add("holding");
      this.clearTimer = setTimeout(() => { off(); this.#clear(); }, HOLD_TO_CLEAR_MS);
    };
    button.addEventListener("pointerdown", begin);
    button.addEventListener("keydown", (event) => event.code === "Space" && !event.repeat && begin(event));
    for (const name of ["pointerup", "pointercancel", "pointerleave", "keyup", "blur"]) button.addEventListener(name, off);
  }

  async #clear() {
    const { telemetry } = this.session;
    if (!telemetry) return;
    try {
      await this.session.request("clear_stop", { cause: telemetry.stop_cause, patient_well: true });
      this.notes.say(t("bed.clear.done"));
    } catch (error) {
      this.notes.error(error);
    }
    for (const id of ["clear-cause", "clear-well"]) place(id).checked = false;
    place("clear-hold").disabled = true;
  }

  #voice({ state, mic, heard, blocked }) {
    const talking = mic === "on";
    place("talk").setAttribute("aria-pressed", String(talking));
    const problem = { denied: t("live.voice.denied"), none: t("live.voice.no_device") }[mic];
    place("talk-hint").textContent = `${t(talking ? "bed.talk.on" : "bed.talk.off")} · ${blocked ? t("bed.voice.blocked") : state === "on" && !heard ? t("live.voice.quiet") : t(`live.voice.${state}`)}`;
    if (blocked && !this.wasBlocked) this.notes.say(t("bed.voice.blocked"), "bad");
    this.wasBlocked = blocked;
    if (problem && this.saidMic !== mic) this.notes.say(problem, "bad");
    this.saidMic = mic;
  }

  #show() {
    const { telemetry, linked } = this.session;
    const view = bedsideWord({ telemetry, linked, remoteName: this.exam.remote_physician.name });
    if (view.kind !== this.kind) {
      this.kind = view.kind;
      this.tones.play(view.kind);
      place("word").dataset.kind = view.kind;
      replace(place("shape"), s("path", { d: SHAPES[view.kind] }));
    }
    const told = linked ? explain(telemetry, "bed") : null;
    const lost = OVER.has(this.exam.state) ? t("bed.over") : this.session.link.current ? t("bed.robot.lost") : this.refused ? t("live.robot.refused", { why: this.refused }) : t("bed.robot.connecting");
    say(place("word-main"), view.word);
    say(place("prompt-robot"), `${t("bed.link")} ${view.word}`); // the prompt covers the word
    place("prompt-robot").dataset.kind = view.kind;
    say(place("word-by"), view.by);
    say(place("word-why"), told?.why ?? "");
    say(place("word-now"), told ? (this.#repositioning(telemetry) ? t("bed.reposition.now") : told.now) : lost);
    this.prompts.show();
    this.#force(telemetry);
    this.#buttons(telemetry);
    this.#link(linked);
    document.body.classList.toggle("on-paper", !place("steps").hidden && this.steps.onPaper && place("stop").dataset.phase === "none");
  }

  #force(telemetry) {
    const force = Math.max(0, telemetry?.force_n ?? 0);
    const share = (newtons) => `${Math.min(100, (100 * newtons) / BAR_N)}%`;
    place("force-fill").style.width = share(force);
    place("force-fill").dataset.level = force >= FORCE_HARD_N ? "hard" : force >= FORCE_SOFT_N ? "soft" : "fine";
    const cap = telemetry?.force_cap_n || FORCE_SOFT_N;
    place("force-cap").style.left = share(cap);
    const contact = telemetry && has(telemetry, TEL_FLAG.CONTACT);
    say(place("force-number"), telemetry ? `${force.toFixed(1)} / ${Number(cap.toFixed(1))} N${contact ? "" : ` · ${t("bed.force.none")}`}` : "–");
  }

  #buttons(telemetry) {
    const flag = (bit) => telemetry !== null && has(telemetry, bit);
    const contact = flag(TEL_FLAG.CONTACT);
    const left = Math.ceil((this.goAt + GO_MS - performance.now()) / 1000);
    const given = flag(TEL_FLAG.GO_VALID) && !contact;
    place("go").hidden = contact;
    place("place-again").hidden = contact || !this.#repositioning(telemetry);
    place("go").dataset.given = given;
    say(place("go-hint"), given ? (left > 0 ? t("bed.go.left", { s: left }) : t("bed.go.given")) : t("bed.go.hint"));
    place("gentler").setAttribute("aria-pressed", String(flag(TEL_FLAG.GENTLE)));
    say(place("gentler-hint"), t(flag(TEL_FLAG.GENTLE) ? "bed.gentler.off" : "bed.gentler.on"));
    place("hand").setAttribute("aria-pressed", String(flag(TEL_FLAG.HAND_GUIDE)));
    say(place("hand-hint"), flag(TEL_FLAG.HAND_GUIDE) ? t("bed.hand.on") : "");
    const latched = flag(TEL_FLAG.LATCHED);
    place("clear").hidden = !latched;
    place("live").classList.toggle("latched", latched);
    if (latched) say(place("clear-cause-text"), t("bed.clear.cause", { cause: explain(telemetry, "bed").why }));
  }

  // Asked to place anew, and nothing more urgent is being said.
  #repositioning(telemetry) {
    return telemetry !== null && has(telemetry, TEL_FLAG.REPOSITION) && !has(telemetry, TEL_FLAG.LATCHED);
  }

  #link(linked) {
    const { ms, kind } = delayWord(linked ? this.session.delay.rttMs : null);
    place("link").dataset.kind = linked ? kind : "lost";
    const doing = linked ? `${t(`live.state.${STATES[this.session.telemetry.safety_state]}`)} ${ms === null ? "" : `${ms} ms`}` : "✕";
    say(place("link"), `${t("bed.link")} ${doing}`);
  }
}

const page = new Bedside(data("exam-data"));
globalThis.liveBedside = page;
page.start();
