// A QR code from the server's modules, with the quiet zone around it (ISO/IEC 18004).
import { s } from "./dom.js";

const QUIET = 4; // modules of white

// rows of "0" and "1", what it is -> svg
export function qr(rows, label) {
  const size = rows.length + 2 * QUIET;
  const dark = rows.flatMap((row, y) => [...row].map((bit, x) => (bit === "1" ? `M${x + QUIET} ${y + QUIET}h1v1h-1z` : ""))).join("");
  return s("svg", { class: "qr", viewBox: `0 0 ${size} ${size}`, role: "img", "aria-label": label, "shape-rendering": "crispEdges" },
    s("rect", { width: size, height: size, fill: "#fff" }), s("path", { d: dark, fill: "#000" }));
}
