// What the administrators' pages share: tabs, tables with their empty and failed states, codes that are told once.
import { call } from "./api.js";
import { $, dialog, field, h, replace } from "./dom.js";
import { clearError, errorNode, showError } from "./errors.js";
import { known, t } from "./texts.js";

// tabs([["staff", loader], …]): one panel at a time, arrow keys move, the address keeps which; each loads when opened.
export function tabs(names) {
  const buttons = names.map(([name]) => h("button", {
    type: "button", role: "tab", id: `tab-${name}`, "aria-controls": `panel-${name}`, onclick: () => open(name),
  }, t(`admin.tab.${name}`)));
  const list = h("div", { class: "tabs", role: "tablist" }, buttons);
  function open(name, focus = false) {
    for (const [other] of names) {
      const tab = $(`#tab-${other}`);
      tab.setAttribute("aria-selected", String(other === name));
      tab.tabIndex = other === name ? 0 : -1;
      $(`#panel-${other}`).hidden = other !== name;
    }
    if (focus) $(`#tab-${name}`).focus();
    history.replaceState(null, "", `#${name}`);
    names.find(([other]) => other === name)[1]();
  }
  list.addEventListener("keydown", (event) => {
    const step = { ArrowRight: 1, ArrowLeft: -1 }[event.code];
    if (!step) return;
    const now = buttons.findIndex((button) => button.getAttribute("aria-selected") === "true");
    open(names[(now + step + names.length) % names.length][0], true);
  });
  replace($("#tabs"), list);
  const wanted = location.hash.slice(1);
  open(names.some(([name]) => name === wanted) ? wanted : names[0][0]);
}

// Fills `place` with what `draw(answer)` makes; says that it loads, and what went wrong, with a way to try again.
export async function fill(place, path, draw) {
  if (!place.firstChild) replace(place, h("p", { class: "empty" }, t("loading")));
  try {
    replace(place, draw(await call("GET", path)));
  } catch (error) {
    replace(place, errorNode(error), h("p", {}, h("button", { type: "button", class: "button", onclick: () => fill(place, path, draw) }, t("retry"))));
  }
}

// table([head keys], rows, row => cells, empty text key); a row's cells are nodes or texts.
export function table(heads, rows, cells, empty) {
  if (!rows.length) return h("p", { class: "empty" }, t(empty));
  return h("div", { class: "scroller" }, h("table", { class: "table" },
    h("thead", {}, h("tr", {}, heads.map((key) => h("th", { scope: "col" }, key ? t(key) : "")))),
    h("tbody", {}, rows.map((row) => h("tr", { class: row.overdue ? "overdue" : null }, cells(row).map((cell) => (cell instanceof Node && cell.tagName === "TD" ? cell : h("td", {}, cell))))))));
}

// A list that goes on: shows pages one after the other behind a button.
export async function pages(place, path, draw) {
  const rows = [];
  const turn = place.turn = {}; // asked again meanwhile (another filter): the older answer is nobody's
  async function more(address) {
    const answer = await call("GET", address);
    if (place.turn !== turn) return;
    rows.push(...answer.results);
    replace(place, draw(rows), answer.next && h("p", { class: "more" }, h("button", {
      type: "button", class: "button", onclick: (event) => { event.target.disabled = true; more(answer.next).catch(fail); },
    }, t("admin.more"))));
  }
  const fail = (error) => replace(place, errorNode(error), h("p", {}, h("button", { type: "button", class: "button", onclick: () => pages(place, path, draw) }, t("retry"))));
  if (!place.firstChild) replace(place, h("p", { class: "empty" }, t("loading")));
  await more(path).catch(fail);
}

const STATES = { active: "ready", locked: "aborted", invited: "booked", closed: "cancelled" };
export const stateOf = (account) => h("span", { class: `state ${STATES[account.state]}` }, t(`admin.state.${account.state}`));
export const roleName = (role) => (known(`role.${role}`) ? t(`role.${role}`) : role);
export const place = (row) => (document.documentElement.lang === "en" ? row.institution_en || row.institution : row.institution);
export const person = (row) => h("td", {}, h("b", {}, row.name), h("span", { class: "sub" }, row.username));

// form(title, lead, [[name, label, control]], {button, run(values)}) -> what `run` gave, or null. `false`: it stays open.
export function form(title, lead, controls, { button, run, danger = false }) {
  return dialog(title, (close) => {
    const problem = h("div", {});
    const send = h("button", { class: danger ? "button danger" : "button primary" }, button);
    const body = h("form", { class: "stack" }, lead && h("p", {}, lead), controls.map(([name, label, control, hint]) => {
      control.name = name;
      return field(label, control, { hint: hint ? h("p", { class: "hint" }, hint) : null });
    }), problem, h("div", { class: "actions" }, send, h("button", { type: "button", class: "button", onclick: () => close(null) }, t("cancel_form"))));
    body.addEventListener("submit", async (event) => {
      event.preventDefault();
      clearError(problem);
      send.setAttribute("aria-busy", "true");
      try {
        const made = await run(Object.fromEntries(new FormData(body)));
        if (made !== false) close(made ?? true);
      } catch (error) {
        showError(problem, error);
      } finally {
        send.removeAttribute("aria-busy");
      }
    });
    return body;
  });
}

// A code that is shown this once, large enough to copy by hand; `picture` is the same for a camera.
export const tellCode = (title, lead, code, picture = null) => dialog(title, (close) => [
  h("p", {}, lead), picture, h("p", { class: "told", tabindex: "0" }, code), h("p", { class: "warning" }, t("admin.code_once")),
  h("div", { class: "actions" }, h("button", { type: "button", class: "button primary", onclick: () => close(true) }, t("admin.code_noted"))),
]);

// Moments of Shanghai days for the doors: the end is the next day's beginning.
export function range(form) {
  const given = new FormData(form);
  const at = (day, add) => new Date(Date.parse(`${day}T00:00:00+08:00`) + add * 86400000).toISOString();
  return { start: given.get("from") ? at(given.get("from"), 0) : null, end: given.get("to") ? at(given.get("to"), 1) : null };
}
