// The system administrator: accounts and their clinical roles, hospitals, robots, the programs' health.
import { fill, form, pages, person, place, roleName, stateOf, table, tabs, tellCode } from "./admin.js";
import { call } from "./api.js";
import { $, deed, h } from "./dom.js";
import { notice, noticeError } from "./errors.js";
import { either } from "./exams.js";
import { t } from "./texts.js";
import { clockSeconds } from "./when.js";

const CLINICAL = ["remote_physician", "bedside_physician", "assistant", "scheduler", "nurse", "alarm_desk", "quality_control"];
// A form with the hospitals' list waits for it: an empty list that is required could not be sent.
let institutions = [];
const listed = call("GET", "admin/institutions").then(({ results }) => { institutions = results; }, () => {});

const roleSelect = () => h("select", { required: true }, CLINICAL.map((role) => h("option", { value: role }, roleName(role))));
const placeSelect = () => h("select", { required: true }, institutions.filter((row) => row.mine).map((row) => h("option", { value: row.id }, either(row))));

async function attempt(run, done) {
  try {
    await run();
    notice(t(done));
  } catch (error) {
    noticeError(error);
  }
  showStaff();
}

const sure = (title, lead, run) => form(title, lead, [], { button: t("confirm"), danger: true, run });

function roleChip(account, role) {
  const take = !role.administrator && h("button", {
    type: "button", class: "chip-x", "aria-label": t("admin.role.take", { role: roleName(role.role), name: account.name }),
    onclick: async () => (await sure(t("admin.role.take_title"), t("admin.role.take", { role: roleName(role.role), name: account.name }), () => call("DELETE", `admin/roles/${role.id}`))) && showStaff(),
  }, "×");
  return h("span", { class: `chip${role.administrator ? " fixed" : ""}` }, `${roleName(role.role)} · ${place(role)}`, take);
}

async function giveRole(account) {
  await listed;
  await form(t("admin.role.give_title", { name: account.name }), null,
    [["role", t("admin.role"), roleSelect()], ["institution_id", t("admin.institution"), placeSelect()]],
    { button: t("admin.role.give"), run: (given) => call("POST", `admin/staff/${account.id}/roles`, given) });
  showStaff();
}

function actions(account) {
  if (account.own) return h("span", { class: "muted" }, t("admin.own"));
  const administrator = account.roles.some((role) => role.administrator);
  return h("div", { class: "actions" },
    !administrator && account.state !== "closed" && h("button", { type: "button", class: "button", onclick: () => giveRole(account) }, t("admin.role.give")),
    deed({}, t("admin.reset.ask"), async () => {
      if (await sure(t("admin.reset.ask"), t("admin.reset.lead", { name: account.name }), () => call("POST", `admin/staff/${account.id}/reset`))) { notice(t("admin.reset.asked")); showStaff(); }
    }),
    !administrator && account.state !== "closed" && h("button", {
      type: "button", class: "button danger",
      onclick: async () => { if (await sure(t("admin.deactivate"), t("admin.deactivate.lead", { name: account.name }), () => call("POST", `admin/staff/${account.id}/deactivate`))) attempt(async () => {}, "admin.deactivated"); },
    }, t("admin.deactivate")));
}

function showStaff() {
  const q = new FormData($("#staff-search")).get("q").trim();
  pages($("#staff"), `admin/staff?q=${encodeURIComponent(q)}`, (rows) => table(
    ["admin.person", "admin.state", "admin.roles", ""], rows,
    (row) => [person(row), stateOf(row), h("div", { class: "chip-list" }, row.roles.map((role) => roleChip(row, role))), actions(row)],
    q ? "admin.staff.none_found" : "admin.staff.empty"));
}

async function newMember() {
  await listed;
  const made = await form(t("admin.staff.new"), t("admin.staff.new_lead"), [
    ["name", t("admin.name"), h("input", { required: true, maxlength: 80 })],
    ["username", t("signin.username"), h("input", { required: true, maxlength: 60, pattern: "[a-z0-9][a-z0-9._\\-]{2,59}", autocapitalize: "none" }), t("admin.username_hint")],
    ["role", t("admin.role"), roleSelect()], ["institution_id", t("admin.institution"), placeSelect()],
  ], { button: t("admin.staff.create"), run: (given) => call("POST", "admin/staff", given) });
  if (made) await tellCode(t("admin.code_title", { name: made.username }), t("admin.code_lead"), made.code);
  showStaff();
}

