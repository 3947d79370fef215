// Voice between the two pages, over signalling, never through the robot. The console offers, the bedside answers.
// Each opening of a page has a name of its own: a page that greets under a new name was loaded again and is called at
// once; a page whose socket blinked greets under its old name and its voice, which runs without the server, is left
// alone. Offers carry a call's name, so that a late answer to an older call is recognised.
import { gathered } from "./peer.js";

const WATCH_MS = 250;
const UNANSWERED_MS = 3000; // an offer lost on the way is made again
const BROKEN_MS = 2500; // disconnected for this long: a new call, long before the browser says failed (15 s and more)
const SILENT_MS = 2000; // no packet for this long: nothing is heard, whatever the state says
const unique = () => crypto.getRandomValues(new Uint32Array(3)).join("-");

export class Voice {
  // send(message) -> whether it went, onChange(view), onLevels({mine, theirs}) 0..1; memory: key in this tab's storage
  // view = {state: off|calling|on, mic: asking|on|muted|denied|none, heard, blocked}
  constructor({ offers, send, onChange, onLevels = () => {}, memory }) {
    this.offers = offers;
    this.send = send;
    this.onChange = onChange;
    this.onLevels = onLevels;
    this.memory = memory;
    this.iceServers = [];
    this.page = unique();
    this.otherPage = null;
    this.otherThere = true; // until the server says otherwise
    this.callName = null;
    this.pc = null;
    this.stream = null;
    this.muted = sessionStorage.getItem(memory) === "muted";
    this.mic = "asking";
    this.state = "off";
    this.audio = new Audio();
    this.audio.autoplay = true;
    this.watcher = setInterval(() => this.#watch(), WATCH_MS);
  }

  // Ask for the microphone; listening and calling do not wait for it.
  async openMicrophone() {
    if (this.stream || this.opening) return;
    this.opening = true;
    try {
      const stream = await navigator.mediaDevices.getUserMedia({
        audio: { echoCancellation: true, noiseSuppression: true, autoGainControl: true },
      });
      if (this.ended) {
        for (const track of stream.getTracks()) track.stop();
        return;
      }
      this.#took(stream);
    } catch (reason) {
      this.mic = reason.name === "NotFoundError" ? "none" : "denied";
    } finally {
      this.opening = false;
    }
    this.#changed();
  }

  #took(stream) {
    this.stream = stream;
    const [track] = stream.getAudioTracks();
    track.enabled = !this.muted;
    track.onended = () => { // unplugged
      this.stream = null;
      this.mic = "none";
      this.#changed();
    };
    this.mic = this.muted ? "muted" : "on";
    this.#speak();
  }

  async toggleMicrophone() {
    if (!this.stream) {
      this.muted = false;
      await this.openMicrophone();
      return;
    }
    const [track] = this.stream.getAudioTracks();
    track.enabled = !track.enabled;
    this.muted = !track.enabled;
    sessionStorage.setItem(this.memory, this.muted ? "muted" : "open");
    this.mic = this.muted ? "muted" : "on";
    this.#changed();
  }

  // The socket to the server is open (again): say who is here and which call runs.
  welcomed(iceServers) {
    this.iceServers = iceServers ?? [];
    this.#say("hello", { wants: true });
  }

  // The other page's socket came or went. The voice itself runs on: it does not need the server.
  other(present) {
    this.otherThere = present;
  }

  async received({ kind, sdp, page, call, wants }) {
    if (this.ended || !page) return;
    this.otherThere = true;
    if (kind === "hello") this.#greeted(page, call, wants);
    else if (kind === "offer" && !this.offers) await this.#answer(page, call, sdp);
    else if (kind === "answer" && page === this.otherPage && call === this.callName && this.pc?.signalingState === "have-local-offer") {
      await this.#steps(this.pc, [(pc) => pc.setRemoteDescription({ type: "answer", sdp })]);
    }
  }

