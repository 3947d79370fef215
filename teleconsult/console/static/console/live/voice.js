// Voice between the two pages, over signalling, never through the robot. The console offers, the bedside answers;
// a bedside that gained or lost its microphone says "bye" and is offered again.
import { gathered } from "./peer.js";

const REOFFER_MS = 800;
const UNANSWERED_MS = 6000; // the other page may have been away when the offer came

export class Voice {
  // send(message), onChange(view): view = {state: off|calling|on, mic: asking|on|muted|denied|none}
  constructor({ offers, send, onChange }) {
    this.offers = offers;
    this.send = send;
    this.onChange = onChange;
    this.iceServers = [];
    this.pc = null;
    this.stream = null;
    this.mic = "asking";
    this.state = "off";
    this.otherThere = false;
    this.audio = new Audio();
    this.audio.autoplay = true;
  }

  // Ask for the microphone; listening works without it.
  async openMicrophone() {
    if (this.stream) return;
    try {
      this.stream = await navigator.mediaDevices.getUserMedia({
        audio: { echoCancellation: true, noiseSuppression: true, autoGainControl: true },
      });
      this.mic = "on";
    } catch (reason) {
      this.mic = reason.name === "NotFoundError" ? "none" : "denied";
    }
    this.#changed();
    if (this.offers) this.call();
    else if (this.pc && this.stream) this.hangUp("bye");
  }

  async toggleMicrophone() {
    if (!this.stream) {
      await this.openMicrophone();
      return;
    }
    const [track] = this.stream.getAudioTracks();
    track.enabled = !track.enabled;
    this.mic = track.enabled ? "on" : "muted";
    this.#changed();
  }

  // The other page came or went.
  other(present) {
    const came = present && !this.otherThere;
    this.otherThere = present;
    if (!present) this.hangUp();
    else if (came && this.offers) this.call();
  }

  async call() {
    if (!this.otherThere || this.mic === "asking" || this.ended) return;
    const pc = this.#connection();
    this.#tracks(pc);
    await pc.setLocalDescription(await pc.createOffer());
    await gathered(pc);
    if (pc !== this.pc) return;
    this.#become("calling");
    this.send({ type: "voice", kind: "offer", sdp: pc.localDescription.sdp });
  }

  async received({ kind, sdp }) {
    this.otherThere = true;
    if (kind === "bye") {
      this.hangUp();
      clearTimeout(this.timer);
      if (this.offers) this.timer = setTimeout(() => this.call(), REOFFER_MS);
    } else if (kind === "offer" && !this.offers) await this.#answer(sdp);
    else if (kind === "answer" && this.pc?.signalingState === "have-local-offer") {
      await this.pc.setRemoteDescription({ type: "answer", sdp });
    }
  }

  async #answer(sdp) {
    const pc = this.#connection();
    await pc.setRemoteDescription({ type: "offer", sdp });
    this.#tracks(pc);
    await pc.setLocalDescription(await pc.createAnswer());
    await gathered(pc);
    if (pc !== this.pc) return;
    this.#become("calling");
    this.send({ type: "voice", kind: "answer", sdp: pc.localDescription.sdp });
  }

  // This page no longer speaks for its role: no connection, no open microphone.
  end() {
    this.ended = true;
    this.hangUp();
    for (const track of this.stream?.getTracks() ?? []) track.stop();
    this.stream = null;
    this.mic = "muted";
    this.#changed();
  }

  hangUp(word) {
    if (word) this.send({ type: "voice", kind: word, sdp: null });
    this.pc?.close();
    this.pc = null;
    this.#become("off");
  }

  #connection() {
    this.pc?.close();
    const pc = new RTCPeerConnection({ iceServers: this.iceServers });
    this.pc = pc;
    pc.ontrack = ({ track }) => {
      this.audio.srcObject = new MediaStream([track]);
      this.audio.play().catch(() => { this.needsGesture = true; }); // played after the next key or touch
      this.#meter(track);
    };
    pc.onconnectionstatechange = () => {
      if (pc !== this.pc) return;
      if (pc.connectionState === "connected") this.#become("on");
      if (pc.connectionState === "failed") {
        this.#become("off"); // and try again
        if (this.offers) this.timer = setTimeout(() => this.call(), REOFFER_MS);
      }
    };
    return pc;
  }

  #tracks(pc) {
    const [track] = this.stream?.getAudioTracks() ?? [];
    const existing = pc.getTransceivers()[0];
    if (existing) {
      existing.direction = track ? "sendrecv" : "recvonly";
      if (track) existing.sender.replaceTrack(track);
    } else pc.addTransceiver(track ?? "audio", { direction: track ? "sendrecv" : "recvonly", streams: track ? [this.stream] : [] });
  }

  #meter() {
    this.level = async () => {
      const stats = await this.pc?.getStats();
      for (const row of stats?.values() ?? []) {
        if (row.type === "inbound-rtp" && row.kind === "audio") return row.audioLevel ?? 0;
      }
      return 0;
    };
  }

  // A page may play sound only after a gesture: call from any key or pointer press.
  gesture() {
    if (!this.needsGesture) return;
    this.needsGesture = false;
    this.audio.play().catch(() => { this.needsGesture = true; });
  }

  #become(state) {
    this.state = state;
    clearTimeout(this.timer);
    if (state === "calling" && this.offers) this.timer = setTimeout(() => this.call(), UNANSWERED_MS);
    this.#changed();
  }

  #changed() {
    this.onChange({ state: this.state, mic: this.mic });
  }
}
