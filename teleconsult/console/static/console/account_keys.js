// One's own security keys: adding one takes a fresh proof, removing one a proof from the last 10 minutes.
import { call } from "./api.js";
import { $, busy, data, deed, h, replace } from "./dom.js";
import { clearError, notice, noticeError, showError } from "./errors.js";
import { prove, withStepUp } from "./prove.js";
import { t } from "./texts.js";
import { makeKey, supported } from "./webauthn.js";
import { stamp } from "./when.js";

const problem = $("#key-problem");

async function refresh() {
  draw((await call("GET", "auth/keys")).results);
}

function row(key) {
  const remove = deed({ "aria-label": `${t("account.key_remove")} ${key.name}` }, t("account.key_remove"), async () => {
    try {
      if ((await withStepUp(() => call("DELETE", `auth/keys/${key.id}`).then(() => true))) === null) return;
      notice(t("account.key_removed", { name: key.name }));
      await refresh();
    } catch (error) {
      noticeError(error);
    }
  });
  const state = key.suspended ? h("strong", { class: "bad-text" }, t("account.key_suspended")) : t(key.backed_up ? "account.key_synced" : "account.key_here");
  return h("tr", {}, h("td", {}, h("b", {}, key.name)), h("td", { class: "num" }, stamp(key.created_at)),
    h("td", { class: "num" }, key.last_used_at ? stamp(key.last_used_at) : t("account.key_unused")), h("td", {}, state), h("td", {}, remove));
}

function draw(keys) {
  const heads = ["account.key_name", "account.key_since", "account.used", "account.key_state"].map((name) => h("th", {}, t(name)));
  replace($("#keys"), keys.length
    ? h("table", { class: "table" }, h("thead", {}, h("tr", {}, heads, h("th", {}))), h("tbody", {}, keys.map(row)))
    : h("p", { class: "muted" }, t("account.keys_none")));
}

async function add(name) {
  const challenge = await prove({ action: "auth.key_add" }, {
    title: t("account.key_add"), lead: t("account.key_proof"), then: () => call("POST", "auth/keys/options", {}),
  });
  if (!challenge) return;
  const credential = await makeKey(challenge.options);
  await call("POST", "auth/keys", { challenge_id: challenge.challenge_id, credential, name });
  $("#key-add").reset();
  notice(t("account.key_added", { name }));
  await refresh();
}

$("#key-add").addEventListener("submit", (event) => {
  event.preventDefault();
  clearError(problem);
  const name = event.target.elements.name.value.trim();
  if (!supported()) return showError(problem, { title: t("key.unsupported"), code: null, status: 0, data: {} });
  return busy(event.target.querySelector("button"), () => add(name).catch((error) => showError(problem, error)));
});
draw(data("keys-data"));
