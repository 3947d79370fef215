// Stop and presence on channel 4. A stop is sent at once, then every 20 ms until the robot reports the latch;
// "at rest" is said only when telemetry says so. No report in 300 ms is its own state.
import { ESTOP_REPEAT_MS, PRESENCE_MS, REST_DEG_S, REST_MM_S, STOP_ANSWER_MS } from "./limits.js";
import { ESTOP_FLAG, TEL_FLAG, has, packEstop } from "./wire.js";

export function atRest(telemetry) {
  const [vx, vy, vz, wx, wy, wz] = telemetry.done;
  return Math.hypot(vx, vy, vz) < REST_MM_S && Math.hypot(wx, wy, wz) < REST_DEG_S;
}

export class Stop {
  // send(bytes) -> bool; onChange({phase, ms, handed}): phase none | sent | latched | rest | unanswered | dismissed |
  // unknown (was latched, then the link went) | held (still latched when it came back)
  constructor({ send, onChange, now = () => performance.now() }) {
    this.send = send;
    this.onChange = onChange;
    this.now = now;
    this.seq = 0;
    this.phase = "none";
    this.repeating = false;
    this.pressedAt = 0;
    this.presenceAt = -Infinity;
    this.sentAt = -Infinity;
    this.present = () => false; // the bedside page replaces it
  }

  press() {
    const fresh = !this.repeating;
    this.repeating = true;
    if (fresh) this.pressedAt = this.now();
    const handed = this.#message(ESTOP_FLAG.STOP);
    if (fresh) this.#become("sent", handed);
  }

  // Every pulse of the worker (20 ms).
  pulse() {
    const now = this.now();
    if (this.repeating) {
      if (now - this.sentAt >= ESTOP_REPEAT_MS * 0.6) this.#message(ESTOP_FLAG.STOP);
      if (this.phase === "sent" && now - this.pressedAt > STOP_ANSWER_MS) this.#become("unanswered");
    }
    if (this.present() && now - this.presenceAt >= PRESENCE_MS - ESTOP_REPEAT_MS / 2) this.#message(ESTOP_FLAG.PRESENCE);
  }

  telemetry(telemetry) {
    const latched = has(telemetry, TEL_FLAG.LATCHED);
    if (this.repeating && latched) {
      this.repeating = false;
      this.#become("latched");
    }
    if (this.phase === "latched" && latched && atRest(telemetry)) this.#become("rest");
    if (this.phase === "unknown" && latched) this.#become("held");
    if (!latched && !this.repeating && this.phase !== "none") this.#become("none"); // cleared
  }

  // No telemetry any more: what was reported is not known any more.
  lost() {
    if (this.phase === "latched" || this.phase === "rest" || this.phase === "held") this.#become("unknown");
  }

  // The person has used the red button: the page may show the picture again; sending goes on.
  dismiss() {
    if (this.phase === "unanswered") this.#become("dismissed");
  }

  #become(phase, handed = true) {
    this.phase = phase;
    this.onChange({ phase, handed, ms: Math.round(this.now() - this.pressedAt) });
  }

  #message(flag) {
    const present = this.present() ? ESTOP_FLAG.PRESENCE : 0;
    const now = this.now();
    this.seq += 1;
    if (flag === ESTOP_FLAG.STOP) this.sentAt = now;
    if (present) this.presenceAt = now;
    return this.send(packEstop({ flags: flag | present, seq: this.seq, t_client_us: BigInt(Math.round(now * 1000)) }));
  }
}
