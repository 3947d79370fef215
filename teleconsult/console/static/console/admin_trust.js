// The security administrator: which other institutions' keys and which identity providers this hospital trusts.
import { fill, form, table } from "./admin.js";
import { call } from "./api.js";
import { $, data, deed, h } from "./dom.js";
import { notice, noticeError } from "./errors.js";
import { either } from "./exams.js";
import { proven } from "./prove.js";
import { t } from "./texts.js";
import { stamp } from "./when.js";

const SOON_MS = 30 * 86400000;
const input = (attributes) => h("input", { required: true, autocomplete: "off", spellcheck: "false", ...attributes });
const sure = (title, lead, run) => form(title, lead, [], { button: t("confirm"), danger: true, run });

function peerState(row) {
  if (row.revoked_at) return h("span", { class: "state cancelled" }, t("admin.peers.revoked", { time: stamp(row.revoked_at) }));
  const left = Date.parse(row.expires_at) - Date.now();
  if (left <= 0) return h("span", { class: "state aborted" }, t("admin.peers.over"));
  return h("span", { class: `state ${left < SOON_MS ? "paused" : "ready"}` }, t(left < SOON_MS ? "admin.peers.soon" : "admin.peers.valid"));
}

async function revoke(row) {
  if (!(await sure(t("admin.peers.revoke"), t("admin.peers.revoke_lead", { name: either(row.institution), kid: row.kid }), () => call("POST", `peers/${row.id}/revoke`)))) return;
  notice(t("admin.peers.revoke_done"));
  showPeers();
}

export function showPeers() {
  fill($("#peers"), "peers", ({ results }) => table(["admin.institution", "admin.peers.key", "admin.peers.added", "admin.peers.until", "admin.peers.used", "admin.state", ""], results, (row) => [
    h("b", {}, either(row.institution)), h("td", {}, h("span", { class: "mono" }, row.kid), h("span", { class: "sub" }, row.algorithm)),
    h("td", { class: "num" }, stamp(row.registered_at), h("span", { class: "sub" }, row.registered_by)), h("span", { class: "num" }, row.expires_at.slice(0, 10)),
    row.last_used_at ? h("span", { class: "num" }, stamp(row.last_used_at)) : h("span", { class: "muted" }, t("admin.peers.unused")), peerState(row),
    row.revoked_at ? "" : h("button", { type: "button", class: "button danger", onclick: () => revoke(row) }, t("admin.peers.revoke")),
  ], "admin.peers.empty"));
}

async function newPeer() {
  const where = h("select", { required: true }, data("institutions-data").map((row) => h("option", { value: row.id }, either(row))));
  const made = await form(t("admin.peers.new"), t("admin.peers.new_lead"), [
    ["institution_id", t("admin.institution"), where],
    ["public_key_pem", t("admin.peers.pem"), h("textarea", { rows: 5, required: true, maxlength: 2000, class: "mono", spellcheck: "false" }), t("admin.peers.pem_hint")],
    ["days", t("admin.peers.days"), input({ type: "number", min: 1, max: 366, value: 180 })],
  ], { button: t("save"), run: (given) => proven(() => call("POST", "peers", { ...given, days: Number(given.days) })) });
  if (made) { notice(t("admin.peers.done")); showPeers(); }
}

async function tryProvider(row) {
  try {
    const { outcome } = await call("POST", `auth/providers/${row.id}/test`);
    await form(t("admin.providers.test_of", { name: either(row) }), t(`admin.providers.outcome.${outcome}`), [], { button: t("close"), run: () => true });
  } catch (error) {
    noticeError(error);
  }
}

async function disable(row) {
  if (!(await sure(t("admin.providers.disable"), t("admin.providers.disable_lead", { name: either(row) }), () => call("DELETE", `auth/providers/${row.id}`)))) return;
  notice(t("admin.providers.disabled_done"));
  showProviders();
}

