// Plots as SVG, drawn from rows: stacked bars, lines, lying bars. Shape and pattern tell the series apart, not colour
// alone; each plot has its numbers as a table beside it.
import { h, s } from "./dom.js";
import { t } from "./texts.js";

const W = 560, H = 220, LEFT = 44, BOTTOM = 30, TOP = 12;
// Okabe and Ito's colours, told apart by people who see red and green alike; the second word names pattern or mark.
export const SERIES = ["a", "b", "c", "d", "e", "f"];
const MARKS = [
  (x, y) => s("circle", { cx: x, cy: y, r: 4 }),
  (x, y) => s("rect", { x: x - 4, y: y - 4, width: 8, height: 8 }),
  (x, y) => s("path", { d: `M${x - 5} ${y + 4}L${x + 5} ${y + 4}L${x} ${y - 5}Z` }),
  (x, y) => s("path", { d: `M${x - 5} ${y}L${x} ${y - 5}L${x + 5} ${y}L${x} ${y + 5}Z` }),
  (x, y) => s("path", { d: `M${x - 4} ${y - 4}L${x + 4} ${y + 4}M${x - 4} ${y + 4}L${x + 4} ${y - 4}`, class: "stroke" }),
  (x, y) => s("path", { d: `M${x} ${y - 5}L${x} ${y + 5}M${x - 5} ${y}L${x + 5} ${y}`, class: "stroke" }),
];

// The top of the scale: 1, 2 or 5 times a power of ten, at least `least`.
export function roundTop(value, least = 1) {
  const wanted = Math.max(value, least);
  const power = 10 ** Math.floor(Math.log10(wanted));
  return [1, 2, 5, 10].map((step) => step * power).find((top) => top >= wanted * 0.999);
}

export const shown = (value) => (value === null || value === undefined ? "–" : String(Math.round(value * 10) / 10));

function frame(labels, top) {
  const y = (value) => TOP + (H - TOP - BOTTOM) * (1 - value / top);
  const step = (W - LEFT) / labels.length;
  const x = (n) => LEFT + step * (n + 0.5);
  const every = Math.ceil(labels.length / 12);
  const lines = [0, 0.5, 1].map((share) => [
    s("line", { x1: LEFT, x2: W, y1: y(top * share), y2: y(top * share), class: "grid" }),
    s("text", { x: LEFT - 6, y: y(top * share) + 4, class: "scale" }, shown(top * share)),
  ]);
  const names = labels.map((label, n) => n % every === 0 && s("text", { x: x(n), y: H - 10, class: "label" }, label));
  return { x, y, step, parts: [lines, names] };
}

const legend = (series) => h("ul", { class: "legend" }, series.map(({ name }, n) => h("li", {},
  s("svg", { viewBox: "0 0 16 16", class: `key series-${SERIES[n]}`, "aria-hidden": "true" }, MARKS[n](8, 8)), name)));

function numbers(labels, series) {
  return h("details", {}, h("summary", {}, t("figures.as_table")), h("div", { class: "scroller" }, h("table", { class: "table num" },
    h("thead", {}, h("tr", {}, h("th", { scope: "col" }, ""), series.map(({ name }) => h("th", { scope: "col" }, name)))),
    h("tbody", {}, labels.map((label, n) => h("tr", {}, h("th", { scope: "row" }, label), series.map(({ values }) => h("td", {}, shown(values[n])))))))));
}

const plot = (title, drawing, series, labels) => h("figure", { class: "plot" }, h("figcaption", {}, title),
  series.length > 1 && legend(series), drawing, numbers(labels, series));

const svg = (title, ...parts) => s("svg", { viewBox: `0 0 ${W} ${H}`, role: "img", "aria-label": title }, parts);

// series: [{name, values: number or null for each label}]
export function lines(title, labels, series, { top = null } = {}) {
  const most = Math.max(0, ...series.flatMap(({ values }) => values.filter((value) => value !== null)));
  const { x, y, parts } = frame(labels, top ?? roundTop(most));
  const drawn = series.map(({ name, values }, n) => {
    const points = values.map((value, m) => (value === null ? null : [x(m), y(value), value, m]));
    // A month without cases is a gap, not a straight line over it.
    const path = points.map((point, m) => point && `${m > 0 && points[m - 1] ? "L" : "M"}${point[0]} ${point[1]}`).filter(Boolean).join("");
    return s("g", { class: `series-${SERIES[n]}` }, s("path", { d: path || "M0 0", class: "line" }),
      points.filter(Boolean).map(([px, py, value, m]) => s("g", {}, MARKS[n](px, py), s("title", {}, `${labels[m]} ${name} ${shown(value)}`))));
  });
  return plot(title, svg(title, parts, drawn), series, labels);
}

export function bars(title, labels, series) {
  const sums = labels.map((_, n) => series.reduce((sum, { values }) => sum + values[n], 0));
  const { x, y, step, parts } = frame(labels, roundTop(Math.max(...sums)));
  const width = Math.min(36, step * 0.7);
  const drawn = labels.map((label, n) => {
    let from = 0;
    return series.map(({ name, values }, m) => {
      const bar = values[n] > 0 && s("rect", { x: x(n) - width / 2, width, y: y(from + values[n]), height: y(from) - y(from + values[n]), class: `bar series-${SERIES[m]}` },
        s("title", {}, `${label} ${name} ${values[n]}`));
      from += values[n];
      return bar;
    });
  });
  return plot(title, svg(title, parts, drawn), series, labels);
}

// rows: [{name, p50, p90, n}]: the bar ends at the median, a whisker at nine tenths.
export function spreads(title, rows, unitName) {
  const top = roundTop(Math.max(0, ...rows.map(({ p90 }) => p90 ?? 0)));
  const left = 120, row = 26, height = rows.length * row + 24;
  const x = (value) => left + (W - left - 60) * (value / top);
  const drawn = rows.map(({ name, p50, p90, n }, at) => {
    const y = at * row + 6;
    return s("g", { class: "series-a" }, s("text", { x: left - 8, y: y + 13, class: "scale" }, name),
      p50 !== null && [s("rect", { x: left, y, width: x(p50) - left, height: 16, class: "bar series-a" }), s("path", { d: `M${x(p50)} ${y + 8}L${x(p90)} ${y + 8}M${x(p90)} ${y + 2}L${x(p90)} ${y + 14}`, class: "whisker" })],
      s("text", { x: x(p90 ?? 0) + 8, y: y + 13, class: "value" }, `${shown(p50)} · n ${n}`));
  });
  const drawing = s("svg", { viewBox: `0 0 ${W} ${height}`, role: "img", "aria-label": title }, drawn);
  const series = [{ name: t("figures.p50"), values: rows.map(({ p50 }) => p50) }, { name: t("figures.p90"), values: rows.map(({ p90 }) => p90) }, { name: unitName, values: rows.map(({ n }) => n) }];
  return h("figure", { class: "plot" }, h("figcaption", {}, title), drawing, numbers(rows.map(({ name }) => name), series));
}
