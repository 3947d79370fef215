// Pads, speed, force, contact/travel, lift and the patient prompts.
import { h, replace, say } from "../dom.js";
import { t } from "../texts.js";
import { SPEEDS } from "./limits.js";
import { pad } from "./pads.js";

const PROMPTS = [
  ["breathe_in", "4"], ["hold", "5"], ["breathe_out", "6"], ["turn_left", "7"], ["turn_right", "8"], ["lie_still", "9"], ["relax", "0"],
];
const place = (id) => document.getElementById(id);

export class OperatorPanel {
  constructor({ input, prompt, breath, lift }) {
    this.input = input;
    this.breath = breath;
    this.#pads();
    this.#chips();
    place("force-less").onclick = () => input.force(input.forceN - 0.5);
    place("force-more").onclick = () => input.force(input.forceN + 0.5);
    place("travel").onclick = () => input.setTravel(!input.travel);
    place("lift").onclick = lift;
    this.#prompts(prompt);
  }

  #pads() {
    const { input } = this;
    pad(place("pad-slide"), {
      title: t("live.pad.slide"), arrows: [["A", -1, 0], ["D", 1, 0], ["W", 0, -1], ["S", 0, 1]],
      report: (to) => { input.pads.slide = to; },
    });
    pad(place("pad-rock"), {
      title: t("live.pad.rock"), arrows: [["J", -1, 0], ["L", 1, 0], ["I", 0, -1], ["K", 0, 1]],
      report: (to) => { input.pads.rock = to; },
      ring: { labels: [["Q", -0.72, -0.72], ["E", 0.72, -0.72]], report: (to) => { input.pads.turn = to; } },
    });
  }

  #chips() {
    this.chips = Object.keys(SPEEDS).map((name, index) => {
      const chip = h("button", { type: "button", class: "chip", tabindex: -1 }, h("kbd", {}, index + 1), t(`live.speed.${name}`));
      chip.onclick = () => this.input.setSpeed(name);
      return [name, chip];
    });
    replace(place("speeds"), this.chips.map(([, chip]) => chip));
  }

  #prompts(prompt) {
    this.prompts = new Map(PROMPTS.map(([key, digit]) => {
      const button = h("button", { type: "button", class: "prompt", tabindex: -1 }, h("kbd", {}, digit), h("span", {}, t(`live.prompt.${key}`)));
      button.onclick = () => prompt(key);
      return [key, button];
    }));
    replace(place("prompts"), [...this.prompts.values()]);
  }

  // A prompt went out.
  prompted(key) {
    for (const [name, button] of this.prompts) button.classList.toggle("last", name === key);
  }

  show({ active = this.active, habitus = this.habitus } = {}) {
    this.active = active;
    this.habitus = habitus;
    const { input } = this;
    place("operator").dataset.active = active;
    place("deadman").dataset.held = active && input.deadman;
    say(place("deadman"), active && input.deadman ? `● ${t("live.deadman.held")}` : `○ ${t("live.deadman")}`);
    for (const [name, chip] of this.chips) chip.setAttribute("aria-pressed", String(name === input.speed));
    say(place("force-set"), `${input.forceN.toFixed(1)} N`);
    say(place("travel-word"), t(input.travel ? "live.mode.travel" : "live.mode.contact"));
    place("travel").setAttribute("aria-pressed", String(input.travel));
    say(place("mode-hint"), habitus ? t("live.habitus") : t(input.travel ? "live.contact.travel" : "live.contact.on"));
    const hold = this.prompts.get("hold").lastChild;
    const { seconds, tooLong } = this.breath;
    this.prompts.get("hold").classList.toggle("long", tooLong);
    const word = seconds === null ? t("live.prompt.hold") : `${t("live.prompt.hold")} ${seconds} s`;
    say(hold, word);
  }
}
