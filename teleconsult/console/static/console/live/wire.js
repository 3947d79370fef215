// The three binary messages of the robot link, as devices/wire/codec.py packs them: little-endian, no padding.
// 64-bit times are BigInt microseconds; everything else is a number. Field names are those of devices/wire/messages.py.

// CRC32 of the canonical layout text; both ends refuse another one. Change the layout, change this, change the vectors.
export const SCHEMA_HASH = 0xb57cafa1;
export const VERSION = 1;
export const TYPE = { command: 1, telemetry: 2, estop: 3 };
export const SIZE = { command: 64, telemetry: 128, estop: 16 };
export const AGE_UNKNOWN_MS = 65535;

export const COMMAND_FLAG = { DEADMAN: 1, FORCE_CONTROL: 2 };
export const MODE = { PATIENT_FRAME: 1 };
export const ESTOP_FLAG = { STOP: 1, PRESENCE: 2 };
export const TEL_FLAG = {
  CONTACT: 1, FROZEN: 2, LATCHED: 4, GENTLE: 8, GO_VALID: 16, LEASE_LIVE: 32, BEDSIDE_PRESENT: 64,
  NEEDS_RELEASE: 128, HAND_GUIDE: 256, UPLOAD_PENDING: 512, REPOSITION: 1024,
};
export const STATES = [
  "idle", "hold", "park", "moving", "ramp", "retract", "stopped", "lift", "hand_guide", "fault", "self_test", "place",
];
export const CAUSES = [
  "none", "silence", "estop_console", "estop_bedside", "estop_patient", "force_hard", "collision", "lease_lost",
  "link_lost", "driver_fault", "stale_video", "bedside_absent", "takeover", "workspace", "silence_retract",
  "lease_suspended",
];
export const LIMITS = [
  "speed", "angular", "force_set", "force_cap", "slew", "workspace", "loop_delay_speed", "tilt_force", "no_go",
];
export const REFUSALS = [
  "none", "size", "schema", "epoch", "seq", "not_finite", "age", "needs_release", "frozen", "not_live", "stale_video",
  "state",
];
const JOINT_UNIT_RAD = 1e-4;
const DONE_UNIT = 0.01; // mm/s and deg/s

export class WireError extends Error {
  // `code`: the refusal's name, as the robot counts it.
  constructor(code, detail = "") {
    super(detail ? `${code}: ${detail}` : code);
    this.name = "WireError";
    this.code = code;
  }
}

const U = { u8: [1, "Uint8", 0xff], u16: [2, "Uint16", 0xffff], u32: [4, "Uint32", 0xffffffff] };
const MAX_U64 = (1n << 64n) - 1n;

class Writer {
  constructor(size, type) {
    this.buffer = new ArrayBuffer(size);
    this.view = new DataView(this.buffer);
    this.at = 0;
    this.unsigned("u8", VERSION);
    this.unsigned("u8", type);
  }

  unsigned(kind, value) {
    const [size, name, max] = U[kind];
    if (!Number.isInteger(value) || value < 0 || value > max) throw new WireError("schema", `${value} is no ${kind}`);
    this.view[`set${name}`](this.at, value, true);
    this.at += size;
  }

  u64(value) {
    const wide = BigInt(value);
    if (wide < 0n || wide > MAX_U64) throw new WireError("schema", `${value} is no u64`);
    this.view.setBigUint64(this.at, wide, true);
    this.at += 8;
  }

  f32(...values) {
    for (const value of values) {
      this.view.setFloat32(this.at, value, true);
      this.at += 4;
    }
  }

  i16(values, unit) {
    for (const value of values) {
      if (!Number.isFinite(value)) throw new WireError("not_finite");
      this.view.setInt16(this.at, Math.max(-32768, Math.min(32767, Math.round(value / unit))), true);
      this.at += 2;
    }
  }
}

class Reader {
  constructor(data, kind) {
    this.view = ArrayBuffer.isView(data)
      ? new DataView(data.buffer, data.byteOffset, data.byteLength)
      : new DataView(data);
    if (this.view.byteLength !== SIZE[kind]) throw new WireError("size", `${this.view.byteLength} bytes`);
    this.at = 0;
    const version = this.unsigned("u8");
    const type = this.unsigned("u8");
    if (version !== VERSION || type !== TYPE[kind]) throw new WireError("schema", `version ${version} type ${type}`);
  }

  unsigned(kind) {
    const [size, name] = U[kind];
    const value = this.view[`get${name}`](this.at, true);
    this.at += size;
    return value;
  }

  u64() {
    const value = this.view.getBigUint64(this.at, true);
    this.at += 8;
    return value;
  }

  f32() {
    const value = this.view.getFloat32(this.at, true);
    this.at += 4;
    return value;
  }

  many(count, read) {
    return Array.from({ length: count }, read);
  }

  i16(count, unit) {
    return this.many(count, () => {
      const value = this.view.getInt16(this.at, true) * unit;
      this.at += 2;
      return value;
    });
  }
}

const TWIST = ["vx", "vy", "vz", "wx", "wy", "wz"]; // mm/s and deg/s

