// The arm's pose drawn from telemetry: the probe over the patient from above and from the side, and the seven joints.
// Telemetry's frame: +x patient's left, +y head, +z up; probe: +z beam, +x marker side. Millimetres.
import { t } from "../texts.js";

const TRUNK = { halfWidth: 165, half: 220, head: 266, headRadius: 46, depth: 150 }; // an adult, shortened: only for orientation
const SPAN_MM = 640;
const JOINTS_PX = 26;
const SHOULDER = [-300, 60, 260]; // where the drawn arm ends: a sketch, the joints below are the truth
const BAR_MM = 62; // face of a curved probe
const DRAW_MS = 100; // an orientation, no instrument: ten times a second is smooth enough
const COLOURS = { body: "#33444d", line: "#5d747f", arm: "#7fa3b5", probe: "#f2c14e", beam: "#57d0ff", text: "#9fb4be", joint: "#57d0ff" };

// Rotate v by the quaternion (w, x, y, z).
export function rotate([w, x, y, z], [a, b, c]) {
  const tx = 2 * (y * c - z * b);
  const ty = 2 * (z * a - x * c);
  const tz = 2 * (x * b - y * a);
  return [a + w * tx + y * tz - z * ty, b + w * ty + z * tx - x * tz, c + w * tz + x * ty - y * tx];
}

// Degrees between the beam and straight down.
export function tiltDeg(quaternion) {
  const [, , down] = rotate(quaternion, [0, 0, 1]);
  return (Math.acos(Math.max(-1, Math.min(1, -down))) * 180) / Math.PI;
}

export class Arm {
  constructor(canvas) {
    this.canvas = canvas;
    this.context = canvas.getContext("2d");
    this.still = document.createElement("canvas"); // what does not move, drawn once for each size
    this.drawnAt = -Infinity;
    this.width = this.height = 0;
    new ResizeObserver(([{ contentRect }]) => {
      this.width = contentRect.width;
      this.height = contentRect.height;
      this.#patient();
      this.drawnAt = -Infinity;
    }).observe(canvas);
    canvas.setAttribute("role", "img");
    canvas.setAttribute("aria-label", t("live.arm"));
  }

  show(telemetry) {
    const now = performance.now();
    if (!this.width || now - this.drawnAt < DRAW_MS) return;
    this.drawnAt = now;
    const { context: c, width, height } = this;
    c.setTransform(1, 0, 0, 1, 0, 0);
    c.clearRect(0, 0, this.canvas.width, this.canvas.height);
    c.globalAlpha = telemetry ? 1 : 0.35;
    c.drawImage(this.still, 0, 0);
    if (!telemetry) return;
    c.setTransform(this.scale, 0, 0, this.scale, 0, 0);
    const { above, side } = this.#views();
    this.#probe(([px, py]) => [above.x + px * above.mm, above.y - py * above.mm], telemetry, ([x, y]) => [x, y]);
    this.#probe(([along, up]) => [side.x - along * side.mm, side.y - up * side.mm], telemetry, ([, y, z]) => [y, z]);
    this.#label(c, `${t("live.arm.tilt")} ${Math.round(tiltDeg(telemetry.quaternion))}°`, side.x + side.width / 2 - 4, 13, "right");
    this.#joints(telemetry.joints_rad, width, height);
  }