function showInstitutions() {
  fill($("#institutions"), "admin/institutions", ({ results }) => {
    institutions = results;
    return table(["admin.institution", "admin.uscc", "admin.region", "admin.people"], results,
      (row) => [h("td", {}, h("b", {}, either(row)), h("span", { class: "sub" }, document.documentElement.lang === "en" ? row.name : row.name_en)),
        h("span", { class: "num" }, row.uscc), h("span", { class: "num" }, row.region_code), row.mine ? String(row.people) : "—"], "admin.institutions.empty");
  });
}

async function newInstitution() {
  const input = (attributes) => h("input", { required: true, ...attributes });
  const made = await form(t("admin.institutions.new"), t("admin.institutions.new_lead"), [
    ["name", t("admin.name_zh"), input({ maxlength: 120 })], ["name_en", t("admin.name_en"), input({ maxlength: 120 })],
    ["short_name", t("admin.short_name"), input({ maxlength: 20 })],
    ["region_code", t("admin.region"), input({ pattern: "[0-9]{6}", inputmode: "numeric" }), t("admin.region_hint")],
    ["uscc", t("admin.uscc"), input({ minlength: 18, maxlength: 18 })],
  ], { button: t("save"), run: (given) => call("POST", "admin/institutions", given) });
  if (made) notice(t("admin.institutions.made"));
  showInstitutions();
}

function showRobots() {
  fill($("#robots"), "robots", ({ results }) => table(["admin.robot", "admin.state", "admin.calibration", "admin.maintenance", ""], results, (row) => [
    h("td", {}, h("b", {}, either(row)), h("span", { class: "sub" }, row.institution)),
    h("span", { class: `state ${row.online ? "ready" : "cancelled"}` }, t(row.online ? "admin.robot.online" : "admin.robot.offline")),
    h("span", { class: "num" }, row.calibration_due_on || "—"), h("span", { class: "num" }, row.maintenance_due_on || "—"),
    deed({}, t("admin.robot.pair"), async () => {
      if (!await sure(t("admin.robot.pair"), t("admin.robot.pair_lead", { name: either(row) }), () => true)) return;
      try {
        const { code } = await call("POST", `robots/${row.id}/pairing-code`);
        await tellCode(t("admin.robot.pair"), t("admin.robot.pair_code"), code);
      } catch (error) { noticeError(error); }
    })], "admin.robots.empty"));
}

const age = (part) => (part.seen_s === undefined || part.seen_s === null ? part.problem || (part.seen_s === null ? t("admin.health.never") : "") : t("admin.health.seen", { s: part.seen_s.toFixed(0) }));

function showHealth() {
  fill($("#health"), "admin/health", ({ parts, work, notes }) => {
    $("#health-at").textContent = t("admin.health.at", { time: clockSeconds(Date.now()) });
    return h("div", { class: "stack" },
      table(["admin.health.part", "admin.state", "admin.health.sign"], Object.entries(parts), ([name, part]) => [h("b", {}, t(`admin.health.${name}`)),
        h("span", { class: `state ${part.ok ? "ready" : "aborted"}` }, t(part.ok ? "admin.health.ok" : "admin.health.not_ok")), age(part)], "admin.health.empty"),
      h("p", {}, t("admin.health.work", { waiting: work.waiting, oldest: work.oldest_s, failing: work.failing })),
      notes.length > 0 && h("div", { class: "warning" }, h("p", { class: "strong" }, t("admin.health.notes")), h("ul", {}, notes.map((note) => h("li", { lang: "en" }, note)))));
  });
}

$("#staff-search").addEventListener("submit", (event) => { event.preventDefault(); showStaff(); });
$("#staff-new").addEventListener("click", newMember);
$("#institution-new").addEventListener("click", newInstitution);
await listed;
tabs([["staff", showStaff], ["institutions", showInstitutions], ["robots", showRobots], ["health", showHealth]]);
setInterval(() => { if (!document.hidden && !$("#panel-health").hidden) showHealth(); }, 5000);
