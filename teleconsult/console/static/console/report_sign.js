// Signing needs a fresh proof of identity; amending needs a reason.
import { call } from "./api.js";
import { busy, dialog, field, h } from "./dom.js";
import { clearError, showError } from "./errors.js";
import { t } from "./texts.js";

const plain = (title) => ({ title, code: null, status: 0, data: {} });

function ask(title, lead, control, label, { button, wrong, run }) {
  return dialog(title, (close) => {
    const place = h("div", {});
    const send = h("button", { class: "button primary" }, button);
    const form = h("form", { novalidate: true }, h("p", {}, lead), field(label, control), place,
      h("div", { class: "actions" }, send, h("button", { type: "button", class: "button", onclick: () => close(null) }, t("cancel_form"))));
    form.addEventListener("submit", (event) => {
      event.preventDefault();
      clearError(place);
      busy(send, async () => {
        const problem = wrong();
        if (problem) return showError(place, plain(problem));
        try {
          return close(await run());
        } catch (error) {
          control.select();
          return showError(place, error);
        }
      });
    });
    return form;
  });
}

// -> the signed report, or null when the person went back.
export function signDialog(reportId) {
  const code = h("input", { class: "code", inputmode: "numeric", autocomplete: "one-time-code", maxlength: 6, pattern: "[0-9]{6}", required: true });
  return ask(t("report.sign_title"), t("report.sign_lead"), code, t("signin.totp"), {
    button: t("report.sign_submit"),
    wrong: () => (/^[0-9]{6}$/.test(code.value.trim()) ? null : t("signin.totp_hint")),
    run: async () => {
      await call("POST", "auth/step-up", { totp: code.value.trim() }).catch((error) => {
        if (error.code === "bad_credentials") error.title = t("report.sign_wrong");
        throw error;
      });
      return call("POST", `reports/${reportId}/sign`, {});
    },
  });
}

export function amendDialog(reportId) {
  const reason = h("textarea", { rows: 3, required: true, maxlength: 500 });
  return ask(t("report.amend_title"), t("report.amend_lead"), reason, t("report.amend_reason"), {
    button: t("report.amend"),
    wrong: () => (reason.value.trim() ? null : t("report.reason_needed")),
    run: () => call("POST", `reports/${reportId}/amend`, { reason: reason.value.trim() }),
  });
}
