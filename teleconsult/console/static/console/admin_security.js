// The security administrator: what waits for a decision, who administers, who is in, which keys hold.
import { fill, form, pages, person, place, roleName, stateOf, table, tabs, tellCode } from "./admin.js";
import { showPeers, showProviders } from "./admin_trust.js";
import { call } from "./api.js";
import { $, h } from "./dom.js";
import { notice } from "./errors.js";
import { known, t } from "./texts.js";
import { stamp } from "./when.js";

const ADMINISTRATIONS = ["system_admin", "security_admin", "audit_admin"];
const sure = (title, lead, run) => form(title, lead, [], { button: t("confirm"), danger: true, run });
const text = (max) => h("textarea", { rows: 2, maxlength: max, required: true });

async function review(entry) {
  const verdict = h("select", { required: true }, ["justified", "not_justified"].map((one) => h("option", { value: one }, t(`admin.breakglass.${one}`))));
  const done = await form(t("admin.breakglass.review"), `${entry.by.name}: ${entry.reason}`, [["verdict", t("admin.breakglass.verdict"), verdict], ["note", t("admin.breakglass.note"), h("textarea", { rows: 2, maxlength: 500 })]],
    { button: t("save"), run: (given) => call("POST", `break-glass/${entry.id}/review`, given) });
  if (done) { notice(t("admin.breakglass.done")); showWaiting(); }
}

// Overdue ones first, then what waits, then what was decided.
function queue(results) {
  const rows = results.map((row) => ({ ...row, overdue: !row.verdict && Date.parse(row.review_due_at) < Date.now() }));
  const rank = (row) => (row.overdue ? 0 : row.verdict ? 2 : 1);
  return rows.sort((a, b) => rank(a) - rank(b) || a.began_at.localeCompare(b.began_at));
}

function showWaiting() {
  fill($("#break-glass"), "break-glass", ({ results }) => table(["admin.breakglass.began", "admin.breakglass.who", "admin.audit.patient", "admin.breakglass.reason", "admin.breakglass.due", ""], queue(results), (row) => [
    h("span", { class: "num" }, stamp(row.began_at)), h("td", {}, h("b", {}, row.by.name), h("span", { class: "sub" }, place(row.by))),
    h("td", {}, row.patient.name_masked, h("span", { class: "sub num" }, row.patient.mpi)), h("span", { class: "wrap" }, row.reason),
    row.overdue ? h("span", { class: "state aborted" }, t("admin.overdue")) : h("span", { class: "num" }, stamp(row.review_due_at)),
    row.verdict ? h("td", {}, t(`admin.breakglass.${row.verdict}`), h("span", { class: "sub" }, row.reviewed_by)) : h("button", { type: "button", class: "button primary", onclick: () => review(row) }, t("admin.breakglass.review")),
  ], "admin.breakglass.empty"));
  fill($("#resets"), "admin/resets", ({ results }) => table(["admin.person", "admin.resets.by", "admin.resets.at", ""], results, (row) => [
    person(row.user), row.asked_by, h("span", { class: "num" }, stamp(row.asked_at)),
    row.own ? h("span", { class: "muted" }, t("admin.not_yours")) : h("button", {
      type: "button", class: "button primary",
      onclick: async () => {
        const made = await form(t("admin.resets.approve"), t("admin.resets.lead", { name: row.user.name }), [], { button: t("admin.resets.approve"), run: () => call("POST", `admin/resets/${row.id}/approve`) });
        if (made) await tellCode(t("admin.code_title", { name: row.user.username }), t("admin.code_lead"), made.code);
        showWaiting();
      },
    }, t("admin.resets.approve")),
  ], "admin.resets.empty"));
}

async function grant(account) {
  const role = h("select", { required: true }, ADMINISTRATIONS.map((one) => h("option", { value: one }, roleName(one))));
  const where = h("select", { required: true }, [...new Map(account.roles.map((row) => [row.institution_id, row])).values()].map((row) => h("option", { value: row.institution_id }, place(row))));
  const done = await form(t("admin.grant.title", { name: account.name }), t("admin.grant.lead"), [["role", t("admin.role"), role], ["institution_id", t("admin.institution"), where]],
    { button: t("admin.grant"), run: (given) => call("POST", "admin/administrators", { ...given, user_id: account.id }) });
  if (done) { notice(t("admin.granted")); showAccounts(); }
}

