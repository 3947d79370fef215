// The rules of an exam type: how long, who and what is needed, when it may be, what comes before, when to remind.
import { call } from "./api.js";
import { $, busy, data, field, h, replace } from "./dom.js";
import { clearError, notice, showError } from "./errors.js";
import { either } from "./exams.js";
import { clockInput, rowsEditor } from "./rows_editor.js";
import { t } from "./texts.js";

const page = data("types-data");
const list = $("#list"), panel = $("#panel");
let selected = null;

function drawList() {
  replace(list, page.types.length ? h("table", { class: "table" },
    h("thead", {}, h("tr", {}, ["types.name", "types.minutes"].map((key) => h("th", { scope: "col" }, t(key))))),
    h("tbody", {}, page.types.map((row) => h("tr", { "data-code": row.code, "aria-selected": String(row.code === selected) },
      h("td", {}, h("button", { type: "button", class: "link" }, either(row)), h("span", { class: "sub" }, row.code)), h("td", { class: "num" }, row.minutes)))))
    : h("p", { class: "empty" }, t("types.none")));
}

const number = (value, min, max, label) => h("input", { type: "number", class: "num short", value, min, max, required: true, "aria-label": label });

function windowLine(row) {
  const opens = clockInput(row.opens, t("calendars.from")), closes = clockInput(row.closes, t("calendars.to"));
  return { nodes: [opens, "–", closes], read: () => ({ opens: opens.value.trim(), closes: closes.value.trim() }) };
}

function orderLine(row) {
  const procedure = h("input", { value: row.procedure, maxlength: 40, required: true, "aria-label": t("types.procedure") });
  const kind = h("select", { value: row.kind, "aria-label": t("types.order") }, page.order_kinds.map((name) => h("option", { value: name }, t(`types.order.${name}`))));
  const days = number(row.days, 1, 60, t("types.days"));
  return { nodes: [kind, procedure, days, t("types.days")], read: () => ({ procedure: procedure.value.trim(), kind: kind.value, days: Number(days.value) }) };
}

function reminderLine(row) {
  const days = number(row.days_before, 0, 30, t("types.days_before")), at = clockInput(row.at, t("types.at"));
  return { nodes: [days, t("types.days_before"), at], read: () => ({ days_before: Number(days.value), at: at.value.trim() }) };
}

function select(code) {
  selected = code;
  drawList();
  const row = page.types.find((one) => one.code === code);
  const minutes = h("input", { type: "number", min: 1, max: 480, required: true, value: row.minutes });
  const probe = h("input", { maxlength: 20, value: row.probe });
  const assistant = h("input", { type: "checkbox", checked: row.assistant });
  const zh = h("textarea", { rows: 3, maxlength: 2000, value: row.preparation_zh }), en = h("textarea", { rows: 3, maxlength: 2000, value: row.preparation_en });
  const windows = rowsEditor({ rows: row.windows, line: windowLine, fresh: () => ({ opens: "08:00", closes: "12:00" }), add: t("types.add_window"), empty: t("types.no_windows") });
  const orders = rowsEditor({ rows: row.order_rules, line: orderLine, fresh: () => ({ procedure: "", kind: page.order_kinds[0], days: 1 }), add: t("types.add_order"), empty: t("types.no_orders") });
  const reminders = rowsEditor({ rows: row.reminders, line: reminderLine, fresh: () => ({ days_before: 1, at: "18:30" }), add: t("types.add_reminder"), empty: t("types.no_reminders") });
  const problem = h("div", {}), save = h("button", { class: "button primary" }, t("types.save"));
  const form = h("form", { class: "stack" },
    h("div", { class: "row" }, field(t("types.minutes"), minutes), field(t("types.probe"), probe, { note: t("optional") })),
    h("label", { class: "check" }, assistant, h("span", {}, t("types.assistant"))),
    field(t("types.preparation_zh"), zh), field(t("types.preparation_en"), en),
    h("h3", {}, t("types.windows")), windows.node, h("h3", {}, t("types.orders")), orders.node, h("h3", {}, t("types.reminders")), reminders.node,
    problem, h("div", { class: "actions" }, save));
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    busy(save, async () => {
      clearError(problem);
      try {
        const kept = await call("PUT", `exam-types/${code}`, {
          minutes: Number(minutes.value), probe: probe.value.trim(), assistant: assistant.checked, preparation_zh: zh.value.trim(), preparation_en: en.value.trim(),
          windows: windows.read(), order_rules: orders.read(), reminders: reminders.read(),
        });
        page.types = page.types.map((one) => (one.code === code ? kept : one));
        notice(t("calendars.saved"));
        select(code);
      } catch (error) {
        showError(problem, error);
      }
    });
  });
  replace(panel, h("h2", {}, either(row)), h("p", { class: "small muted" }, t("types.hint")), form);
}

list.addEventListener("click", (event) => {
  const found = event.target.closest("tr[data-code]");
  if (found) select(found.dataset.code);
});
replace(panel, h("p", { class: "muted" }, t("types.pick")));
drawList();
