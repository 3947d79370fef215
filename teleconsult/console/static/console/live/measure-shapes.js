// What a measurement looks like on the picture. Pure geometry in picture pixels; the values that count are the server's.

export const POINTS = { distance: 2, ellipse: 3, volume: 6 };
const STEPS = 72;

// Outline of an ellipse from two ends of an axis and a point beside it: [[x, y], ...] in pixels, or [] without extent.
// Worked out in millimetres, since a pixel may be wider than high.
export function ellipse([from, to, beside], mmPerPxX, mmPerPxY) {
  const mm = ([x, y]) => [x * mmPerPxX, y * mmPerPxY];
  const [[ax, ay], [bx, by], [px, py]] = [from, to, beside].map(mm);
  const length = Math.hypot(bx - ax, by - ay);
  if (!length) return [];
  const [ux, uy] = [(bx - ax) / length, (by - ay) / length];
  const half = Math.abs(ux * (py - ay) - uy * (px - ax));
  const [cx, cy] = [(ax + bx) / 2, (ay + by) / 2];
  return Array.from({ length: STEPS + 1 }, (_, step) => {
    const angle = (2 * Math.PI * step) / STEPS;
    const along = (length / 2) * Math.cos(angle);
    const across = half * Math.sin(angle);
    return [(cx + along * ux - across * uy) / mmPerPxX, (cy + along * uy + across * ux) / mmPerPxY];
  });
}

// The lines of a shape drawn so far: {lines: [[[x, y], ...], ...], marks: [[x, y], ...], label: [x, y] or null}
export function shape(kind, points, mmPerPxX = 1, mmPerPxY = 1) {
  const pairs = [];
  for (let i = 0; i + 1 < points.length; i += 2) pairs.push([points[i], points[i + 1]]);
  if (kind === "ellipse" && points.length === 3) {
    return { lines: [[points[0], points[1]], ellipse(points, mmPerPxX, mmPerPxY)], marks: points.slice(0, 2), label: points[1] };
  }
  return { lines: pairs, marks: points, label: points.length > 1 ? points[points.length - 1] : null };
}
