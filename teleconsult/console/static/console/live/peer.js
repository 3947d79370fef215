// One connection to the robot, and the link that keeps one alive: a new one is made before the old one is let go.
import { GATHER_MAX_MS, REDIAL_MS } from "./limits.js";
import { unpackTelemetry } from "./wire.js";

const LOSSY = { negotiated: true, ordered: false, maxRetransmits: 0 };
const ACK_TIMEOUT_MS = 3000;
const ANSWER_MAX_MS = 8000;
const REFUSED_PAUSE_MS = 2500;
const REORDER_MAX = 50; // messages, one second at 50 Hz

export class CtlError extends Error {
  constructor(code) {
    super(code);
    this.code = code;
  }
}

// Resolves when all candidates are known, or after GATHER_MAX_MS with those found so far.
export function gathered(pc) {
  if (pc.iceGatheringState === "complete") return Promise.resolve();
  return new Promise((resolve) => {
    const timer = setTimeout(resolve, GATHER_MAX_MS);
    pc.addEventListener("icegatheringstatechange", () => {
      if (pc.iceGatheringState !== "complete") return;
      clearTimeout(timer);
      resolve();
    });
  });
}

function preferH264(transceiver) {
  const all = RTCRtpReceiver.getCapabilities("video")?.codecs ?? [];
  const wanted = all.filter((codec) => /h264/i.test(codec.mimeType));
  const helpers = all.filter((codec) => /rtx|red|ulpfec/i.test(codec.mimeType));
  // Before setRemoteDescription, or VP8 is used without a word.
  if (wanted.length) transceiver.setCodecPreferences([...wanted, ...helpers]);
}

export class RobotPeer {
  // role: console | bedside; giveCmd(channel, peer) may take the command channel (to a worker) before anything is sent
  // on it, giveTel(channel, peer) the telemetry's: true when it did, and its messages come by received().
  constructor({ role, iceServers, giveCmd, giveTel, onTelemetry, onCtl, onStream, onClosed }) {
    this.pc = new RTCPeerConnection({ iceServers, bundlePolicy: "max-bundle" });
    this.telemetryAt = 0;
    this.startedAt = performance.now();
    this.waiting = new Map(); // ctl request id -> {resolve, reject, timer}
    this.nextId = 1;
    this.closed = false;
    if (role === "console") giveCmd(this.pc.createDataChannel("cmd", { ...LOSSY, id: 1 }), this);
    this.onTelemetry = onTelemetry;
    const tel = this.pc.createDataChannel("tel", { ...LOSSY, id: 2 });
    if (!giveTel(tel, this)) {
      tel.binaryType = "arraybuffer";
      tel.onmessage = ({ data }) => this.received(data, null);
    }
    this.ctl = this.pc.createDataChannel("ctl", { negotiated: true, ordered: true, id: 3 });
    this.estop = this.pc.createDataChannel("estop", { ...LOSSY, id: 4 });
    this.estop.binaryType = "arraybuffer";
    this.ctl.onmessage = ({ data }) => this.#ctl(data, onCtl);
    this.estop.onclose = () => onClosed(this);
    this.#video(onStream);
  }

  #video(onStream) {
    const transceiver = this.pc.addTransceiver("video", { direction: "recvonly" });
    preferH264(transceiver);
    this.pc.ontrack = ({ track, receiver }) => {
      if ("jitterBufferTarget" in receiver) receiver.jitterBufferTarget = 0;
      if ("playoutDelayHint" in receiver) receiver.playoutDelayHint = 0;
      this.receiver = receiver;
      onStream(new MediaStream([track]), this); // its own stream: never synchronised with a voice
    };
  }

  // One telemetry; atWorkerMs: when the worker got it, on its clock, null when it came to the page.
  received(data, atWorkerMs) {
    let telemetry;
    try {
      telemetry = unpackTelemetry(data);
    } catch {
      return; // another layout or a damaged message counts as no telemetry
    }
    const behind = (this.newest ?? -1) - telemetry.tel_seq;
    if (behind >= 0 && behind < REORDER_MAX) return; // unordered channel: old news. Farther back: the robot restarted
    this.newest = telemetry.tel_seq;
    this.telemetryAt = performance.now();
    this.onTelemetry(telemetry, this, atWorkerMs);
  }

  #ctl(data, onCtl) {
    let message;
    try {
      message = JSON.parse(typeof data === "string" ? data : new TextDecoder().decode(data));
    } catch {
      return;
    }
    const pending = message.type === "ack" ? this.waiting.get(message.id) : undefined;
    if (!pending) {
      onCtl(message, this);
      return;
    }
    this.waiting.delete(message.id);
    clearTimeout(pending.timer);
    if (message.ok) pending.resolve(message.done ?? {});
    else pending.reject(new CtlError(message.code ?? "unknown"));
  }

  async offer() {
    await this.pc.setLocalDescription(await this.pc.createOffer());
    await gathered(this.pc);
    return this.pc.localDescription.sdp;
  }

  answer(sdp) {
    return this.pc.setRemoteDescription({ type: "answer", sdp });
  }

  // ctl request -> what was really done; CtlError(code) when refused, unanswered or not connected.
  request(type, fields = {}) {
    if (this.ctl.readyState !== "open") return Promise.reject(new CtlError("not_connected"));
    const id = this.nextId++;
    return new Promise((resolve, reject) => {
      const timer = setTimeout(() => {
        this.waiting.delete(id);
        reject(new CtlError("timeout"));
      }, ACK_TIMEOUT_MS);
      this.waiting.set(id, { resolve, reject, timer });
      this.ctl.send(JSON.stringify({ type, id, ...fields }));
    });
  }

  // True when handed to the channel. `bytes` are 16.
  sendEstop(bytes) {
    if (this.estop.readyState !== "open") return false;
    this.estop.send(bytes);
    return true;
  }

  close() {
    this.closed = true;
    for (const { reject, timer } of this.waiting.values()) {
      clearTimeout(timer);
      reject(new CtlError("not_connected"));
    }
    this.waiting.clear();
    this.pc.close();
  }
}

