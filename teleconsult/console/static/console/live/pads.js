// On-screen pads: a finger on a pad is the deadman; how far from the middle is the speed. The ring rotates about the beam.
import { s } from "../dom.js";

const R = 100; // half the drawing, in its own units
const RING_INNER = 0.74; // share of the radius where the ring begins

// report: (null | {x, y}) for the disc; ring: (null | {x}) for the ring, or no ring at all
export function pad(root, { report, ring, arrows, title }) {
  const knob = s("circle", { class: "pad-knob", r: 17 });
  const inner = ring ? R * RING_INNER : R - 4;
  const svg = s("svg", { viewBox: `${-R} ${-R} ${2 * R} ${2 * R}`, class: "pad-face", role: "img", "aria-label": title },
    ring && s("circle", { class: "pad-ring", r: R - 4 }),
    s("circle", { class: "pad-disc", r: inner }),
    s("path", { class: "pad-cross", d: `M${-inner} 0H${inner}M0 ${-inner}V${inner}` }),
    arrows.map(([label, x, y]) => s("text", { class: "pad-key", x: x * inner * 0.8, y: y * inner * 0.8 + 6, "text-anchor": "middle" }, label)),
    ring && ring.labels.map(([label, x, y]) => s("text", { class: "pad-key", x: x * 87, y: y * 87 + 6, "text-anchor": "middle" }, label)),
    knob);
  root.replaceChildren(svg);
  let held = null; // {id, kind, from}

  const place = (event) => {
    const bounds = svg.getBoundingClientRect();
    const radius = Math.min(bounds.width, bounds.height) / 2;
    return [(event.clientX - bounds.left - bounds.width / 2) / radius, (event.clientY - bounds.top - bounds.height / 2) / radius];
  };
  const tell = (x, y) => {
    if (held.kind === "ring") {
      const turned = Math.atan2(y, x) - held.from;
      const angle = Math.atan2(Math.sin(turned), Math.cos(turned)); // nearest way round
      ring.report({ x: Math.max(-1, Math.min(1, angle / (Math.PI / 3))) }); // 60 degrees is full speed
    } else {
      const reach = inner / R;
      report({ x: Math.max(-1, Math.min(1, x / reach)), y: Math.max(-1, Math.min(1, -y / reach)) });
    }
    knob.setAttribute("cx", Math.max(-1, Math.min(1, x)) * R);
    knob.setAttribute("cy", Math.max(-1, Math.min(1, y)) * R);
  };
  const release = (event) => {
    if (!held || (event && event.pointerId !== held.id)) return;
    const { kind } = held;
    held = null;
    knob.setAttribute("cx", 0);
    knob.setAttribute("cy", 0);
    root.classList.remove("held");
    if (kind === "ring") ring.report(null);
    else report(null);
  };

  svg.addEventListener("pointerdown", (event) => {
    if (held || event.button !== 0) return;
    event.preventDefault();
    svg.setPointerCapture(event.pointerId);
    const [x, y] = place(event);
    held = { id: event.pointerId, kind: ring && Math.hypot(x, y) > RING_INNER ? "ring" : "disc", from: Math.atan2(y, x) };
    root.classList.add("held");
    tell(x, y);
  });
  svg.addEventListener("pointermove", (event) => held?.id === event.pointerId && tell(...place(event)));
  for (const name of ["pointerup", "pointercancel", "lostpointercapture"]) svg.addEventListener(name, release);
  return release;
}
