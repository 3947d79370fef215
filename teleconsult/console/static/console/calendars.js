// What a calendar is made of: the week, what differs from it, and the times a hospital gives to its partners.
import { call } from "./api.js";
import { $, busy, data, deed, field, h, replace } from "./dom.js";
import { clearError, notice, showError } from "./errors.js";
import { against } from "./calendars_against.js";
import { either } from "./exams.js";
import { clockInput, rowsEditor } from "./rows_editor.js";
import { t } from "./texts.js";
import { addDays, clock, day, fullStamp, today } from "./when.js";

const page = data("calendars-data");
const list = $("#list"), panel = $("#panel");
const WEEK = [0, 1, 2, 3, 4, 5, 6]; // Monday first
const dayName = (n) => t(`weekday.${(n + 1) % 7}`);
const shanghai = (text) => `${text}:00+08:00`;
const standing = page.sees_against ? against() : null;
let kind = "person", selected = null;

const house = (row) => either(page.partners.find((one) => one.id === row.institution_id));
const shown = () => page.resources.filter((row) => row.kind === kind);

function drawList() {
  replace($("#kinds"), ["person", "room", "robot", "probe"].map((name) => h("button", { type: "button", "aria-pressed": String(name === kind), onclick: () => { kind = name; drawList(); } }, t(`calendars.kind.${name}`))));
  replace(list, shown().length ? h("table", { class: "table" },
    h("thead", {}, h("tr", {}, ["calendars.name", "calendars.place"].map((key) => h("th", { scope: "col" }, t(key))))),
    h("tbody", {}, shown().map((row) => h("tr", { "data-id": row.id, "aria-selected": String(row.id === selected) },
      h("td", {}, h("button", { type: "button", class: "link" }, either(row))), h("td", {}, house(row))))))
    : h("p", { class: "empty" }, t("calendars.none")));
}

// One part of the panel: its error stands there, and it is read again when it was written.
function part(title, hint, load, build) {
  const body = h("div", {}, h("p", { class: "muted" }, t("loading"))), problem = h("div", {});
  const again = async () => {
    clearError(problem);
    try {
      replace(body, build(await load(), send));
    } catch (error) {
      showError(problem, error);
    }
  };
  async function send(button, run) {
    return busy(button, async () => {
      clearError(problem);
      try {
        const answer = await run();
        notice(t("calendars.saved"));
        await again();
        const met = answer?.appointments?.length;
        if (met) problem.append(h("p", { class: "warning", role: "alert" }, t(answer.words ?? (standing ? "calendars.met_listed" : "calendars.met"), { n: met })));
        standing?.load();
      } catch (error) {
        showError(problem, error);
      }
    });
  }
  again();
  return h("section", { class: "stack", "aria-label": title }, h("h3", {}, title), hint && h("p", { class: "small muted" }, hint), body, problem);
}

// At which house, and from which day to which, these hours hold. People work at several, so only they are asked where.
function limits(row, sited) {
  const place = h("select", {}, h("option", { value: "" }, t("calendars.every_place")), page.partners.map((one) => h("option", { value: one.id, selected: one.id === row.place_id }, either(one))));
  const first = h("input", { type: "date", value: row.valid_from || "" }), last = h("input", { type: "date", value: row.valid_to || "" });
  const words = h("summary", { class: "small" });
  const read = () => ({ place_id: sited ? place.value || null : row.place_id, valid_from: first.value || null, valid_to: last.value || null });
  const say = () => {
    const { place_id: at, valid_from: from, valid_to: to } = read();
    const named = at && either(page.partners.find((one) => one.id === at));
    words.textContent = [named, (from || to) && t("calendars.valid", { first: from || "…", last: to || "…" })].filter(Boolean).join(" · ") || t("calendars.always");
  };
  say();
  return { node: h("details", { onchange: say }, words, h("div", { class: "row" }, sited && field(t("calendars.place"), place), field(t("calendars.first_day"), first), field(t("calendars.last_day"), last))), read };
}

const stretch = (sited) => (row) => {
  const opens = clockInput(row.opens, t("calendars.from")), closes = clockInput(row.closes, t("calendars.to")), more = limits(row, sited);
  return { nodes: [opens, "–", closes, more.node], read: () => ({ ...row, opens: opens.value.trim(), closes: closes.value.trim(), ...more.read() }) };
};