// Keeps one RobotPeer in use and at most one in the making. ICE state is never asked: only telemetry counts.
export class RobotLink {
  // send(message) -> bool over signalling; on: {telemetry, ctl, stream, using, refused}
  constructor({ role, send, giveCmd, giveTel, on }) {
    this.options = { role, giveCmd, giveTel };
    this.send = send;
    this.on = on;
    this.iceServers = [];
    this.current = null;
    this.pending = null;
    this.notBefore = 0;
  }

  get silentMs() {
    return this.current?.telemetryAt ? performance.now() - this.current.telemetryAt : Infinity;
  }

  // After every welcome. A page whose connection lives may keep it (`renew` false: the bedside).
  welcomed({ ice_servers: iceServers, renew }) {
    this.iceServers = iceServers ?? [];
    this.notBefore = 0;
    this.#drop("pending");
    if (renew || this.silentMs > REDIAL_MS) this.dial();
  }

  // Call every second or so: redials when the robot has been silent, whatever the states say.
  check() {
    const now = performance.now();
    if (this.pending && now - this.pending.startedAt > ANSWER_MAX_MS) this.#drop("pending");
    if (!this.pending && this.silentMs > REDIAL_MS && now >= this.notBefore) this.dial();
  }

  async dial() {
    this.#drop("pending");
    const peer = new RobotPeer({
      ...this.options,
      iceServers: this.iceServers,
      onTelemetry: (telemetry, from, atWorkerMs) => this.#telemetry(telemetry, from, atWorkerMs),
      onCtl: (message, from) => this.#ctl(message, from),
      onStream: (stream, from) => { from.stream = stream; if (from === this.current) this.on.stream(stream); },
      onClosed: (from) => this.#closed(from),
    });
    this.pending = peer;
    this.notBefore = performance.now() + REDIAL_MS;
    const sdp = await peer.offer();
    if (peer !== this.pending) return;
    if (!this.send({ type: "peer_offer", sdp })) this.#drop("pending");
  }

  async answered(sdp) {
    try {
      await this.pending?.answer(sdp);
    } catch {
      this.#drop("pending"); // an answer to an older offer; the next check dials again
    }
  }

  refused(code, title) {
    this.#drop("pending");
    this.notBefore = performance.now() + REFUSED_PAUSE_MS;
    this.on.refused(code, title);
  }

  request(type, fields) {
    return this.current ? this.current.request(type, fields) : Promise.reject(new CtlError("not_connected"));
  }

  // A stop goes out on every connection there is.
  sendEstop(bytes) {
    const sent = [this.current, this.pending].map((peer) => peer?.sendEstop(bytes) ?? false);
    return sent.includes(true);
  }

  close() {
    this.#drop("pending");
    this.#drop("current");
  }

  #telemetry(telemetry, from, atWorkerMs) {
    if (from === this.pending) this.#use(from);
    if (from === this.current) this.on.telemetry(telemetry, atWorkerMs);
  }

  // The robot may describe its picture before its first telemetry: keep that for the moment it is used.
  #ctl(message, from) {
    if (from === this.current) this.on.ctl(message);
    else if (from === this.pending) (from.early ??= []).push(message);
  }

  #use(peer) {
    const old = this.current;
    this.current = peer;
    this.pending = null;
    old?.close();
    if (peer.stream) this.on.stream(peer.stream);
    this.on.using(peer);
    for (const message of peer.early ?? []) this.on.ctl(message);
  }

  #closed(peer) {
    if (peer.closed) return;
    if (peer === this.pending) this.#drop("pending");
    if (peer === this.current) {
      peer.telemetryAt = 0; // the robot's side said goodbye: no need to wait for the silence
      this.notBefore = Math.min(this.notBefore, performance.now() + 300);
    }
  }

  #drop(which) {
    const peer = this[which];
    this[which] = null;
    peer?.close();
  }
}
