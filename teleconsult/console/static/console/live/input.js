// Keyboard, on-screen pads and a gamepad -> one intent: deadman and a twist. Keys by event.code only: an input method
// gives keyCode 229. No chords with Ctrl, Alt, Shift.
import { DEAD_ZONE, FORCE_MAX_N, FORCE_MIN_N, FORCE_START_N, FORCE_STEP_N, SPEEDS, TAP_MS } from "./limits.js";

// code -> [axis, sign]. Probe frame: +x marker side (screen left), +y elevation, +z into the tissue (beam).
export const MOTION = {
  KeyA: ["vx", 1], KeyD: ["vx", -1], KeyW: ["vy", 1], KeyS: ["vy", -1],
  KeyJ: ["wy", 1], KeyL: ["wy", -1], KeyI: ["wx", -1], KeyK: ["wx", 1],
  KeyQ: ["wz", -1], KeyE: ["wz", 1],
};
const AXES = ["vx", "vy", "vz", "wx", "wy", "wz"];
const SPEED_KEYS = { Digit1: "fine", Digit2: "normal", Digit3: "coarse" };
const STOPS = new Set(["Backspace", "Escape"]);
const PROMPTS = {
  Digit4: "breathe_in", Digit5: "hold", Digit6: "breathe_out", Digit7: "turn_left", Digit8: "turn_right",
  Digit9: "lie_still", Digit0: "relax",
};
const ACTIONS = { KeyZ: "lift", KeyU: "freeze", KeyO: "still", KeyP: "loop", KeyT: "travel" };

const isText = (node) => node instanceof Element && node.matches("textarea, select, input:not([type=checkbox]):not([type=range]):not([type=radio]), [contenteditable]");
const cubic = (value) => {
  const size = Math.abs(value);
  if (size < DEAD_ZONE) return 0;
  return Math.sign(value) * ((size - DEAD_ZONE) / (1 - DEAD_ZONE)) ** 3;
};

// A key held: speed. A key tapped (under 150 ms): exactly 1 mm or 1 degree, however short.
export class TapShaper {
  constructor() {
    this.held = new Map(); // code -> time of the press
    this.rest = new Map(); // code -> when the remainder of a tap is done
  }

  press(code, now) {
    if (!this.held.has(code)) this.held.set(code, now);
  }

  // `speed` of the axis at the time of the release
  release(code, now, speed) {
    const since = this.held.get(code);
    if (since === undefined) return;
    this.held.delete(code);
    const whole = 1000 / TapShaper.#tapSpeed(speed); // ms for 1 mm at tap speed
    if (now - since < TAP_MS && now - since < whole) this.rest.set(code, since + whole);
  }

  clear() {
    this.held.clear();
    this.rest.clear();
  }

  // Tap speed covers 1 mm in 150 ms, unless the chosen speed is slower than that.
  static #tapSpeed(speed) {
    return Math.min(speed, 1000 / TAP_MS);
  }

  // 0..speed for this key now
  value(code, now, speed) {
    const since = this.held.get(code);
    if (since !== undefined) return now - since < TAP_MS ? TapShaper.#tapSpeed(speed) : speed;
    const until = this.rest.get(code);
    if (until === undefined) return 0;
    if (now < until) return TapShaper.#tapSpeed(speed);
    this.rest.delete(code);
    return 0;
  }
}

export class Input {
  // on: {stop(), action(name), prompt(key), changed()}; inControl() -> whether keys move the robot
  constructor({ inControl, on, now = () => performance.now() }) {
    this.inControl = inControl;
    this.on = on;
    this.now = now;
    this.taps = new TapShaper();
    this.space = false;
    this.pads = { slide: null, rock: null, turn: null }; // each {x, y} in -1..1, or null when no finger is on it
    this.forceN = FORCE_START_N;
    this.speed = "normal";
    this.travel = false; // patient frame, no contact wanted
    this.pad = null; // gamepad reading {deadman, vx..wz}
  }

  attach(target = window) {
    target.addEventListener("keydown", (event) => this.keydown(event), { capture: true });
    target.addEventListener("keyup", (event) => this.keyup(event), { capture: true });
    target.addEventListener("blur", () => this.letGo());
    document.addEventListener("visibilitychange", () => document.hidden && this.letGo());
    document.addEventListener("focusin", ({ target: node }) => isText(node) && this.letGo());
    // A click that a held Space would make on the focused button.
    target.addEventListener("click", (event) => {
      if (this.inControl() && event.detail === 0 && this.space) event.preventDefault();
    }, { capture: true });
  }

  keydown(event) {
    const { code } = event;
    const typing = isText(event.target);
    if (STOPS.has(code)) {
      this.#stopKey(event, typing);
      return;
    }
    if (typing || event.ctrlKey || event.altKey || event.metaKey) return;
    if (!this.inControl()) return;
    // While in control Space and Enter press no button, and the pages' own keys do not scroll.
    if (code === "Space" || code === "Enter" || code === "NumpadEnter") this.#take(event);
    if (code === "Space") this.space = true;
    else if (MOTION[code]) this.#motion(event);
    else this.#once(event);
  }

