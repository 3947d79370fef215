// The remote physician's page: wires the panels, the operator's input and the robot together.
import { call } from "../api.js";
import { data, h, replace, say } from "../dom.js";
import { withStepUp } from "../prove.js";
import { t } from "../texts.js";
import { Arm } from "./arm.js";
import { Picture, READ_MS } from "./bmode.js";
import { Calipers } from "./calipers.js";
import { Cine } from "./cine.js";
import * as panels from "./console-panels.js";
import { Held, delayWord, explain, limitsNow, ownership, refusalWord } from "./state.js";
import { drawEarlier } from "./earlier.js";
import { Gauge } from "./gauge.js";
import { caliperPanel } from "./caliper-panel.js";
import { Thumbnails, Views } from "./imaging-panel.js";
import { pictureControls } from "./picture-controls.js";
import { Input } from "./input.js";
import { Lease } from "./lease.js";
import { FORCE_MAX_N } from "./limits.js";
import { Notes, ask, codeWord, leaseWhy, deed, inPageLanguage, openDialog, serverSentence } from "./messages.js";
import { OperatorPanel } from "./operator-panel.js";
import { PromptSender } from "./prompts.js";
import { Session } from "./session.js";
import { Tones } from "./tones.js";
import { Voice } from "./voice.js";
import { MODE, TEL_FLAG, has } from "./wire.js";

const SHOW_MS = 50; // the page is drawn 20 times a second; commands do not wait for it
const LEVELS = 20; // steps of the voice's meters
const FINAL = new Set(["replaced", "over", "not_yours"]);
const QUALITY_MS = 5000;
const LIMIT_SHOWN_MS = 1500; // a limit that bit for a moment stays readable this long; design value
const OVER = new Set(["ended", "reported", "aborted", "cancelled", "no_show"]);
const place = (id) => document.getElementById(id);
const config = data("page-config");
const base = `exams/${config.exam_id}`;
const post = (path, body = {}) => call("POST", `${base}/${path}`, body, { staySignedOut: true });

