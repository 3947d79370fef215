// Legal holds: what must not be erased, for which case; set by one administrator, lifted by another.
import { form, pages, table } from "./admin.js";
import { call } from "./api.js";
import { $, h } from "./dom.js";
import { notice } from "./errors.js";
import { proven } from "./prove.js";
import { t } from "./texts.js";
import { fullStamp, today } from "./when.js";

const which = $("#holds-which");
const short = (id) => h("span", { class: "sub mono", title: id }, `…${id.slice(-8)}`);

function stateOf(row) {
  if (row.standing) return h("span", { class: "state booked" }, t("keeping.hold.standing"));
  return h("span", { class: "state cancelled" }, t(row.lifted_at ? "keeping.hold.lifted" : "keeping.hold.ran_out"));
}

async function lift(row) {
  const reason = h("textarea", { rows: 3, maxlength: 500, required: true });
  const done = await form(t("keeping.hold.lift_title", { case: row.case_number }), t("keeping.hold.lift_lead"), [["reason", t("keeping.hold.reason"), reason]],
    { button: t("keeping.hold.lift"), danger: true, run: (given) => proven(() => call("POST", `legal-holds/${row.id}/lift`, given)) });
  if (done) notice(t("keeping.hold.lift_done"));
  if (done) showHolds();
}

function deedOf(row) {
  if (!row.standing) return h("td", {}, row.lifted_at && [row.lifted_by, h("span", { class: "sub num" }, fullStamp(row.lifted_at)), h("span", { class: "sub" }, row.lifted_reason)]);
  if (row.own) return h("span", { class: "muted" }, t("keeping.hold.own"));
  return h("button", { type: "button", class: "button", "aria-label": `${t("keeping.hold.lift")} ${row.case_number}`, onclick: () => lift(row) }, t("keeping.hold.lift"));
}

const cells = (row) => [
  h("td", {}, h("b", {}, row.case_number), h("span", { class: "sub" }, row.reason)),
  h("td", {}, t(`keeping.hold.kind.${row.subject_kind}`), short(row.subject_id)),
  h("td", {}, stateOf(row), h("span", { class: "sub num" }, row.until || (row.standing && t("keeping.hold.open_end")))),
  h("td", {}, row.set_by, h("span", { class: "sub num" }, fullStamp(row.set_at))), deedOf(row),
];

export function showHolds() {
  return pages($("#holds"), `legal-holds${which.value}`, (rows) => table(
    ["keeping.hold.case", "keeping.hold.kind", "keeping.state", "keeping.hold.set_by", ""], rows, cells,
    which.value ? "keeping.holds.none_standing" : "keeping.holds.empty"));
}

async function set() {
  const input = (attributes) => h("input", { autocomplete: "off", spellcheck: "false", ...attributes });
  const kind = h("select", {}, ["patient", "robot"].map((one) => h("option", { value: one }, t(`keeping.hold.kind.${one}`))));
  const done = await form(t("keeping.holds.new"), t("keeping.hold.lead"), [
    ["subject_kind", t("keeping.hold.kind"), kind], ["subject", t("keeping.hold.subject"), input({ maxlength: 60, required: true })],
    ["case_number", t("keeping.hold.case"), input({ maxlength: 120, required: true })],
    ["reason", t("keeping.hold.reason"), h("textarea", { rows: 3, maxlength: 500, required: true })],
    ["until", t("keeping.hold.until"), input({ type: "date", min: today() })],
  ], { button: t("keeping.holds.new"), run: (given) => call("POST", "legal-holds", { ...given, until: given.until || null }) });
  if (done) notice(t("keeping.hold.done"));
  if (done) showHolds();
}

export function watchHolds() {
  which.addEventListener("change", showHolds);
  $("#new-hold").addEventListener("click", set);
}