function week(path, { hint = t("calendars.week_hint"), sited = false } = {}) {
  return part(t("calendars.week"), hint, async () => (await call("GET", path)).hours, (hours, send) => {
    const days = WEEK.map((weekday) => rowsEditor({
      rows: hours.filter((row) => row.weekday === weekday), line: stretch(sited), add: t("calendars.add_hours"),
      fresh: () => ({ weekday, opens: "08:00", closes: "12:00", place_id: null, valid_from: null, valid_to: null }),
    }));
    const save = h("button", { class: "button primary" }, t("calendars.save_week"));
    const form = h("form", { class: "stack" }, h("table", { class: "table week" }, h("tbody", {}, WEEK.map((weekday) => h("tr", { "data-weekday": weekday }, h("th", { scope: "row" }, dayName(weekday)), h("td", {}, days[weekday].node))))), h("div", { class: "actions" }, save));
    form.addEventListener("submit", (event) => { event.preventDefault(); send(save, async () => ({ ...await call("PUT", path, { hours: days.flatMap((one) => one.read()) }), words: "calendars.left_out" })); });
    return form;
  });
}

function period() {
  const from = h("input", { type: "datetime-local", required: true, min: `${today()}T00:00` }), to = h("input", { type: "datetime-local", required: true, min: `${today()}T00:00` });
  return { nodes: h("div", { class: "row" }, field(t("calendars.starts"), from), field(t("calendars.ends"), to)), read: () => ({ starts_at: shanghai(from.value), ends_at: shanghai(to.value) }) };
}

// Whole days by their dates, the last one included.
function times(row) {
  const whole = [row.starts_at, row.ends_at].every((at) => clock(at) === "00:00");
  const ends = whole ? addDays(day(row.ends_at), -1) : fullStamp(row.ends_at), starts = whole ? day(row.starts_at) : fullStamp(row.starts_at);
  return h("span", { class: "num" }, starts === ends ? starts : `${starts} – ${ends}`);
}

function rowsOf(rows, words, withdraw) {
  if (!rows.length) return h("p", { class: "muted" }, t("calendars.no_rows"));
  return h("ul", { class: "picks" }, rows.map((row) => h("li", {}, h("div", {}, words(row)), withdraw(row))));
}

const exceptionWords = (one) => [times(one), h("div", { class: "small" }, [t(`calendars.reason.${one.reason}`), one.note, one.whole_institution && t("calendars.whole")].filter(Boolean).join(" · "))];
const withdrawal = (path, form, send) => (one) => deed({ "aria-label": `${t("calendars.withdraw")} ${fullStamp(one.starts_at)}` }, t("calendars.withdraw"), () => send(form, () => call("DELETE", `${path}/${one.id}`)));

function exceptions(row) {
  const path = `resources/${row.id}/exceptions`;
  return part(t("calendars.exceptions"), t("calendars.exceptions_hint"), async () => (await call("GET", path)).results, (rows, send) => {
    const when = period();
    const reason = h("select", { name: "reason" }, page.reasons.map((name) => h("option", { value: name }, t(`calendars.reason.${name}`))));
    const note = h("input", { maxlength: 200 });
    const add = h("button", { class: "button" }, t("calendars.add_exception"));
    const form = h("form", { class: "stack" }, when.nodes, h("div", { class: "row" }, field(t("calendars.reason"), reason), field(t("calendars.note"), note, { note: t("optional") })), h("div", { class: "actions" }, add));
    form.addEventListener("submit", (event) => { event.preventDefault(); send(add, () => call("POST", path, { ...when.read(), reason: reason.value, open: reason.value === "extra", note: note.value.trim() })); });
    const withdraw = withdrawal(path, form, send);
    return [rowsOf(rows, exceptionWords, (one) => !one.whole_institution && withdraw(one)), form];
  });
}

// Whole days, both included: every person, room, robot and probe of the house.
function closures(place) {
  const path = `institutions/${place.id}/exceptions`;
  return part(t("calendars.closures"), t("calendars.closures_hint"), async () => (await call("GET", path)).results, (rows, send) => {
    const first = h("input", { type: "date", required: true, min: today() }), last = h("input", { type: "date", min: today() });
    const note = h("input", { maxlength: 200 });
    const close = h("button", { class: "button" }, t("calendars.close_house"));
    const body = () => ({ starts_at: shanghai(`${first.value}T00:00`), ends_at: shanghai(`${addDays(last.value || first.value, 1)}T00:00`), reason: "closed", note: note.value.trim() });
    const form = h("form", { class: "stack" }, h("div", { class: "row" }, field(t("calendars.first_day"), first), field(t("calendars.last_day"), last, { note: t("optional") })), field(t("calendars.note"), note, { note: t("optional") }), h("div", { class: "actions" }, close));
    form.addEventListener("submit", (event) => { event.preventDefault(); send(close, () => call("POST", path, body())); });
    return [rowsOf(rows, exceptionWords, withdrawal(path, form, send)), form];
  });
}

