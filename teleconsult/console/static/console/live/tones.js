// Short tones without files: a change of state is heard as well as seen.
const NOTES = { moving: [660, 0.08], rest: [440, 0.1], hold: [330, 0.16], stopped: [196, 0.5], lost: [147, 0.7], hurt: [880, 0.35], prompt: [523, 0.4] };

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

  // The patient's prompt without a voice: sounds even when the tones of the page are off. True when it was heard.
  async prompt() {
    const deadline = new Promise((resolve) => { setTimeout(resolve, 300); });
    await Promise.race([this.context?.resume(), deadline]); // without a gesture `resume` may never answer
    if (this.context?.state !== "running") return false;
    const { on } = this;
    this.on = true;
    this.play("prompt");
    this.on = on;
    return true;
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
