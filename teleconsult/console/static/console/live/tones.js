// Short tones without files: a change of state is heard as well as seen.
const NOTES = { moving: [660, 0.08], rest: [440, 0.1], hold: [330, 0.16], stopped: [196, 0.5], lost: [147, 0.7], hurt: [880, 0.35], prompt: [523, 0.15] };

export class Tones {
  constructor() {
    this.on = true;
    this.context = null;
  }

  // A page may sound only after a gesture: call from any press.
  gesture() {
    this.context ??= new AudioContext();
    if (this.context.state === "suspended") this.context.resume();
  }

  play(kind) {
    const note = NOTES[kind];
    if (!this.on || !note || this.context?.state !== "running") return;
    const [frequency, seconds] = note;
    const oscillator = new OscillatorNode(this.context, { frequency, type: "triangle" });
    const level = new GainNode(this.context, { gain: 0.25 });
    level.gain.setTargetAtTime(0, this.context.currentTime + seconds, 0.03);
    oscillator.connect(level).connect(this.context.destination);
    oscillator.start();
    oscillator.stop(this.context.currentTime + seconds + 0.2);
  }
}
