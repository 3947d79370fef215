// Telemetry -> what people read. Pure: no document here.
import { t } from "../texts.js";
import { DELAY_FAIR_MS, DELAY_GOOD_MS, DELAY_SLOW_MS } from "./limits.js";
import { CAUSES, REFUSALS, STATES, TEL_FLAG, has, limitNames } from "./wire.js";

const MOVING = new Set(["moving", "ramp", "retract", "lift", "place", "self_test"]);
const BY_ITSELF = new Set(["retract", "lift", "place", "self_test"]);
const STOPPED = new Set(["stopped", "fault"]);
// In these the newest cause explains the state; elsewhere an old cause would only confuse.
const EXPLAINED = new Set(["hold", "ramp", "retract", "stopped", "fault", "idle", "lift"]);

// Why it stopped and what now, for the reader `who`: "now" (remote physician) or "bed".
export function explain(telemetry, who) {
  const state = STATES[telemetry.safety_state];
  const cause = CAUSES[telemetry.stop_cause];
  const told = EXPLAINED.has(state) && cause !== "none";
  const now = told && state !== "ramp" ? t(`live.cause.${cause}.${who}`) : t(`live.state.${state}.${who}`);
  return { state, cause, word: t(`live.state.${state}`), why: told ? t(`live.cause.${cause}`) : "", now };
}

// Limits that change what the hand feels; slew is always there a little and would only flicker.
export function limitsNow(telemetry) {
  return limitNames(telemetry.limit_bits).filter((name) => name !== "slew");
}

// Names stay for `ms` after they were last true: a limit bites for a few cycles, a person reads for a second.
export class Held {
  constructor(ms) {
    this.ms = ms;
    this.seen = new Map();
  }

  note(names, now) {
    for (const name of names) this.seen.set(name, now);
    for (const [name, at] of this.seen) if (now - at > this.ms) this.seen.delete(name);
    return [...this.seen.keys()];
  }
}

// A limit in words; the one that the delay sets with the speed it leaves.
function limitWord(name, telemetry) {
  const what = t(`live.limit.${name}`);
  if (name !== "loop_delay_speed") return what;
  const [x, y, z] = telemetry.done; // what is left of the speed that was asked
  return t("live.limit.at_speed", { what, n: Math.round(Math.hypot(x, y, z)) });
}

// The picture's border: {kind, word}; kind nobody | other | yours | moving | limited | stopped | lost
export function ownership({ telemetry, linked, mine, holder, limits = null }) {
  if (!linked || !telemetry) return { kind: "lost", word: t("live.who.lost") };
  const state = STATES[telemetry.safety_state];
  if (STOPPED.has(state) || has(telemetry, TEL_FLAG.LATCHED)) return { kind: "stopped", word: t("live.who.stopped") };
  if (!mine) return holder ? { kind: "other", word: t("live.who.other", { name: holder }) } : { kind: "nobody", word: t("live.who.nobody") };
  const biting = limits ?? limitsNow(telemetry);
  if (state === "moving" && biting.length) {
    return { kind: "limited", word: t("live.who.limited", { what: biting.map((name) => limitWord(name, telemetry)).join(" ") }) };
  }
  if (MOVING.has(state)) return { kind: "moving", word: t("live.who.moving") };
  return { kind: "yours", word: t("live.who.yours") };
}

// The bedside's one word: {kind, word, by}; kind moving | rest | hold | stopped | lost
export function bedsideWord({ telemetry, linked, remoteName }) {
  if (!linked || !telemetry) return { kind: "lost", word: t("bed.word.lost"), by: "" };
  const state = STATES[telemetry.safety_state];
  if (STOPPED.has(state) || has(telemetry, TEL_FLAG.LATCHED)) return { kind: "stopped", word: t("bed.word.stopped"), by: "" };
  if (state === "hand_guide") return { kind: "moving", word: t("bed.word.moving"), by: t("bed.moved_by.hand") };
  if (BY_ITSELF.has(state)) return { kind: "moving", word: t("bed.word.moving"), by: t("bed.moved_by.robot") };
  if (MOVING.has(state)) return { kind: "moving", word: t("bed.word.moving"), by: t("bed.moved_by.remote", { name: remoteName }) };
  if (state === "hold" || state === "park") return { kind: "hold", word: t("bed.word.hold"), by: "" };
  return { kind: "rest", word: t("bed.word.rest"), by: "" };
}

// Round trip in ms -> {ms, word, kind}
export function delayWord(ms) {
  if (ms === null || !Number.isFinite(ms)) return { ms: null, kind: "none", word: t("live.delay.none") };
  const kind = ms <= DELAY_GOOD_MS ? "good" : ms <= DELAY_FAIR_MS ? "fair" : ms <= DELAY_SLOW_MS ? "slow" : "bad";
  return { ms: Math.round(ms), kind, word: t(`live.delay.${kind}`) };
}

// A refusal worth telling: the counter grew since `before`.
export function refusalWord(telemetry) {
  const key = `live.refusal.${REFUSALS[telemetry.last_refusal]}`;
  const word = t(key);
  return word === key ? "" : word;
}