class Console {
  constructor(exam) {
    this.exam = exam;
    this.lease = new Lease();
    this.notes = new Notes(place("notes"));
    this.tones = new Tones();
    this.gauge = new Gauge(place("gauge"));
    this.arm = new Arm(place("arm"));
    this.refused = null;
    this.delayAt = 0; // when the delay's numbers are written again
    this.limits = new Held(LIMIT_SHOWN_MS);
    this.input = new Input({
      inControl: () => this.inControl,
      on: {
        stop: () => this.session.stop.press(), action: (name) => this.#action(name), prompt: (key) => this.#prompt(key),
        changed: () => this.operator?.show(),
      },
    });
    this.session = new Session({ config, snapshot: () => this.#snapshot(), on: this.#listeners() });
    this.#picture(); // asks the session whether the picture is frozen
    const send = (message) => this.session.signalling.send(message);
    this.prompts = new PromptSender({
      examId: config.exam_id, send, request: (type, fields) => this.session.request(type, fields), notes: this.notes, tones: this.tones,
      told: (key) => this.operator.prompted(key),
    });
    this.operator = new OperatorPanel({ input: this.input, prompt: (key) => this.#prompt(key), breath: this.prompts.hold, lift: () => this.#lift() });
    this.voice = new Voice({
      offers: true, send, memory: `voice-${config.exam_id}`, onChange: (view) => this.#voice(view), onLevels: (levels) => this.#levels(levels),
    });
    this.views = new Views(place("views"), exam.exam_type.views ?? [], config.lang, {
      reasons: place("view-reasons"), onMissing: (code, reason) => this.#missing(code, reason),
    });
    this.thumbnails = new Thumbnails(place("thumbnails"), (view) => this.views.name(view));
    this.sliders = pictureControls(place("sliders"), (type, fields) => this.session.request(type, fields), (error) => this.notes.error(error));
    this.#deeds();
  }

  async start() {
    this.input.attach();
    this.#show();
    this.setExam(inPageLanguage(this.exam, { own: true }));
    for (const name of ["keydown", "pointerdown"]) {
      window.addEventListener(name, () => { this.tones.gesture(); this.voice.gesture(); }, { capture: true });
    }
    this.voice.openMicrophone(); // the voice waits for nothing else
    await this.session.start();
    setInterval(() => this.session.control.post(), 20);
    setInterval(() => this.#show(), SHOW_MS);
    setInterval(() => this.#quality(), QUALITY_MS);
    this.#earlierPictures();
    drawEarlier(place("earlier"), config.exam_id);
    this.#earlierFrame();
  }

  // Keys move the robot: control is ours, the exam runs, no dialog is open.
  get inControl() {
    return this.lease.mine && this.exam.state === "live" && !document.querySelector("dialog[open]");
  }

  get rttMs() {
    return this.session.delay.rttMs;
  }

  get frozen() {
    return this.session.telemetry !== null && has(this.session.telemetry, TEL_FLAG.FROZEN);
  }

  // The operator's input now, for the worker's 50 Hz loop.
  #snapshot() {
    const { input } = this;
    input.readGamepad();
    const visible = document.visibilityState === "visible";
    const deadman = this.inControl && input.deadman && visible && !this.frozen && this.picture.fresh(this.rttMs);
    return {
      sending: this.lease.mine && visible && this.session.link.current !== null,
      epoch: this.lease.epoch, deadman, force_control: !input.travel, force_setpoint_n: input.forceN,
      mode: input.travel ? MODE.PATIENT_FRAME : 0, twist: input.twist(),
      tel_seq_seen: this.session.telemetry?.tel_seq ?? 0, frame_id_seen: Math.max(0, this.picture.frameId),
    };
  }

  #picture() {
    this.picture = new Picture({
      view: place("view"), video: place("video"), still: place("still"), overlay: place("overlay"), age: place("age"),
      frozenBanner: place("frozen"), waiting: place("waiting"),
    });
    this.calipers = new Calipers({
      picture: this.picture, examId: config.exam_id, onError: (error) => this.notes.error(error),
      onChange: (view) => caliperPanel(place("measures"), view, {
        choose: (kind) => this.calipers.choose(kind), remove: (row) => this.calipers.remove(row),
      }),
    });
    this.cine = new Cine({ root: place("cine"), area: place("view"), on: {
      frozen: () => this.frozen, busy: () => this.calipers.active,
      request: (back) => this.session.request("cine", { back }),
      moved: () => this.picture.fetching(), error: (error) => this.notes.error(error),
    } });
    this.picture.onFrozen = (frame) => this.calipers.setFrame(frame);
  }

  #listeners() {
    return {
      message: (message) => this.#message(message),
      server: (state) => this.#server(state),
      telemetry: (telemetry) => this.#telemetry(telemetry),
      ctl: (message) => this.#ctl(message),
      stream: (stream) => this.picture.setStream(stream),
      linked: (on) => {
        if (!on) this.tones.play("lost");
        this.refused = null;
      },
      refused: (code, title) => { this.refused = title || codeWord(code); },
      stop: (view) => this.#stop(view),
      stats: (stats) => { this.stats = stats; },
    };
  }

  #message(message) {
    const handlers = {
      welcome: () => {
        this.voice.welcomed(message.ice_servers);
        this.lease.lost(); // a new page: control is taken again
        this.setExam(inPageLanguage(message.exam, { own: false }));
      },
      exam: () => this.setExam(inPageLanguage(message.exam, { own: false })),
      lease: () => { this.lease.renewed(message); this.setExam(this.exam); },
      lease_lost: () => {
        this.lease.lost();
        this.input.letGo();
        this.notes.say(t("live.lease.lost", { why: leaseWhy(message.code) }), "bad");
        this.setExam(this.exam);
      },
      frozen: () => {
        const { frameId } = this.cine; // an older one on its way: scrolling went on
        if (frameId === null || frameId === message.frame_id) this.picture.showFrozen(message);
      },
      unfrozen: () => this.picture.showLive(),
      image: () => {
        if (!this.thumbnails.add(message)) return;
        this.views.took(message.view);
        this.notes.say(t("live.captured"));
      },
      bedside: () => this.#bedside(message.present),
      robot: () => { this.robotThere = message.present; },
      bedside_changed: () => this.notes.say(t("live.bedside_changed", { from: message.from, to: message.to })),
      hurt: () => { place("hurts").hidden = false; this.tones.play("hurt"); },
      voice: () => this.voice.received(message),
      prompt_shown: () => this.prompts.answered(message),
      error: () => this.notes.say(message.title || codeWord(message.code), "bad"),
    };
    handlers[message.type]?.();
  }

  setExam(exam) {
    this.exam = exam;
    panels.strip(exam, config.lang);
    panels.clinical(exam);
    panels.gates(exam);
    panels.identity(exam, { submit: (confirmed, button) => this.#run(button, () => post("identify", { confirmed })) });
    panels.concerns(exam, { agree: (button) => this.#run(button, () => post("checklist/agree")) });
    panels.deeds(exam, this.lease.mine);
    const absent = exam.gates.find((gate) => gate.code === "bedside_absent");
    if (absent) this.#bedside(absent.ok);
    this.robotThere = exam.robot.online;
    document.body.dataset.state = exam.state;
    if (exam.state !== "live") this.input.letGo();
    if (OVER.has(exam.state)) place("waiting").hidden = true;
  }

  async #run(button, act) {
    button.disabled = true;
    try {
      this.setExam(await act());
    } catch (error) {
      button.disabled = false;
      this.notes.error(error);
    }
  }

  #bedside(present) {
    place("bedside-there").dataset.there = present;
    place("bedside-there").textContent = `${t("live.bedside")} ${t(present ? "live.present" : "live.absent")}`;
    this.voice?.other(present);
  }

  #server(state) {
    const banner = place("server");
    banner.hidden = state === "open" || state === "connecting";
    if (FINAL.has(state)) this.voice.end();
    if (state === "replaced") this.session.link.close();
    replace(banner, h("span", {}, serverSentence("live", state)),
      state === "replaced" && h("button", { type: "button", onclick: () => location.reload() }, t("live.server.take_back")));
  }

  #telemetry(telemetry) {
    this.picture.telemetry(telemetry);
    if (has(telemetry, TEL_FLAG.CONTACT) && !this.touching && this.input.travel) this.input.setTravel(false); // contact: probe frame again
    this.touching = has(telemetry, TEL_FLAG.CONTACT);
    if (has(telemetry, TEL_FLAG.FROZEN) !== this.picture.frozenWord) {
      this.picture.setFrozenState(this.frozen);
      this.cine.reset();
    }
    if (!this.frozen) this.earlierFrame = null;
    else if (this.earlierFrame && !this.picture.pendingFrozen) this.picture.showFrozen(this.earlierFrame);
    const word = telemetry.refused_n !== this.refusedN && this.refusedN !== undefined ? refusalWord(telemetry) : "";
    if (word && this.input.deadman) this.refusal = { word, until: performance.now() + 1000 };
    this.refusedN = telemetry.refused_n;
  }

  #ctl(message) {
    if (message.type !== "frame") return;
    const [x, y] = message.px_mm ?? [message.mm_per_px_x, message.mm_per_px_y];
    this.picture.geometry = { ...message, mm_per_px_x: x, mm_per_px_y: y };
    this.sliders.set(message);
    this.picture.redraw();
  }

  #action(name) {
    const deeds = {
      lift: () => this.#lift(), freeze: () => place("freeze").click(), still: () => place("still-take").click(),
      loop: () => place("loop").click(), travel: () => this.input.setTravel(!this.input.travel),
    };
    deeds[name]();
  }