  #views() {
    const width = Math.floor(this.width / 2);
    const height = this.height - JOINTS_PX;
    const mm = Math.min(width, height) / SPAN_MM;
    return { above: { x: width / 2, y: height * 0.55, mm, width }, side: { x: width * 1.5, y: height * 0.7, mm, width } };
  }

  #patient() {
    this.scale = devicePixelRatio || 1;
    for (const canvas of [this.canvas, this.still]) {
      canvas.width = this.width * this.scale;
      canvas.height = this.height * this.scale;
      // Once for each size, not for each drawing: naming a font lays the whole page out.
      canvas.getContext("2d").font = "12px system-ui, sans-serif";
    }
    const c = this.still.getContext("2d");
    c.setTransform(this.scale, 0, 0, this.scale, 0, 0);
    const { above, side } = this.#views();
    this.#above(c, above);
    this.#side(c, side);
  }

  #label(c, text, x, y, align = "center") {
    c.fillStyle = COLOURS.text;
    c.textAlign = align;
    c.fillText(text, x, y);
  }

  #above(c, view) {
    c.strokeStyle = COLOURS.line;
    c.fillStyle = COLOURS.body;
    c.beginPath();
    c.roundRect(view.x - TRUNK.halfWidth * view.mm, view.y - TRUNK.half * view.mm, 2 * TRUNK.halfWidth * view.mm, 2.25 * TRUNK.half * view.mm, 70 * view.mm);
    c.fill();
    c.stroke();
    c.beginPath();
    c.arc(view.x, view.y - TRUNK.head * view.mm, TRUNK.headRadius * view.mm, 0, 7);
    c.fill();
    c.stroke();
    this.#label(c, t("live.arm.right"), view.x - view.width / 2 + 10, view.y + 4);
    this.#label(c, t("live.arm.left"), view.x + view.width / 2 - 10, view.y + 4);
    this.#label(c, t("live.arm.top"), view.x - view.width / 2 + 4, 13, "left");
  }

  // Head at the left.
  #side(c, view) {
    c.fillStyle = COLOURS.body;
    c.strokeStyle = COLOURS.line;
    c.beginPath();
    c.roundRect(view.x - TRUNK.half * view.mm, view.y - 8 * view.mm, 2.2 * TRUNK.half * view.mm, TRUNK.depth * view.mm, 40 * view.mm);
    c.fill();
    c.stroke();
    this.#label(c, t("live.arm.head"), view.x - view.width / 2 + 10, view.y + 20);
    this.#label(c, t("live.arm.side"), view.x - view.width / 2 + 4, 13, "left");
  }

  // flat: 3-D point -> the two numbers this view shows
  #probe(at, { position_mm: tip, quaternion }, flat) {
    const c = this.context;
    const along = (axis, length) => tip.map((value, i) => value + rotate(quaternion, axis)[i] * length);
    const draw = (from, to, colour, width) => {
      c.strokeStyle = colour;
      c.lineWidth = width;
      c.lineCap = "round";
      c.beginPath();
      c.moveTo(...at(flat(from)));
      c.lineTo(...at(flat(to)));
      c.stroke();
    };
    const wrist = along([0, 0, -1], 150);
    const elbow = [(wrist[0] + SHOULDER[0]) / 2, (wrist[1] + SHOULDER[1]) / 2, Math.max(wrist[2], SHOULDER[2]) + 40];
    draw(SHOULDER, elbow, COLOURS.arm, 4);
    draw(elbow, wrist, COLOURS.arm, 4);
    draw(wrist, tip, COLOURS.probe, 5);
    draw(tip, along([0, 0, 1], 120), COLOURS.beam, 1.5);
    draw(along([1, 0, 0], -BAR_MM / 2), along([1, 0, 0], BAR_MM / 2), COLOURS.probe, 4);
    c.fillStyle = "#fff";
    c.beginPath();
    c.arc(...at(flat(along([1, 0, 0], BAR_MM / 2))), 3, 0, 7); // marker
    c.fill();
    c.lineWidth = 1;
  }

  #joints(joints, width, height) {
    const c = this.context;
    const step = width / joints.length;
    joints.forEach((angle, index) => {
      const middle = index * step + step / 2;
      c.fillStyle = COLOURS.line;
      c.fillRect(middle - step * 0.4, height - JOINTS_PX / 2 - 1, step * 0.8, 2);
      c.fillStyle = COLOURS.joint;
      c.fillRect(middle + (step * 0.4 * Math.max(-1, Math.min(1, angle / Math.PI))) - 2, height - JOINTS_PX / 2 - 6, 4, 12);
    });
  }
}
