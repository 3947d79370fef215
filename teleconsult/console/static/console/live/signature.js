// A field to sign in, with pen, finger or mouse; the strokes become a PNG.
import { h } from "../dom.js";
import { t } from "../texts.js";

export class Signature {
  constructor() {
    this.canvas = h("canvas", { class: "signature", role: "img", "aria-label": t("bed.consent.sign_here"), id: "signature" });
    this.empty = true;
    this.canvas.addEventListener("pointerdown", (event) => this.#down(event));
    this.canvas.addEventListener("pointermove", (event) => this.#move(event));
    for (const name of ["pointerup", "pointercancel"]) this.canvas.addEventListener(name, () => { this.from = null; });
  }

  #context() {
    const { canvas } = this;
    if (!this.context) {
      canvas.width = canvas.clientWidth * 2;
      canvas.height = canvas.clientHeight * 2;
      this.context = canvas.getContext("2d");
      this.context.scale(2, 2);
      Object.assign(this.context, { lineWidth: 2.5, lineCap: "round", lineJoin: "round", strokeStyle: "#10222b" });
    }
    return this.context;
  }

  #at(event) {
    const bounds = this.canvas.getBoundingClientRect();
    return [event.clientX - bounds.left, event.clientY - bounds.top];
  }

  #down(event) {
    event.preventDefault();
    this.canvas.setPointerCapture(event.pointerId);
    this.from = this.#at(event);
  }

  #move(event) {
    if (!this.from) return;
    const c = this.#context();
    const to = this.#at(event);
    c.beginPath();
    c.moveTo(...this.from);
    c.lineTo(...to);
    c.stroke();
    this.from = to;
    this.empty = false;
  }

  clear() {
    this.context?.clearRect(0, 0, this.canvas.width, this.canvas.height);
    this.empty = true;
  }

  // base64 without the data: prefix
  png() {
    return this.canvas.toDataURL("image/png").split(",")[1];
  }
}