export function packCommand(c) {
  const w = new Writer(SIZE.command, TYPE.command);
  w.unsigned("u16", c.flags);
  for (const name of ["lease_epoch", "seq", "tel_seq_seen"]) w.unsigned("u32", c[name]);
  w.u64(c.t_client_us);
  w.f32(...TWIST.map((name) => c[name]), c.force_setpoint_n);
  w.unsigned("u32", c.frame_id_seen);
  w.unsigned("u16", c.mode);
  w.unsigned("u16", c.ttl_ms);
  w.unsigned("u32", c.schema_hash ?? SCHEMA_HASH);
  return w.buffer;
}

export function unpackCommand(data) {
  const r = new Reader(data, "command");
  const c = { flags: r.unsigned("u16") };
  for (const name of ["lease_epoch", "seq", "tel_seq_seen"]) c[name] = r.unsigned("u32");
  c.t_client_us = r.u64();
  for (const name of [...TWIST, "force_setpoint_n"]) c[name] = r.f32();
  c.frame_id_seen = r.unsigned("u32");
  c.mode = r.unsigned("u16");
  c.ttl_ms = r.unsigned("u16");
  c.schema_hash = schema(r);
  return c;
}

function schema(r) {
  const found = r.unsigned("u32");
  if (found !== SCHEMA_HASH) throw new WireError("schema", `schema hash ${found.toString(16)}`);
  return found;
}

export function packTelemetry(t) {
  const w = new Writer(SIZE.telemetry, TYPE.telemetry);
  w.unsigned("u16", t.flags);
  for (const name of ["lease_epoch", "tel_seq", "last_seq", "applied_seq"]) w.unsigned("u32", t[name]);
  w.u64(t.t_edge_us);
  w.u64(t.echo_t_client_us);
  w.unsigned("u32", t.echo_hold_us);
  w.unsigned("u8", t.safety_state);
  w.unsigned("u8", t.stop_cause);
  w.unsigned("u16", t.limit_bits);
  w.f32(...t.position_mm, ...t.quaternion);
  w.i16(t.joints_rad, JOINT_UNIT_RAD);
  w.f32(t.force_n, t.force_set_n, t.force_cap_n);
  w.i16(t.done, DONE_UNIT);
  w.unsigned("u32", t.frame_id);
  w.unsigned("u8", t.last_refusal);
  w.unsigned("u8", t.peers);
  w.unsigned("u16", t.refused_n);
  w.unsigned("u16", t.command_age_ms);
  w.unsigned("u32", t.event_serial);
  w.unsigned("u32", t.schema_hash ?? SCHEMA_HASH);
  return w.buffer;
}

export function unpackTelemetry(data) {
  const r = new Reader(data, "telemetry");
  const t = { flags: r.unsigned("u16") };
  for (const name of ["lease_epoch", "tel_seq", "last_seq", "applied_seq"]) t[name] = r.unsigned("u32");
  t.t_edge_us = r.u64();
  t.echo_t_client_us = r.u64();
  t.echo_hold_us = r.unsigned("u32");
  t.safety_state = r.unsigned("u8");
  t.stop_cause = r.unsigned("u8");
  t.limit_bits = r.unsigned("u16");
  t.position_mm = r.many(3, () => r.f32());
  t.quaternion = r.many(4, () => r.f32()); // w x y z
  t.joints_rad = r.i16(7, JOINT_UNIT_RAD);
  t.force_n = r.f32();
  t.force_set_n = r.f32();
  t.force_cap_n = r.f32();
  t.done = r.i16(6, DONE_UNIT);
  t.frame_id = r.unsigned("u32");
  t.last_refusal = r.unsigned("u8");
  t.peers = r.unsigned("u8");
  t.refused_n = r.unsigned("u16");
  t.command_age_ms = r.unsigned("u16");
  t.event_serial = r.unsigned("u32");
  t.schema_hash = schema(r);
  if (t.safety_state >= STATES.length || t.stop_cause >= CAUSES.length || t.last_refusal >= REFUSALS.length) {
    throw new WireError("schema", `state ${t.safety_state} cause ${t.stop_cause} refusal ${t.last_refusal}`);
  }
  return t;
}

export function packEstop(e) {
  const w = new Writer(SIZE.estop, TYPE.estop);
  w.unsigned("u16", e.flags);
  w.unsigned("u32", e.seq);
  w.u64(e.t_client_us);
  return w.buffer;
}

export function unpackEstop(data) {
  const r = new Reader(data, "estop");
  return { flags: r.unsigned("u16"), seq: r.unsigned("u32"), t_client_us: r.u64() };
}

// The frame a picture on the screen shows. RTP time is frame_id * 3000 (90 kHz, 30 frames/s) modulo 2^32.
export function frameIdOf(rtpTimestamp, newestFrameId) {
  const behind = ((newestFrameId * 3000) % 2 ** 32) - rtpTimestamp;
  return newestFrameId - Math.round((behind | 0) / 3000);
}

export const has = (telemetry, flag) => (telemetry.flags & flag) !== 0;
export const limitNames = (bits) => LIMITS.filter((_, index) => bits & (1 << index));