  async #lift() {
    try {
      await this.session.request("lift");
      this.input.setTravel(true); // the next press must not push down again by surprise
    } catch (error) {
      this.notes.error(error);
    }
  }

  async #reposition() {
    await this.session.request("reposition");
    this.input.setTravel(true);
  }

  #prompt(key) {
    this.prompts.give(key);
  }

  async #capture(kind) {
    await this.session.request("capture", { kind, view: this.views.chosen, annotation: place("annotation").value.trim() });
    place("annotation").value = ""; // words belong to one picture
    this.notes.say(t("live.capturing"));
  }

  async #missing(view, reason) {
    try {
      let text = "";
      if (reason === "other") {
        const form = await ask(place("view-reason-dialog"));
        if (!form) return;
        text = form.get("text");
      }
      const found = await call("PUT", `${base}/missing-views`, { views: [view], reason, text }, { staySignedOut: true });
      this.views.setMissing(found.missing_views);
    } catch (error) {
      this.notes.error(error);
    }
  }

  #deeds() {
    const on = (id, run) => deed(place(id), this.notes, run);
    on("take", async () => {
      const exam = await withStepUp(() => call("POST", `${base}/lease`, {}, { staySignedOut: true }), { modal: false });
      if (exam) this.setExam(exam);
    });
    on("release", async () => {
      const exam = await call("DELETE", `${base}/lease`, undefined, { staySignedOut: true });
      this.lease.lost();
      this.setExam(exam ?? this.exam);
    });
    on("start", async () => this.setExam(await post("start")));
    on("pause", async () => this.setExam(await post("pause", { reason: t("live.pause.reason") })));
    on("resume", async () => this.setExam(await post("resume")));
    on("park", () => this.session.request("park"));
    on("reposition", () => this.#reposition());
    on("end", () => this.#end());
    on("abort", () => this.#abort());
    on("freeze", () => this.session.request("freeze", { on: !this.frozen }));
    on("still-take", () => this.#capture("still"));
    on("loop", () => this.#capture("loop"));
    on("calipers", async () => {
      if (!this.picture.frozen) this.notes.say(t("live.calipers.only_frozen"));
      else this.calipers.toggle();
    });
    on("mic", () => this.voice.toggleMicrophone());
    place("stop").addEventListener("pointerdown", (event) => { event.preventDefault(); this.session.stop.press(); });
    place("stop").addEventListener("click", () => this.session.stop.press()); // keyboard and assistive technology
    place("hurts-seen").addEventListener("click", () => { place("hurts").hidden = true; });
    place("help").addEventListener("click", () => openDialog(place("help-dialog")));
  }

  async #end() {
    const { telemetry } = this.session;
    if (telemetry && has(telemetry, TEL_FLAG.CONTACT)) {
      this.notes.say(t("live.end.in_contact"), "bad");
      return;
    }
    if (await ask(place("end-dialog"))) this.setExam(await post("end"));
  }

  async #abort() {
    const form = await ask(place("abort-dialog"));
    if (form) this.setExam(await post("abort", { code: form.get("code"), reason: form.get("reason") }));
  }

  #stop({ phase, ms }) {
    const words = { sent: t("live.stop.sent"), latched: t("live.stop.latched"), rest: t("live.stop.rest", { ms }), held: t("live.who.stopped") };
    place("stop-note").textContent = words[phase] ?? "";
    place("stop").dataset.phase = phase;
    place("unanswered").hidden = phase !== "unanswered";
    if (phase !== "none" && phase !== "rest") this.input.letGo();
    if (phase === "unanswered") this.tones.play("lost");
  }

  #levels({ mine, theirs }) {
    for (const [id, level] of [["level-mine", mine], ["level-theirs", theirs]]) {
      const shown = Math.round(level * LEVELS) / LEVELS;
      if (place(id).value !== shown) place(id).value = shown;
    }
  }

  #voice({ state, mic, heard, blocked }) {
    place("voice").dataset.state = state;
    place("voice-state").textContent = mic === "muted" ? t("live.voice.muted") : state === "on" && !heard ? t("live.voice.quiet") : t(`live.voice.${state}`);
    place("mic").textContent = t(mic === "on" ? "live.voice.mute" : "live.voice.unmute");
    place("mic").setAttribute("aria-pressed", String(mic === "on"));
    const problem = { denied: "live.voice.denied", none: "live.voice.no_device" }[mic];
    place("voice-problem").hidden = !problem && !blocked;
    place("voice-problem").textContent = blocked ? t("live.voice.blocked") : problem ? t(problem) : "";
  }

  #quality() {
    const quality = this.session.delay.quality();
    if (quality && document.visibilityState === "visible") this.session.signalling.send(quality);
  }

  // Pictures taken before a reload.
  async #earlierPictures() {
    try {
      const told = await call("GET", `${base}/missing-views`, undefined, { staySignedOut: true });
      const found = await call("GET", `${base}/images`, undefined, { staySignedOut: true });
      for (const image of (found.results ?? found).filter((row) => !row.removed_at)) {
        if (this.thumbnails.add({ ...image, url: image.url ?? `/api/v1/images/${image.id}` })) this.views.took(image.view);
      }
      this.views.setMissing(told.missing_views);
    } catch {
      // A missing list costs only the old thumbnails; new ones arrive by themselves.
    }
  }

  // Measurements, and the lossless frame if the robot is frozen now: a reload loses neither.
  async #earlierFrame() {
    try {
      const found = await call("GET", `${base}/frozen`, undefined, { staySignedOut: true });
      this.calipers.restore(found.measurements);
      if (found.frame && !this.picture.frozen && !this.picture.pendingFrozen) this.earlierFrame = found.frame;
    } catch {
      // The next freeze brings its own frame; nothing is measured without one.
    }
  }

  #show() {
    const { telemetry, linked } = this.session;
    const { mine } = this.lease;
    if (mine !== this.wasMine) {
      this.wasMine = mine;
      this.setExam(this.exam);
      if (!mine) this.input.letGo();
    }
    const holder = this.exam.lease && !mine ? this.exam.remote_physician.name : null;
    const limits = linked ? this.limits.note(limitsNow(telemetry), performance.now()) : [];
    const view = ownership({ telemetry, linked, mine, holder, limits });
    if (view.kind !== this.wasKind) this.tones.play({ stopped: "stopped", moving: "moving" }[view.kind]);
    this.wasKind = view.kind;
    place("picture").dataset.kind = view.kind;
    say(place("picture-word"), view.word);
    say(place("holder"), mine ? t("live.holder.me") : holder ?? t("live.holder.none"));
    this.#why(telemetry, linked);
    this.gauge.show(telemetry, mine ? this.input.forceN : null);
    this.arm.show(telemetry);
    this.picture.showAge(this.rttMs);
    if (performance.now() >= this.delayAt) this.#delay(telemetry);
    place("freeze").setAttribute("aria-pressed", String(this.frozen));
    say(place("freeze-word"), t(this.frozen ? "live.unfreeze" : "live.freeze"));
    this.prompts.show();
    this.operator.show({ active: this.inControl, habitus: this.input.forceN >= FORCE_MAX_N && mine });
  }

  #why(telemetry, linked) {
    let why = "";
    let now = "";
    if (!linked) {
      now = OVER.has(this.exam.state) ? t("live.server.over")
        : this.robotThere === false ? t("live.robot.offline")
        : this.refused ? t("live.robot.refused", { why: this.refused })
        : this.session.link.current ? t("live.robot.lost") : t("live.robot.connecting");
    } else {
      ({ why, now } = explain(telemetry, "now"));
      if (has(telemetry, TEL_FLAG.REPOSITION) && !has(telemetry, TEL_FLAG.LATCHED)) now = t("live.reposition.now");
      if (has(telemetry, TEL_FLAG.NEEDS_RELEASE) && this.input.deadman) now = t("live.state.hold.now");
      if (this.frozen && this.input.deadman) now = t("live.ask.frozen");
      if (this.refusal?.until > performance.now()) why = this.refusal.word;
    }
    const word = linked ? explain(telemetry, "now").word : "";
    say(place("state-word"), word === place("picture-word").textContent ? "" : word);
    say(place("why"), why);
    say(place("now"), now);
  }

  #delay(telemetry) {
    this.delayAt = performance.now() + READ_MS;
    const { ms, kind, word } = delayWord(this.session.linked ? this.rttMs : null);
    place("delay").dataset.kind = kind;
    say(place("delay-number"), ms === null ? "–" : `${ms} ms`);
    say(place("delay-word"), word);
    const { sent = 0, superseded = 0 } = this.stats ?? {};
    const fps = this.session.delay.fps;
    say(place("ledger"), [
      `${t("live.delay.picture")} ${Number.isFinite(this.picture.ageMs(this.rttMs)) ? Math.round(this.picture.ageMs(this.rttMs)) : "–"} ms`,
      `${t("live.delay.fps")} ${fps === null ? "–" : fps.toFixed(0)}`, `${t("live.delay.sent")} ${sent}`,
      `${t("live.delay.superseded")} ${superseded}`, `${t("live.delay.refused")} ${telemetry?.refused_n ?? 0}`,
      this.session.delay.codec ?? "",
    ].join(" · "));
  }
}

// For the browser's tools and the end-to-end test: read, never written by the page.
const page = new Console(data("exam-data"));
globalThis.liveConsole = page;
page.start();
