// Scrolling back through the last 10 s while frozen: wheel, arrow keys, slider. The robot shows the picture to both ends
// at once; the lossless one follows when scrolling rests, and only on that one calipers work.
import { h, replace } from "../dom.js";
import { t } from "../texts.js";

export const BACK_MAX = 300; // devices/wire/ctl.py CINE_BACK_MAX
const STEPS = { ArrowLeft: 1, ArrowRight: -1, PageUp: 30, PageDown: -30, Home: BACK_MAX, End: -BACK_MAX };

export class Cine {
  // root: where the slider stands; area: where the wheel turns; on: frozen() -> bool, busy() -> calipers have the keys,
  // request(back) -> Promise of {back, frames, frame_id, back_s}, moved(frameId), error(error)
  constructor({ root, area, on }) {
    Object.assign(this, { root, on, back: 0, frames: 0, frameId: null, seconds: 0, wanted: null, asking: false });
    this.slider = h("input", { type: "range", min: 0, max: 1, value: 1, tabindex: -1, "aria-label": t("live.cine") });
    this.words = h("output", { class: "num" });
    replace(root, h("span", {}, t("live.cine")), this.slider, this.words);
    this.slider.addEventListener("input", () => this.go(this.#last - Number(this.slider.value)));
    area.addEventListener("wheel", (event) => {
      if (!on.frozen()) return;
      event.preventDefault();
      this.step(event.deltaY > 0 ? 1 : -1);
    }, { passive: false });
    window.addEventListener("keydown", (event) => this.#key(event));
    this.show();
  }

  get #last() {
    return Math.max(1, this.frames - 1);
  }

  #key(event) {
    const step = STEPS[event.code];
    const typing = event.target instanceof Element && event.target.matches("textarea, select, input:not([type=range])");
    if (!step || typing || !this.on.frozen() || this.on.busy() || document.querySelector("dialog[open]")) return;
    event.preventDefault();
    this.step(step);
  }

  step(by) {
    this.go((this.wanted ?? this.back) + by);
  }

  // One request at a time, the newest wish wins: a fast wheel never queues on the control connection.
  async go(back) {
    this.wanted = Math.max(0, Math.min(this.frames ? this.#last : BACK_MAX, back));
    if (this.asking) return;
    this.asking = true;
    try {
      while (this.wanted !== null && this.on.frozen()) {
        const asked = this.wanted;
        const done = await this.on.request(asked);
        if (this.wanted === asked) this.wanted = null;
        Object.assign(this, { back: done.back, frames: done.frames, seconds: done.back_s, frameId: done.frame_id });
        this.on.moved(done.frame_id);
        this.show();
      }
    } catch (error) {
      this.wanted = null;
      this.on.error(error);
    } finally {
      this.asking = false;
    }
  }

  // A freeze begins at the newest picture.
  reset() {
    Object.assign(this, { back: 0, seconds: 0, frameId: null, wanted: null, frames: 0 });
    this.show();
  }

  show() {
    this.root.hidden = !this.on.frozen();
    this.slider.max = this.#last;
    if (!this.slider.matches(":active")) this.slider.value = this.#last - this.back;
    this.words.textContent = t("live.cine.at", { s: this.seconds.toFixed(1) });
  }
}
