// Measuring on the frozen lossless frame: clicks or drags set points, arrows nudge, Enter sets. A volume's axes may lie
// on different frozen frames: what was set stays while another frame is looked for. Values come from the server,
// computed with the stored calibration; nothing is measured on video.
import { call } from "../api.js";
import { measured } from "../measure-text.js";
import { t } from "../texts.js";
import { POINTS, shape } from "./measure-shapes.js";

const COLOURS = ["#ffd54a", "#7be0ad", "#ff9e80", "#9fc5ff"];
const DRAG_PX = 6;
const EDGE = 14; // px that the frozen picture's stripes cover
const NEAR_PX = 2; // two points closer than this are a slip of the hand

export class Calipers {
  // onChange({active, kind, hint, rows, colours}), onError(error)
  constructor({ picture, examId, onChange, onError }) {
    Object.assign(this, { picture, examId, onChange, onError });
    this.kind = "distance";
    this.pending = []; // {point, frame_id}, of the shape being drawn
    this.saved = []; // {id, kind, points, frame_ids, values} of the whole exam
    this.#idle();
    picture.draws.push((c, box) => this.#draw(c, box));
    const { overlay } = picture;
    overlay.addEventListener("pointerdown", (event) => this.#down(event));
    overlay.addEventListener("pointermove", (event) => this.#move(event));
    overlay.addEventListener("pointerup", (event) => this.#up(event));
    window.addEventListener("keydown", (event) => this.#key(event), { capture: true });
  }

  #idle() {
    this.active = false;
    this.cursor = null; // [x, y] in picture pixels
    this.pressed = null;
  }

  // Rows that have something on the frame that is shown.
  get rows() {
    return this.frame ? this.saved.filter((row) => row.frame_ids.includes(this.frame.frame_id)) : [];
  }

  // A new frozen frame, or null: live again. A volume half drawn waits for the next frame.
  setFrame(frozen) {
    const going = this.active && this.pending.length > 0 && this.kind === "volume";
    this.frame = frozen;
    this.#idle();
    if (!going && this.pending.length && this.kind !== "volume") this.pending = [];
    if (frozen && this.pending.length) this.toggle(true);
    this.#changed();
  }

  // Measurements of the exam from before a reload.
  restore(rows) {
    const known = new Set(this.saved.map((row) => row.id));
    this.saved.push(...rows.filter((row) => !known.has(row.id)));
    this.#changed();
  }

  toggle(on = !this.active) {
    this.active = on && Boolean(this.frame);
    if (!on) this.pending = [];
    this.cursor = this.active ? [this.frame.width / 2, this.frame.height / 2] : null;
    this.#changed();
  }

  choose(kind) {
    this.kind = kind;
    this.pending = [];
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
    if (!this.active || !this.pending.length || !this.pressed) return;
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
    const before = this.pending[this.pending.length - 1];
    const paired = this.pending.length % 2 === 1;
    if (paired && before.frame_id !== this.frame.frame_id) this.pending.pop(); // an axis ends on its own frame
    else if (paired && Math.hypot(point[0] - before.point[0], point[1] - before.point[1]) < NEAR_PX) {
      this.pending.pop();
      this.#changed();
      return;
    }
    this.pending.push({ point, frame_id: this.frame.frame_id });
    if (this.pending.length === POINTS[this.kind]) this.#save();
    this.#changed();
  }

  async #save() {
    const points = this.pending.map((found) => found.point);
    const frames = this.pending.map((found) => found.frame_id);
    const axes = [frames[0], frames[2], frames[4]];
    const row = { id: null, kind: this.kind, points, frame_ids: this.kind === "volume" ? axes : [frames[0]], values: {} };
    this.pending = [];
    this.saved.push(row);
    const body = { frame_id: row.frame_ids[0], kind: row.kind, points, label: "", ...(row.kind === "volume" && { frame_ids: axes }) };
    try {
      Object.assign(row, await call("POST", `exams/${this.examId}/measurements`, body, { staySignedOut: true }));
    } catch (error) {
      this.saved = this.saved.filter((found) => found !== row);
      this.onError(error);
    }
    this.#changed();
  }

  async remove(row) {
    try {
      await call("DELETE", `measurements/${row.id}`, undefined, { staySignedOut: true });
      this.saved = this.saved.filter((found) => found !== row);
    } catch (error) {
      this.onError(error);
    }
    this.#changed();
  }

  #hint() {
    if (!this.active) return this.pending.length ? t("live.calipers.volume_waits", { n: Math.floor(this.pending.length / 2) }) : "";
    return t(`live.calipers.${this.kind}.${this.pending.length}`);
  }

  #changed() {
    this.onChange({ active: this.active, kind: this.kind, hint: this.#hint(), rows: this.rows, colours: COLOURS });
    this.picture.redraw();
  }

  // Points of a row that lie on the frame that is shown.
  #here(row) {
    if (row.kind !== "volume") return row.points;
    return row.points.filter((_, index) => row.frame_ids[Math.floor(index / 2)] === this.frame.frame_id);
  }

  #draw(c, box) {
    if (!this.frame) return;
    const at = ([x, y]) => [box.left + (x + 0.5) * box.scale, box.top + (y + 0.5) * box.scale];
    this.rows.forEach((row, index) => this.#shape(c, at, row.kind, this.#here(row), COLOURS[index % COLOURS.length], row.id ? measured(row) : ""));
    const begun = this.pending.filter((found) => found.frame_id === this.frame.frame_id).map((found) => found.point);
    if (begun.length) this.#shape(c, at, this.kind, this.active ? [...begun, this.cursor] : begun, "#ffffff", "");
    else if (this.active && this.cursor) this.#cross(c, at(this.cursor), "#ffffff");
  }

  #shape(c, at, kind, points, colour, label) {
    const { lines, marks, label: where } = shape(kind, points, this.frame.mm_per_px_x ?? 1, this.frame.mm_per_px_y ?? 1);
    c.strokeStyle = colour;
    c.lineWidth = 1.5;
    for (const line of lines) {
      c.setLineDash([4, 4]);
      c.beginPath();
      line.map(at).forEach(([x, y], index) => (index ? c.lineTo(x, y) : c.moveTo(x, y)));
      c.stroke();
    }
    c.setLineDash([]);
    for (const mark of marks) this.#cross(c, at(mark), colour);
    if (label && where) this.#label(c, at(where), label, colour);
  }

  #label(c, [x, y], text, colour) {
    c.font = "bold 15px system-ui, sans-serif";
    c.textAlign = "left";
    const width = c.measureText(text).width + 10;
    const left = Math.max(EDGE, Math.min(x + 10, this.picture.view.clientWidth - width - EDGE));
    c.fillStyle = "#000c";
    c.fillRect(left, y - 12, width, 22);
    c.fillStyle = colour;
    c.fillText(text, left + 5, y + 4);
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