function releases(row) {
  const path = `resources/${row.id}/released`;
  return part(t("calendars.released"), t("calendars.released_hint"), async () => (await call("GET", path)).results, (rows, send) => {
    const when = period();
    const partner = h("select", { name: "partner" }, h("option", { value: "" }, t("calendars.all_partners")), page.partners.filter((one) => one.id !== row.institution_id).map((one) => h("option", { value: one.id }, either(one))));
    const add = h("button", { class: "button" }, t("calendars.add_release"));
    const form = h("form", { class: "stack" }, when.nodes, field(t("calendars.partner"), partner), h("div", { class: "actions" }, add));
    form.addEventListener("submit", (event) => { event.preventDefault(); send(add, () => call("POST", path, { ...when.read(), partner_id: partner.value || null })); });
    return [rowsOf(rows, (one) => [times(one), h("div", { class: "small" }, one.partner || t("calendars.all_partners"))], withdrawal(path, form, send)), form];
  });
}

// What a calendar is good for, and the time it needs around each exam.
function good(row) {
  return part(t("calendars.good"), t("calendars.good_hint"), async () => row, (one, send) => {
    const minutes = (value) => h("input", { type: "number", min: 0, max: page.buffer_max, step: 1, required: true, value });
    const before = minutes(one.before_minutes), after = minutes(one.after_minutes);
    const languages = row.kind === "person" && h("input", { value: one.languages.join(", "), maxlength: 200, pattern: "\\s*([a-z]{2,3}(-[A-Za-z]{2,8})?\\s*(,\\s*|$))*", placeholder: "zh, en", autocomplete: "off" });
    const kinds = page.exam_types.map((kind) => ({ kind, box: h("input", { type: "checkbox", checked: one.exam_types.includes(kind.code) }) }));
    const save = h("button", { class: "button" }, t("calendars.save_good"));
    const body = () => ({
      before_minutes: Number(before.value), after_minutes: Number(after.value), by_release: one.by_release,
      languages: languages ? languages.value.split(",").map((word) => word.trim()).filter(Boolean) : one.languages,
      exam_types: kinds.filter(({ box }) => box.checked).map(({ kind }) => kind.code),
    });
    const form = h("form", { class: "stack" }, h("div", { class: "row" }, field(t("calendars.before"), before), field(t("calendars.after"), after)),
      languages && field(t("calendars.languages"), languages, { note: t("optional") }),
      h("fieldset", { class: "ticks" }, h("legend", {}, t("calendars.types")), kinds.map(({ kind, box }) => h("label", { class: "check" }, box, h("span", {}, either(kind))))),
      h("div", { class: "actions" }, save));
    form.addEventListener("submit", (event) => { event.preventDefault(); send(save, async () => Object.assign(row, await call("PUT", `resources/${row.id}`, body()))); });
    return form;
  });
}

function select(id) {
  selected = id;
  drawList();
  const row = page.resources.find((one) => one.id === id);
  replace(panel, h("h2", {}, either(row)), h("p", { class: "muted" }, `${t(`calendars.kind.${row.kind}`)} · ${house(row)}`),
    standing?.node((one) => one.closed.some((shut) => shut.resource_id === row.id), { quiet: true }),
    week(`resources/${row.id}/hours`, { sited: row.kind === "person" }), exceptions(row), row.kind === "person" && releases(row), good(row));
  panel.scrollTop = 0;
}

list.addEventListener("click", (event) => {
  const found = event.target.closest("tr[data-id]");
  if (found) select(found.dataset.id);
});
replace($("#houses"), page.places.map((place) => deed({}, t("calendars.house", { name: either(place) }), async () => {
  selected = null;
  drawList();
  replace(panel, h("h2", {}, either(place)),
    standing?.node((one) => one.institution.id === place.id || one.closed.some((shut) => shut.institution_id === place.id)),
    closures(place), week(`institutions/${place.id}/hours`, { hint: t("calendars.house_hint") }));
  panel.scrollTop = 0;
})));
replace(panel, h("p", { class: "muted" }, t("calendars.pick")), standing?.node(() => true));
drawList();
standing?.load();
