// The arm's pose drawn from telemetry: the probe over the patient from above and from the side, and the seven joints.
// Telemetry's frame: +x patient's left, +y head, +z up; probe: +z beam, +x marker side. Millimetres.
import { t } from "../texts.js";

const TRUNK = { halfWidth: 165, half: 220, head: 266, headRadius: 46, depth: 150 }; // an adult, shortened: only for orientation
const SPAN_MM = 640;
const SHOULDER = [-300, 60, 260]; // where the drawn arm ends: a sketch, the joints below are the truth
const BAR_MM = 62; // face of a curved probe
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
    canvas.setAttribute("role", "img");
    canvas.setAttribute("aria-label", t("live.arm"));
  }

  show(telemetry) {
    const { canvas, context: c } = this;
    const scale = devicePixelRatio || 1;
    const [width, height] = [canvas.clientWidth, canvas.clientHeight];
    if (canvas.width !== width * scale || canvas.height !== height * scale) {
      canvas.width = width * scale;
      canvas.height = height * scale;
    }
    c.setTransform(scale, 0, 0, scale, 0, 0);
    c.clearRect(0, 0, width, height);
    c.font = "12px system-ui, sans-serif";
    c.globalAlpha = telemetry ? 1 : 0.35;
    const joints = 26;
    const half = Math.floor(width / 2);
    const views = height - joints;
    const mm = Math.min(half, views) / SPAN_MM;
    this.#above({ x: half / 2, y: views * 0.55, mm, width: half, height: views }, telemetry);
    this.#side({ x: half + half / 2, y: views * 0.7, mm, width: half, height: views }, telemetry);
    if (telemetry) this.#joints(telemetry.joints_rad, width, height, joints);
  }

  #label(text, x, y, align = "center") {
    this.context.fillStyle = COLOURS.text;
    this.context.textAlign = align;
    this.context.fillText(text, x, y);
  }

  #above(view, telemetry) {
    const c = this.context;
    const at = ([px, py]) => [view.x + px * view.mm, view.y - py * view.mm];
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
    this.#label(t("live.arm.right"), view.x - view.width / 2 + 10, view.y + 4);
    this.#label(t("live.arm.left"), view.x + view.width / 2 - 10, view.y + 4);
    this.#label(t("live.arm.top"), view.x - view.width / 2 + 4, 13, "left");
    if (telemetry) this.#probe(at, telemetry, ([x, y]) => [x, y]);
  }

  #side(view, telemetry) {
    const c = this.context;
    const at = ([along, up]) => [view.x - along * view.mm, view.y - up * view.mm]; // head at the left
    c.fillStyle = COLOURS.body;
    c.strokeStyle = COLOURS.line;
    c.beginPath();
    const [left, top] = at([TRUNK.half, 8]);
    c.roundRect(left, top, 2.2 * TRUNK.half * view.mm, TRUNK.depth * view.mm, 40 * view.mm);
    c.fill();
    c.stroke();
    this.#label(t("live.arm.head"), view.x - view.width / 2 + 10, view.y + 20);
    this.#label(t("live.arm.side"), view.x - view.width / 2 + 4, 13, "left");
    if (!telemetry) return;
    this.#probe(at, telemetry, ([, y, z]) => [y, z]);
    this.#label(`${t("live.arm.tilt")} ${Math.round(tiltDeg(telemetry.quaternion))}°`, view.x + view.width / 2 - 4, 13, "right");
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

  #joints(joints, width, height, room) {
    const c = this.context;
    const step = width / joints.length;
    joints.forEach((angle, index) => {
      const middle = index * step + step / 2;
      c.fillStyle = COLOURS.line;
      c.fillRect(middle - step * 0.4, height - room / 2 - 1, step * 0.8, 2);
      c.fillStyle = COLOURS.joint;
      c.fillRect(middle + (step * 0.4 * Math.max(-1, Math.min(1, angle / Math.PI))) - 2, height - room / 2 - 6, 4, 12);
    });
  }
}
