// Signing needs a fresh proof of identity; amending needs a reason.
import { call } from "./api.js";
import { busy, dialog, field, h } from "./dom.js";
import { clearError, showError } from "./errors.js";
import { prove } from "./prove.js";
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

// -> the signed report, or null when the person went back. The proof is good for this text only.
export function signDialog(reportId, revision) {
  return prove({ action: "report.sign", object_id: reportId, version: String(revision) }, {
    title: t("report.sign_title"), lead: t("report.sign_lead"), button: t("report.sign_submit"),
    then: () => call("POST", `reports/${reportId}/sign`, {}),
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
