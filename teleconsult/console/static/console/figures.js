// Figures for the head of department: asked for, drawn as plots, taken along as files.
import { fill } from "./admin.js";
import { $, h, replace } from "./dom.js";
import { bars, lines, shown, spreads } from "./plots.js";
import { known, t } from "./texts.js";

const english = document.documentElement.lang === "en";
const form = $("#figures-asked");
const place = $("#figures");
const FILES = ["months", "causes", "operators", "uses"];
const STATES = ["done", "no_show", "cancelled", "aborted"];
const SPREADS = ["wait_days", "wait_in_house_min", "scan_min", "report_min", "delay_ms"];

function asked() {
  const given = new FormData(form);
  const query = new URLSearchParams({ months: given.get("months") });
  if (given.get("institution")) query.set("institution", given.get("institution"));
  if (given.get("until")) query.set("until", `${given.get("until")}-01`);
  return query;
}

const named = (row) => (english && row.name_en) || row.name;
const spreadWord = ({ n, p50, p90 }) => (n ? `${shown(p50)} / ${shown(p90)}` : t("figures.no_cases"));

function causeWord({ state, cause }) {
  const key = [`live.abort.code.${cause}`, `figures.cause.${cause}`, `figures.${cause}`].find(known);
  return `${t(`figures.${state}`)}${cause === state ? "" : ` · ${key ? t(key) : cause}`}`;
}

function whole(all) {
  const tile = (label, value, note = "") => h("div", { class: "tile-figure" }, h("small", {}, label), h("b", { class: "num" }, value), h("span", {}, note));
  return h("div", { class: "tiles-figure" },
    tile(t("figures.exams"), String(all.exams), `${t("figures.done")} ${all.done}`),
    ...SPREADS.map((name) => tile(t(`figures.${name}`), spreadWord(all[name]), all[name].n ? `${t("figures.p50")} / ${t("figures.p90")} · n ${all[name].n}` : "")),
    tile(`${t("figures.per_100")}: ${t("figures.stops_per_100")}`, shown(all.stops_per_100), `n ${all.scanned}`),
    tile(`${t("figures.per_100")}: ${t("figures.poor_links_per_100")}`, shown(all.poor_links_per_100), `n ${all.scanned}`));
}

function monthly(answer) {
  const labels = answer.months.map((month) => month.slice(2));
  const column = (read) => answer.by_month.map(read);
  const both = (name) => [{ name: t("figures.p50"), values: column((row) => row[name].p50) }, { name: t("figures.p90"), values: column((row) => row[name].p90) }];
  return [
    bars(t("figures.exams"), labels, [...STATES.map((state) => ({ name: t(`figures.${state}`), values: column((row) => row[state]) })),
      { name: t("figures.open"), values: column((row) => row.exams - STATES.reduce((sum, state) => sum + row[state], 0)) }]),
    ...SPREADS.map((name) => lines(t(`figures.${name}`), labels, both(name))),
    lines(t("figures.per_100"), labels, ["stops_per_100", "poor_links_per_100"].map((name) => ({ name: t(`figures.${name}`), values: column((row) => row[name]) }))),
    ...uses(answer, labels),
  ];
}

// Six calendars a plot: more could not be told apart.
function uses(answer, labels) {
  const found = new Map();
  for (const row of answer.uses) {
    if (!found.has(row.resource_id)) found.set(row.resource_id, { name: named(row), values: [] });
    found.get(row.resource_id).values.push(row.share === null ? null : row.share * 100);
  }
  const all = [...found.values()];
  return Array.from({ length: Math.ceil(all.length / 6) }, (_, n) => lines(t("figures.uses"), labels, all.slice(n * 6, n * 6 + 6), { top: 100 }));
}

function causes(all) {
  return h("figure", { class: "plot" }, h("figcaption", {}, t("figures.causes")), all.causes.length === 0 ? h("p", { class: "empty" }, t("figures.no_cases"))
    : h("table", { class: "table" }, h("thead", {}, h("tr", {}, h("th", { scope: "col" }, t("figures.cause")), h("th", { scope: "col" }, t("figures.n")))),
      h("tbody", {}, all.causes.map((row) => h("tr", {}, h("td", {}, causeWord(row)), h("td", { class: "num" }, row.n))))));
}

const operators = (answer) => answer.operators.length > 0 &&
  spreads(t("figures.operators"), answer.operators.map((row) => ({ name: row.name, ...row.scan_min })), t("figures.n"));

const files = () => h("p", { class: "actions" }, FILES.map((part) => h("a", { class: "button", href: `/api/v1/figures/file?${asked()}&part=${part}` }, t(`figures.file.${part}`))));

function institutions(answer) {
  const select = form.elements.institution;
  if (select.options.length > 1) return;
  for (const id of answer.mine) select.append(h("option", { value: id }, named(answer.institutions[id])));
  select.closest("label").hidden = answer.mine.length < 2;
}

function show() {
  replace(place);
  return fill(place, `figures?${asked()}`, (answer) => {
    institutions(answer);
    if (answer.whole.exams === 0) return [h("p", { class: "empty" }, t("figures.none")), files()];
    return [whole(answer.whole), files(), h("div", { class: "plots" }, monthly(answer), operators(answer), causes(answer.whole))];
  });
}

form.addEventListener("change", show);
form.addEventListener("submit", (event) => event.preventDefault());
show();