  // One after the other, unless a newer call took over meanwhile: then the old connection is closed and refuses.
  async #steps(pc, steps) {
    try {
      for (const step of steps) {
        await step(pc);
        if (pc !== this.pc) return false;
      }
    } catch (reason) {
      if (pc === this.pc) throw reason;
      return false;
    }
    return true;
  }

  #greeted(page, call, wants) {
    const same = page === this.otherPage && call !== null && call === this.callName && this.#carries;
    this.otherPage = page;
    if (wants) this.#say("hello", {});
    if (this.offers && !same) this.#call();
  }

  // Runs on a connection the other end knows; "new" and "connecting" are still on their way.
  get #carries() {
    return Boolean(this.pc) && !["failed", "closed", "disconnected"].includes(this.pc.connectionState);
  }

  async #call() {
    if (this.ended || !this.otherPage) return;
    const pc = this.#connection(unique());
    pc.addTransceiver("audio", { direction: "sendrecv" });
    this.#speak();
    if (await this.#steps(pc, [() => pc.setLocalDescription(), gathered])) this.#say("offer", { sdp: pc.localDescription.sdp });
  }

  async #answer(page, call, sdp) {
    this.otherPage = page;
    const pc = this.#connection(call);
    const both = () => {
      pc.getTransceivers()[0].direction = "sendrecv"; // a microphone that opens later needs no new call
      this.#speak();
    };
    const steps = [() => pc.setRemoteDescription({ type: "offer", sdp }), both, () => pc.setLocalDescription(), gathered];
    if (await this.#steps(pc, steps)) this.#say("answer", { sdp: pc.localDescription.sdp });
  }

  #say(kind, fields) {
    return this.send({ type: "voice", kind, sdp: null, page: this.page, call: this.callName, ...fields });
  }

  // This page no longer speaks for its role: no connection, no open microphone.
  end() {
    this.ended = true;
    clearInterval(this.watcher);
    this.#hangUp();
    for (const track of this.stream?.getTracks() ?? []) track.stop();
    this.stream = null;
    this.mic = "muted";
    this.onLevels({ mine: 0, theirs: 0 });
    this.#become("off");
  }

  #hangUp() {
    this.pc?.close();
    this.pc = null;
    this.callName = null;
  }

  #connection(callName) {
    this.#hangUp();
    const pc = new RTCPeerConnection({ iceServers: this.iceServers });
    this.pc = pc;
    this.callName = callName;
    this.calledAt = performance.now();
    this.packets = 0;
    this.heardAt = -Infinity;
    pc.ontrack = ({ track }) => {
      this.audio.srcObject = new MediaStream([track]);
      this.#play();
    };
    this.#become("calling");
    return pc;
  }

  #play() {
    this.audio.play().then(() => this.#blocked(false), (reason) => this.#blocked(reason.name === "NotAllowedError"));
  }

  #blocked(on) {
    if (this.blocked === on) return;
    this.blocked = on; // until the next key or touch
    this.#changed();
  }

  #speak() {
    const [track] = this.stream?.getAudioTracks() ?? [];
    const sender = this.pc?.getTransceivers()[0]?.sender;
    if (track && sender && sender.track !== track) sender.replaceTrack(track);
  }

  // A page may play sound only after a gesture: call from any key or pointer press.
  gesture() {
    if (this.blocked) this.#play();
  }

  async #watch() {
    const pc = this.pc;
    const now = performance.now();
    const levels = { mine: 0, theirs: 0 };
    if (pc) this.#read(await pc.getStats(), levels, now);
    if (pc !== this.pc || this.ended) return;
    this.onLevels(this.mic === "on" ? levels : { ...levels, mine: 0 });
    if (!pc) return;
    const connected = pc.connectionState === "connected";
    if (connected) this.calledAt = now;
    this.#become(connected ? "on" : "calling", connected && now - this.heardAt < SILENT_MS);
    const answered = pc.signalingState === "stable";
    const broken = pc.connectionState === "failed" || now - this.calledAt > (answered ? BROKEN_MS : UNANSWERED_MS);
    if (this.offers && broken && this.otherThere) await this.#call();
  }

  #read(stats, levels, now) {
    for (const row of stats.values()) {
      if (row.kind !== "audio") continue;
      if (row.type === "media-source") levels.mine = row.audioLevel ?? 0;
      if (row.type !== "inbound-rtp") continue;
      levels.theirs = row.audioLevel ?? 0;
      if (row.packetsReceived > this.packets) this.heardAt = now;
      this.packets = row.packetsReceived;
    }
  }

  #become(state, heard = false) {
    if (this.state === state && this.heard === heard) return;
    this.state = state;
    this.heard = heard;
    this.#changed();
  }

  #changed() {
    this.onChange({ state: this.state, mic: this.mic, heard: Boolean(this.heard), blocked: Boolean(this.blocked) });
  }
}
