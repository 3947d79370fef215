// Changing to another authenticator: a fresh proof, the new secret once, then a first code of it.
import { call } from "./api.js";
import { $, busy, deed, field, h, replace } from "./dom.js";
import { clearError, notice, showError } from "./errors.js";
import { prove } from "./prove.js";
import { qr } from "./qr.js";
import { t } from "./texts.js";
import { clock } from "./when.js";

const place = $("#totp-change");

function idle() {
  const problem = h("div", {});
  const start = deed({}, t("account.totp_change"), async () => {
    clearError(problem);
    try {
      const fresh = await prove({ action: "auth.totp" }, {
        title: t("account.totp_change"), lead: t("account.totp_proof"), then: () => call("POST", "auth/totp", {}),
      });
      if (fresh) confirm(fresh);
    } catch (error) {
      showError(problem, error);
    }
  });
  replace(place, problem, h("div", { class: "actions" }, start));
}

function confirm(fresh) {
  const problem = h("div", {});
  const code = h("input", { class: "code", inputmode: "numeric", pattern: "[0-9]{6}", maxlength: 6, autocomplete: "off", required: true });
  const send = h("button", { class: "button primary" }, t("account.totp_finish"));
  const form = h("form", { class: "stack", autocomplete: "off" },
    h("p", {}, t("account.totp_scan", { time: clock(fresh.expires_at) })), qr(fresh.qr, t("account.totp_qr")),
    h("p", { class: "told", tabindex: "0" }, fresh.totp_secret.match(/.{1,4}/g).join(" ")),
    h("p", { class: "small" }, h("a", { href: fresh.otpauth }, t("activate.open_app"))),
    field(t("account.totp_code"), code), problem,
    h("div", { class: "actions" }, send, h("button", { type: "button", class: "button", onclick: idle }, t("cancel_form"))));
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    clearError(problem);
    busy(send, async () => {
      try {
        await call("POST", "auth/totp/confirm", { totp: code.value.trim() });
        idle();
        notice(t("account.totp_done"));
      } catch (error) {
        code.select();
        showError(problem, error);
      }
    });
  });
  replace(place, form);
  code.focus();
}

idle();