  // Stop from anywhere, also without control; but a key that edits text or closes a dialog does only that.
  #stopKey(event, typing) {
    if (event.code === "Escape" && document.querySelector("dialog[open]")) return;
    if (typing) return;
    event.preventDefault();
    if (!event.repeat) this.on.stop();
  }

  #take(event) {
    event.preventDefault();
    event.stopPropagation();
  }

  #motion(event) {
    this.#take(event);
    if (!event.repeat) this.taps.press(event.code, this.now());
  }

  #once(event) {
    const { code, repeat } = event;
    const step = { KeyR: 1, KeyF: -1 }[code];
    if (step) {
      this.#take(event);
      if (this.travel) this.taps.press(code, this.now());
      else this.force(this.forceN + step * FORCE_STEP_N);
    } else if (repeat) return;
    else if (SPEED_KEYS[code]) this.setSpeed(SPEED_KEYS[code]);
    else if (PROMPTS[code]) this.on.prompt(PROMPTS[code]);
    else if (ACTIONS[code]) this.on.action(ACTIONS[code]);
  }

  keyup(event) {
    const { code } = event;
    if (code === "Space") {
      this.space = false;
      if (this.inControl() && !isText(event.target)) this.#take(event);
    }
    const kind = MOTION[code]?.[0][0] ?? "v";
    this.taps.release(code, this.now(), this.#speedOf(kind));
  }

  letGo() {
    this.space = false;
    this.taps.clear();
    this.pads = { slide: null, rock: null, turn: null };
    this.on.changed();
  }

  force(newtons) {
    this.forceN = Math.max(FORCE_MIN_N, Math.min(FORCE_MAX_N, Math.round(newtons * 2) / 2));
    this.on.changed();
  }

  setSpeed(name) {
    this.speed = name;
    this.on.changed();
  }

  setTravel(on) {
    this.travel = on;
    this.taps.clear();
    this.on.changed();
  }

  get deadman() {
    const finger = Object.values(this.pads).some((pad) => pad !== null);
    return this.space || finger || Boolean(this.pad?.deadman);
  }

  // {vx..wz} now, in mm/s and deg/s
  twist() {
    const now = this.now();
    const twist = Object.fromEntries(AXES.map((axis) => [axis, 0]));
    for (const [code, [axis, sign]] of Object.entries(MOTION)) {
      twist[axis] += this.#inFrame(axis, sign) * this.taps.value(code, now, this.#speedOf(axis[0]));
    }
    if (this.travel) twist.vz += this.taps.value("KeyR", now, this.#speedOf("v")) - this.taps.value("KeyF", now, this.#speedOf("v"));
    this.#pads(twist);
    if (this.pad) for (const axis of AXES) twist[axis] += this.#inFrame(axis, this.pad[axis] ?? 0) * this.#speedOf(axis[0]);
    if (this.travel) twist.wx = twist.wy = twist.wz = 0; // patient frame is translation only
    return twist;
  }

  #pads(twist) {
    const { slide, rock, turn } = this.pads;
    const v = this.#speedOf("v");
    const w = this.#speedOf("w");
    if (slide) {
      twist.vx += this.#inFrame("vx", -1) * cubic(slide.x) * v; // finger left: marker side
      twist.vy += cubic(slide.y) * v;
    }
    if (rock) {
      twist.wy -= cubic(rock.x) * w;
      twist.wx -= cubic(rock.y) * w;
    }
    if (turn) twist.wz += turn.x * w;
  }

  // Screen left is the marker side (+x) in the probe's frame, and the patient's right (-x) in the patient's.
  #inFrame(axis, sign) {
    return this.travel && axis === "vx" ? -sign : sign;
  }

  #speedOf(kind) {
    const [linear, angular] = SPEEDS[this.speed];
    return kind === "v" ? linear : angular;
  }

  // Gamepads exist only in the window: read them once a snapshot. LT on over 0.3, off under 0.2.
  readGamepad() {
    const pad = navigator.getGamepads?.().find((found) => found?.connected && found.mapping === "standard");
    if (!pad) {
      this.pad = null;
      this.padPressed = new Set();
      return;
    }
    const held = this.pad?.deadman ? pad.buttons[6].value > 0.2 : pad.buttons[6].value > 0.3;
    const [lx, ly, rx, ry] = pad.axes.map(cubic);
    const pair = (more, less) => Number(pad.buttons[more].pressed) - Number(pad.buttons[less].pressed);
    this.pad = { deadman: held, vx: -lx, vy: -ly, vz: this.travel ? pair(12, 13) : 0, wy: -rx, wx: ry, wz: pair(5, 4) };
    this.#gamepadButtons(pad);
  }

  #gamepadButtons(pad) {
    const deeds = {
      0: () => this.on.action("freeze"), 2: () => this.on.action("still"), 3: () => this.on.action("loop"),
      1: () => this.on.stop(), 7: () => this.on.action("lift"),
      12: () => !this.travel && this.force(this.forceN + FORCE_STEP_N), // in travel up and down raise and lower
      13: () => !this.travel && this.force(this.forceN - FORCE_STEP_N),
      14: () => this.setSpeed({ coarse: "normal" }[this.speed] ?? "fine"),
      15: () => this.setSpeed({ fine: "normal" }[this.speed] ?? "coarse"),
    };
    const before = this.padPressed ?? new Set();
    this.padPressed = new Set(Object.keys(deeds).filter((index) => pad.buttons[index]?.pressed));
    for (const index of this.padPressed) if (!before.has(index)) deeds[index]();
  }
}
