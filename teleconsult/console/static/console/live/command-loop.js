// The 50 Hz sender's logic, without a clock or a channel of its own: the worker feeds it, the tests drive it.
import { COMMAND_TTL_MS, SNAPSHOT_MAX_MS } from "./limits.js";
import { COMMAND_FLAG, packCommand } from "./wire.js";

const STILL = { vx: 0, vy: 0, vz: 0, wx: 0, wy: 0, wz: 0 };

// One slot, newest wins; a message leaves only when nothing waits in the channel's own buffer.
export class NewestWins {
  // channel: {readyState, bufferedAmount, send(bytes)}
  constructor(channel) {
    this.channel = channel;
    this.slot = null;
    this.sent = 0;
    this.superseded = 0; // replaced in the slot before they could leave: not lost, outdated
  }

  offer(bytes) {
    if (this.slot !== null) this.superseded += 1;
    this.slot = bytes;
    this.drain();
  }

  drain() {
    if (this.slot === null || this.channel.readyState !== "open" || this.channel.bufferedAmount > 0) return;
    const bytes = this.slot;
    this.slot = null;
    this.channel.send(bytes);
    this.sent += 1;
  }
}

// Age of the input snapshot on one clock although page and worker have two: a minimum filter over receive - sent.
export class SnapshotAge {
  constructor() {
    this.floorMs = Infinity;
    this.receivedMs = -Infinity;
    this.lateMs = 0;
  }

  received(pageMs, nowMs) {
    this.floorMs = Math.min(this.floorMs, nowMs - pageMs);
    this.lateMs = nowMs - pageMs - this.floorMs;
    this.receivedMs = nowMs;
  }

  age(nowMs) {
    return nowMs - this.receivedMs + this.lateMs;
  }
}

export class CommandLoop {
  // out: NewestWins or anything with offer(bytes)
  constructor(out) {
    this.out = out;
    this.snapshot = null;
    this.snapshotAge = new SnapshotAge();
    this.seq = 0;
    this.epoch = 0;
    this.staleDrops = 0; // ticks on which an old snapshot cost the deadman
  }

  // snapshot: {page_ms, sending, epoch, deadman, force_control, force_setpoint_n, mode, twist{}, tel_seq_seen, frame_id_seen}
  input(snapshot, nowMs) {
    if (snapshot.epoch !== this.epoch) {
      this.epoch = snapshot.epoch;
      this.seq = 0; // a new lease counts from one
    }
    this.snapshot = snapshot;
    this.snapshotAge.received(snapshot.page_ms, nowMs);
  }

  // Build and offer this tick's command; null when nothing is to be sent.
  tick(nowMs) {
    const s = this.snapshot;
    if (s === null || !s.sending) return null;
    const stale = this.snapshotAge.age(nowMs) > SNAPSHOT_MAX_MS;
    if (stale && s.deadman) this.staleDrops += 1;
    const deadman = s.deadman && !stale;
    this.seq += 1;
    const command = {
      flags: (deadman ? COMMAND_FLAG.DEADMAN : 0) | (s.force_control ? COMMAND_FLAG.FORCE_CONTROL : 0),
      lease_epoch: s.epoch,
      seq: this.seq,
      tel_seq_seen: s.tel_seq_seen,
      t_client_us: BigInt(Math.round(nowMs * 1000)),
      ...(deadman ? s.twist : STILL),
      force_setpoint_n: s.force_setpoint_n,
      frame_id_seen: s.frame_id_seen,
      mode: s.mode,
      ttl_ms: COMMAND_TTL_MS,
    };
    this.out.offer(packCommand(command));
    return command;
  }
}
