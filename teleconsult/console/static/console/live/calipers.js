// Distance on the frozen lossless frame: two clicks or a drag, arrows nudge, Enter sets. Millimetres come from the
// server, computed with the stored calibration; nothing is measured on video.
import { call } from "../api.js";
import { t } from "../texts.js";

const COLOURS = ["#ffd54a", "#7be0ad", "#ff9e80", "#9fc5ff"];
const DRAG_PX = 6;

export class Calipers {
  // onChange({active, hint, rows}), onError(error)
  constructor({ picture, examId, onChange, onError }) {
    Object.assign(this, { picture, examId, onChange, onError });
    this.reset();
    picture.draws.push((c, box) => this.#draw(c, box));
    const { overlay } = picture;
    overlay.addEventListener("pointerdown", (event) => this.#down(event));
    overlay.addEventListener("pointermove", (event) => this.#move(event));
    overlay.addEventListener("pointerup", (event) => this.#up(event));
    window.addEventListener("keydown", (event) => this.#key(event), { capture: true });
  }

  reset() {
    this.active = false;
    this.cursor = null; // [x, y] in picture pixels
    this.first = null;
    this.rows = []; // {id, points, value_mm}
  }

  setFrame(frozen) {
    this.reset();
    this.frame = frozen;
    this.#changed();
  }

  toggle(on = !this.active) {
    this.active = on && Boolean(this.frame);
    this.first = null;
    this.cursor = this.active ? [this.frame.width / 2, this.frame.height / 2] : null;
    this.#changed();
  }

  #point(event) {
    const box = this.picture.box();
    const bounds = this.picture.overlay.getBoundingClientRect();
    const x = (event.clientX - bounds.left - box.left) / box.scale;
    const y = (event.clientY - bounds.top - box.top) / box.scale;
    return [Math.max(0, Math.min(this.frame.width - 1, x)), Math.max(0, Math.min(this.frame.height - 1, y))];
  }

  #down(event) {
    if (!this.active) return;
    event.preventDefault();
    this.picture.overlay.setPointerCapture(event.pointerId);
    this.pressed = [event.clientX, event.clientY];
    this.#set(this.#point(event));
  }

  #move(event) {
    if (!this.active) return;
    this.cursor = this.#point(event);
    this.picture.redraw();
  }

  #up(event) {
    if (!this.active || !this.first || !this.pressed) return;
    const dragged = Math.hypot(event.clientX - this.pressed[0], event.clientY - this.pressed[1]) > DRAG_PX;
    this.pressed = null;
    if (dragged) this.#set(this.#point(event));
  }

  #key(event) {
    if (!this.active) return;
    const step = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] }[event.code];
    if (!step && event.code !== "Enter") return;
    event.preventDefault();
    event.stopImmediatePropagation();
    if (step) this.cursor = [this.cursor[0] + step[0] * (event.repeat ? 3 : 1), this.cursor[1] + step[1] * (event.repeat ? 3 : 1)];
    else this.#set(this.cursor);
    this.picture.redraw();
  }

  #set(point) {
    this.cursor = point;
    if (!this.first) {
      this.first = point;
      this.#changed();
      return;
    }
    const points = [this.first, point];
    this.first = null;
    if (Math.hypot(points[0][0] - points[1][0], points[0][1] - points[1][1]) < 2) {
      this.#changed();
      return;
    }
    this.#save(points);
  }

  async #save(points) {
    const row = { id: null, points, value_mm: null };
    this.rows.push(row);
    this.#changed();
    try {
      const body = { frame_id: this.frame.frame_id, kind: "distance", points, label: "" };
      Object.assign(row, await call("POST", `exams/${this.examId}/measurements`, body, { staySignedOut: true }));
    } catch (error) {
      this.rows = this.rows.filter((found) => found !== row);
      this.onError(error);
    }
    this.#changed();
  }

  async remove(row) {
    try {
      await call("DELETE", `measurements/${row.id}`, undefined, { staySignedOut: true });
      this.rows = this.rows.filter((found) => found !== row);
    } catch (error) {
      this.onError(error);
    }
    this.#changed();
  }

  #changed() {
    const hint = !this.active ? "" : t(this.first ? "live.calipers.second" : "live.calipers.first");
    this.onChange({ active: this.active, hint, rows: this.rows, colours: COLOURS });
    this.picture.redraw();
  }

  #draw(c, box) {
    const at = ([x, y]) => [box.left + (x + 0.5) * box.scale, box.top + (y + 0.5) * box.scale];
    this.rows.forEach((row, index) => this.#line(c, row.points.map(at), COLOURS[index % COLOURS.length], row.value_mm));
    if (this.first && this.cursor) this.#line(c, [at(this.first), at(this.cursor)], "#ffffff", null, true);
    else if (this.active && this.cursor) this.#cross(c, at(this.cursor), "#ffffff");
  }

  #line(c, [from, to], colour, mm, open = false) {
    c.strokeStyle = colour;
    c.lineWidth = 1.5;
    c.setLineDash([4, 4]);
    c.beginPath();
    c.moveTo(...from);
    c.lineTo(...to);
    c.stroke();
    c.setLineDash([]);
    this.#cross(c, from, colour);
    this.#cross(c, to, colour);
    if (open) return;
    const label = mm === null ? t("live.calipers.saving") : `${Number(mm).toFixed(1)} mm`;
    c.font = "bold 15px system-ui, sans-serif";
    c.textAlign = "left";
    c.fillStyle = "#000c";
    c.fillRect(to[0] + 10, to[1] - 12, c.measureText(label).width + 10, 22);
    c.fillStyle = colour;
    c.fillText(label, to[0] + 15, to[1] + 4);
  }

  #cross(c, [x, y], colour) {
    c.strokeStyle = colour;
    c.lineWidth = 1.5;
    c.beginPath();
    c.moveTo(x - 7, y);
    c.lineTo(x + 7, y);
    c.moveTo(x, y - 7);
    c.lineTo(x, y + 7);
    c.stroke();
  }
}
