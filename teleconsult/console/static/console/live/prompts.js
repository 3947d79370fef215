// One-key prompts. The console sends and is told what became of it; the bedside shows one phrase over its whole width,
// says it in Chinese, and answers. Nothing fails silently: no answer, no voice and no sound are each told to somebody.
import { t } from "../texts.js";

export const HOLD_WARN_S = 20;
const ENDS_HOLD = new Set(["breathe_out", "breathe_in", "relax"]);
const ANSWER_MS = 1500;
const SHOW_MS = 6000;
const SPEAKS_WITHIN_MS = 1500; // a voice that has not begun by then does not come
const place = (id) => document.getElementById(id);
const unique = () => crypto.getRandomValues(new Uint32Array(2)).join("-");

// How long the breath is being held, in s; null when it is not. A reload of the page does not let the patient breathe.
export class BreathHold {
  // memory: this exam's key in the window's own storage
  constructor(memory) {
    this.memory = memory;
    this.since = Number(sessionStorage.getItem(memory)) || null; // ms of the wall clock
  }

  told(key) {
    if (key === "hold") this.since = Date.now();
    else if (ENDS_HOLD.has(key)) this.since = null;
    sessionStorage.setItem(this.memory, this.since ?? "");
  }

  get seconds() {
    return this.since ? Math.max(0, Math.floor((Date.now() - this.since) / 1000)) : null;
  }

  get tooLong() {
    return (this.seconds ?? 0) >= HOLD_WARN_S;
  }
}

// The console's end.
export class PromptSender {
  // send(message) -> whether it went; request(type, fields): the robot's control channel; told(key): it was given
  constructor({ examId, send, request, notes, tones, told }) {
    Object.assign(this, { send, request, notes, tones, told });
    this.hold = new BreathHold(`breath-${examId}`);
    this.waiting = new Map(); // id -> key
  }

  give(key) {
    const id = unique();
    this.told(key);
    this.hold.told(key);
    this.warned = false;
    this.request("prompt", { key }).catch(() => {}); // only a simulated patient hears the robot: nobody misses it
    this.newest = id;
    this.waiting.set(id, key);
    this.#state(t("live.prompt.sent"));
    if (this.send({ type: "prompt", key, id })) setTimeout(() => this.#lost(id), ANSWER_MS);
    else this.#lost(id);
  }

  #lost(id) {
    const key = this.waiting.get(id);
    if (!key) return;
    this.waiting.delete(id);
    this.#bad(id, "live.prompt.lost", key, t("live.prompt.not_shown"));
  }

  // The bedside's answer: shown at once, then how it was said.
  answered({ id, shown, spoken }) {
    if (!shown) {
      this.#lost(id);
      return;
    }
    const key = this.waiting.get(id) ?? this.saying?.get(id);
    this.waiting.delete(id);
    this.saying = new Map([[id, key]]);
    const words = t(`live.prompt.shown.${spoken}`);
    if (id === this.newest) this.#state(words);
    if (key && (spoken === "none" || spoken === "tone")) this.#bad(id, "live.prompt.silent", key, words);
  }

  #bad(id, sentence, key, state) {
    this.notes.say(t(sentence, { what: t(`live.prompt.${key}`) }), "bad");
    this.tones.play("hurt");
    if (id === this.newest) this.#state(state, "bad");
  }

  #state(words, kind = "") {
    place("prompt-state").textContent = words;
    place("prompt-state").dataset.kind = kind;
  }

  // Called many times a second.
  show() {
    if (!this.hold.tooLong || this.warned) return;
    this.warned = true;
    this.notes.say(t("live.prompt.too_long", { s: HOLD_WARN_S }), "bad");
    this.tones.play("hurt");
  }
}

// The bedside's end. Large for some seconds, or until it is touched; a breath that is still held is then counted in one
// line above the page, so that nothing of it stays covered. words: key -> [Chinese, English].
export class PromptBoard {
  constructor({ examId, words, send, tones }) {
    Object.assign(this, { words, send, tones });
    this.hold = new BreathHold(`breath-${examId}`);
    this.until = 0;
    if (this.hold.seconds !== null) this.#put("hold"); // before a reload: still counted, not said again
    speechSynthesis.getVoices(); // begins to load them
    place("prompt").addEventListener("pointerdown", () => { this.until = 0; this.show(); });
  }

  told({ key, id }) {
    const chinese = this.#put(key);
    this.#note("");
    this.hold.told(key);
    this.warned = false;
    this.id = id;
    this.until = performance.now() + SHOW_MS;
    this.show();
    const shown = document.visibilityState === "visible";
    this.#answer(shown, "waiting");
    this.#say(chinese).then((spoken) => {
      if (this.id !== id) return; // a newer prompt is on the screen
      this.#note({ tone: t("bed.prompt.read_aloud"), none: t("bed.prompt.no_sound") }[spoken] ?? "");
      this.#answer(shown, spoken);
    });
  }

  #put(key) {
    const [chinese, english] = this.words[key];
    place("prompt-zh").textContent = chinese;
    place("prompt-en").textContent = english;
    place("prompt").dataset.key = key;
    place("prompt").hidden = false;
    return chinese;
  }

  #answer(shown, spoken) {
    this.send({ type: "prompt_shown", id: this.id, shown, spoken });
  }

  // -> "voice" | "tone" | "none"
  async #say(phrase) {
    this.tones.gesture(); // allowed without a gesture where the page already listens to the microphone
    const voices = speechSynthesis.getVoices().filter(({ lang }) => /^(zh|cmn)\b/i.test(lang) && !/HK|TW|yue/i.test(lang));
    const voice = voices.find(({ localService }) => localService) ?? voices[0];
    if (voice && await this.#speaks(phrase, voice)) return "voice";
    return (await this.tones.prompt()) ? "tone" : "none";
  }

  #speaks(phrase, voice) {
    speechSynthesis.cancel(); // the newest prompt counts
    const said = Object.assign(new SpeechSynthesisUtterance(phrase), { voice, lang: voice.lang, rate: 0.95 });
    return new Promise((resolve) => {
      const timer = setTimeout(() => {
        speechSynthesis.cancel();
        resolve(false);
      }, SPEAKS_WITHIN_MS);
      const done = (spoke) => { clearTimeout(timer); resolve(spoke); };
      said.onstart = () => done(true);
      said.onerror = () => done(false);
      speechSynthesis.speak(said);
    });
  }

  #note(words) {
    this.noteWords = words;
    place("prompt-note").textContent = words;
    place("prompt-note").hidden = !words;
  }

  // Called many times a second: the count, and the end.
  show() {
    const board = place("prompt");
    if (board.hidden) return;
    const now = performance.now();
    const { seconds, tooLong } = this.hold;
    const counting = seconds !== null;
    place("prompt-seconds").hidden = !counting;
    if (counting) place("prompt-seconds").textContent = `${seconds} s`;
    board.dataset.long = tooLong;
    if (tooLong && !this.warned) {
      this.warned = true;
      this.until = now + SHOW_MS;
      this.#note(t("bed.prompt.too_long"));
      this.tones.prompt();
    }
    board.classList.toggle("folded", counting && now > this.until);
    if (!counting && now > this.until) board.hidden = true;
  }
}