function accountActions(account) {
  if (account.own) return h("span", { class: "muted" }, t("admin.own"));
  const office = account.roles.find((role) => role.administrator);
  return h("div", { class: "actions" },
    account.state === "locked"
      ? h("button", { type: "button", class: "button", onclick: async () => { if (await sure(t("admin.unlock"), t("admin.unlock.lead", { name: account.name }), () => call("POST", `admin/accounts/${account.id}/unlock`))) showAccounts(); } }, t("admin.unlock"))
      : h("button", { type: "button", class: "button danger", onclick: async () => { if (await form(t("admin.lock"), t("admin.lock.lead", { name: account.name }), [["reason", t("admin.lock.reason"), text(200)]], { button: t("admin.lock"), danger: true, run: (given) => call("POST", `admin/accounts/${account.id}/lock`, given) })) showAccounts(); } }, t("admin.lock")),
    office
      ? h("button", { type: "button", class: "button danger", onclick: async () => { if (await sure(t("admin.revoke"), t("admin.revoke.lead", { name: account.name, role: roleName(office.role) }), () => call("DELETE", `admin/administrators/${office.id}`))) showAccounts(); } }, t("admin.revoke"))
      : h("button", { type: "button", class: "button", onclick: () => grant(account) }, t("admin.grant")));
}

function showAccounts() {
  const q = new FormData($("#account-search")).get("q").trim();
  pages($("#accounts"), `admin/accounts?q=${encodeURIComponent(q)}`, (rows) => table(["admin.person", "admin.state", "admin.roles", ""], rows, (row) => [
    person(row), stateOf(row), h("div", { class: "chip-list" }, row.roles.map((role) => h("span", { class: `chip${role.administrator ? " fixed" : ""}` }, `${roleName(role.role)} · ${place(role)}`))), accountActions(row),
  ], q ? "admin.staff.none_found" : "admin.staff.empty"));
}

function showSessions() {
  fill($("#sessions"), "admin/sessions", ({ results }) => table(["admin.person", "account.began", "account.used", "account.address", "account.agent", ""], results, (row) => [
    person(row.user), h("span", { class: "num" }, stamp(row.began_at)), h("span", { class: "num" }, stamp(row.last_used_at)), h("span", { class: "num" }, row.address), h("td", { class: "small agent" }, row.agent || t("account.program")),
    row.own ? h("b", {}, t("account.this")) : h("button", { type: "button", class: "button danger", onclick: async () => { if (await sure(t("account.end"), t("admin.session.lead", { name: row.user.name }), () => call("DELETE", `admin/sessions/${row.id}`))) showSessions(); } }, t("account.end")),
  ], "admin.sessions.empty"));
  fill($("#failures"), "admin/sign-in-failures", ({ results }) => table(["admin.failures.at", "admin.person", "admin.failures.why", "account.address"], results, (row) => [
    h("span", { class: "num" }, stamp(row.at)), row.user || h("span", { class: "muted" }, t("admin.failures.unknown")), known(`admin.failure.${row.reason}`) ? t(`admin.failure.${row.reason}`) : row.reason, h("span", { class: "num" }, row.address),
  ], "admin.failures.empty"));
}

function showKeys() {
  fill($("#keys"), "admin/keys", (keys) => h("div", { class: "card stack" }, h("dl", { class: "facts" },
    h("dt", {}, t("admin.keys.cipher")), h("dd", {}, keys.cipher), h("dt", {}, t("admin.keys.current")), h("dd", { class: "num" }, `#${keys.current}`),
    h("dt", {}, t("admin.keys.versions")), h("dd", { class: "num" }, keys.versions.map((n) => `#${n}`).join("  ")),
    h("dt", {}, t("admin.keys.state")), h("dd", {}, h("span", { class: `state ${keys.rotating ? "paused" : "ready"}` }, t(keys.rotating ? "admin.keys.rotating" : "admin.keys.settled")))),
  h("p", { class: "muted" }, t("admin.keys.lead"))));
}

function showPermissions() {
  fill($("#permissions"), "admin/permissions", ({ roles, actions }) => h("table", { class: "table matrix" },
    h("thead", {}, h("tr", {}, h("th", { scope: "col" }, t("admin.audit.action")), roles.map((role) => h("th", { scope: "col" }, roleName(role))))),
    h("tbody", {}, actions.map((row) => h("tr", {}, h("th", { scope: "row", class: "mono" }, row.action), roles.map((role) => {
      const reach = row.roles[role];
      return h("td", { class: reach ? "yes" : null }, reach ? (known(`admin.scope.${reach}`) ? t(`admin.scope.${reach}`) : reach) : h("span", { class: "sr" }, t("none")));
    }))))));
}

$("#account-search").addEventListener("submit", (event) => { event.preventDefault(); showAccounts(); });
tabs([["waiting", showWaiting], ["accounts", showAccounts], ["sessions", showSessions], ["keys", showKeys], ["peers", showPeers], ["providers", showProviders], ["permissions", showPermissions]]);
