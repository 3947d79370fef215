// A fresh proof of identity before a deed that needs one.
import { call } from "./api.js";
import { busy, dialog, field, h } from "./dom.js";
import { clearError, showError } from "./errors.js";
import { t } from "./texts.js";

// proofDialog(run) asks for the code, then runs; -> what `run` answered, or null when the person went back.
export function proofDialog(run) {
  const code = h("input", { class: "code", inputmode: "numeric", autocomplete: "one-time-code", maxlength: 6, pattern: "[0-9]{6}", required: true });
  return dialog(t("identity.proof_title"), (close) => {
    const place = h("div", {});
    const send = h("button", { class: "button primary" }, t("confirm"));
    const form = h("form", { novalidate: true }, h("p", {}, t("identity.proof")), field(t("signin.totp"), code), place,
      h("div", { class: "actions" }, send, h("button", { type: "button", class: "button", onclick: () => close(null) }, t("cancel_form"))));
    form.addEventListener("submit", (event) => {
      event.preventDefault();
      clearError(place);
      busy(send, async () => {
        try {
          if (!/^[0-9]{6}$/.test(code.value.trim())) throw { title: t("signin.totp_hint"), code: null, status: 0, data: {} };
          await call("POST", "auth/step-up", { totp: code.value.trim() });
          close(await run());
        } catch (error) {
          code.select();
          showError(place, error);
        }
      });
    });
    return form;
  });
}