async function map(row) {
  const done = await form(t("admin.providers.map"), t("admin.providers.map_lead"), [
    ["username", t("signin.username"), input({ maxlength: 60 })], ["subject", t("admin.providers.subject"), input({ maxlength: 255, class: "mono" })],
  ], { button: t("save"), run: (given) => proven(() => call("POST", `auth/providers/${row.id}/subjects`, given)) });
  if (done) showProviders();
}

const subjects = (row) => row.subjects.map((one) => h("span", { class: "chip" }, `${one.username} · ${one.subject}`, h("button", {
  type: "button", class: "chip-x", "aria-label": t("admin.providers.unmap", { name: one.username }),
  onclick: async () => { if (await sure(t("admin.providers.unmap", { name: one.username }), null, () => call("DELETE", `auth/providers/${row.id}/subjects/${one.id}`))) showProviders(); },
}, "×")));

export function showProviders() {
  fill($("#providers"), "auth/providers", ({ results }) => table(["admin.providers.name", "admin.providers.issuer", "admin.providers.people", "admin.state", ""], results, (row) => [
    h("td", {}, h("b", {}, either(row)), h("span", { class: "sub" }, t(`admin.providers.kind.${row.kind}`))),
    h("td", {}, h("span", { class: "mono wrap" }, row.issuer), h("span", { class: "sub mono" }, row.client_id)),
    row.kind === "staff" ? h("div", { class: "chip-list" }, subjects(row)) : h("span", { class: "muted" }, row.document_claim || "—"),
    h("span", { class: `state ${row.active ? "ready" : "cancelled"}` }, t(row.active ? "admin.providers.active" : "admin.providers.disabled")),
    h("div", { class: "actions" }, deed({}, t("admin.providers.test"), () => tryProvider(row)),
      row.active && row.kind === "staff" && h("button", { type: "button", class: "button", onclick: () => map(row) }, t("admin.providers.map")),
      row.active && h("button", { type: "button", class: "button danger", onclick: () => disable(row) }, t("admin.providers.disable"))),
  ], "admin.providers.empty"));
}

const lines = (text) => text.split("\n").map((line) => line.trim()).filter(Boolean);

async function newProvider() {
  const kind = h("select", { required: true }, ["staff", "city"].map((one) => h("option", { value: one }, t(`admin.providers.kind.${one}`))));
  const area = () => h("textarea", { rows: 2, maxlength: 3000, class: "mono", spellcheck: "false" });
  const made = await form(t("admin.providers.new"), t("admin.providers.new_lead"), [
    ["kind", t("admin.providers.kind"), kind], ["name", t("admin.name_zh"), input({ maxlength: 60 })], ["name_en", t("admin.name_en"), input({ maxlength: 60 })],
    ["issuer", t("admin.providers.issuer"), input({ type: "url", maxlength: 300, class: "mono" }), t("admin.providers.issuer_hint")],
    ["client_id", t("admin.providers.client_id"), input({ maxlength: 200, class: "mono" })],
    ["client_secret", t("admin.providers.secret"), input({ type: "password", maxlength: 300, autocomplete: "new-password" }), t("admin.providers.secret_hint")],
    ["trusted_acr", t("admin.providers.acr"), area(), t("admin.providers.acr_hint")],
    ["document_claim", t("admin.providers.claim"), input({ required: false, maxlength: 60, class: "mono" }), t("admin.providers.claim_hint")],
    ["redirect_uris", t("admin.providers.redirects"), area(), t("admin.providers.redirects_hint")],
  ], { button: t("save"), run: (given) => proven(() => call("POST", "auth/providers", { ...given, trusted_acr: lines(given.trusted_acr), redirect_uris: lines(given.redirect_uris) })) });
  if (made) { notice(t("admin.providers.done")); showProviders(); }
}

$("#peer-new").addEventListener("click", newPeer);
$("#provider-new").addEventListener("click", newProvider);
