// Standard views of the exam: pictures, or why there is none. A report is signed only when each has one or the other.
import { call } from "./api.js";
import { busy, dialog, field, h, replace } from "./dom.js";
import { clearError, showError } from "./errors.js";
import { viewName } from "./report_pictures.js";
import { t } from "./texts.js";

const REASONS = ["gas", "habitus", "refused", "other"];
const codeOf = (view) => (typeof view === "string" ? view : view.code);

// {code, count, missing} of each standard view, in the exam type's order
export function viewRows(exam, report) {
  const kept = (report.images || []).filter((image) => !image.removed);
  return (exam.exam_type.views || []).map(codeOf).map((code) => ({
    code, count: kept.filter((image) => image.view === code).length,
    missing: (report.missing_views || []).find((row) => row.view === code) ?? null,
  }));
}

export const unaccounted = (exam, report) => viewRows(exam, report).filter((row) => !row.count && !row.missing).map((row) => row.code);

function words(title) {
  return dialog(title, (close) => {
    const text = h("textarea", { rows: 2, required: true, maxlength: 500 });
    const form = h("form", { novalidate: true }, field(t("view.other_text"), text),
      h("div", { class: "actions" }, h("button", { class: "button primary" }, t("view.keep")), h("button", { type: "button", class: "button", onclick: () => close(null) }, t("cancel_form"))));
    form.addEventListener("submit", (event) => { event.preventDefault(); if (text.value.trim()) close(text.value.trim()); });
    return form;
  });
}

// drawViews({node, exam, report, editable, onChanged(missing_views)})
export function drawViews({ node, exam, report, editable, onChanged }) {
  const place = h("div", {});
  const put = async (button, views, reason) => {
    const text = reason === "other" ? await words(t("view.why", { name: views.map((code) => viewName(exam, code)).join("、") })) : "";
    if (text === null) return;
    clearError(place);
    await busy(button, async () => {
      try {
        onChanged((await call("PUT", `exams/${exam.id}/missing-views`, { views, reason, text })).missing_views);
      } catch (error) {
        showError(place, error);
      }
    });
  };
  const choices = (views, label) => h("span", { class: "view-choices", role: "group", "aria-label": label }, REASONS.map((reason) => {
    const button = h("button", { type: "button", class: "quiet", dataset: { reason } }, t(`view.short.${reason}`));
    button.addEventListener("click", () => put(button, views, reason));
    return button;
  }));
  const back = (code) => {
    const button = h("button", { type: "button", class: "quiet" }, t("view.take_back"));
    button.addEventListener("click", () => put(button, [code], ""));
    return button;
  };
  const line = ({ code, count, missing }) => {
    const name = viewName(exam, code);
    if (count) return h("li", { dataset: { view: code } }, h("span", { class: "ok" }, "✓ "), name, h("span", { class: "muted small" }, ` ${t("view.pictures", { n: count })}`));
    if (missing) return h("li", { dataset: { view: code } }, `– ${name}`, h("span", { class: "muted" }, ` ${t(`view.reason.${missing.reason}`)} ${missing.text}`.trimEnd()), editable && back(code));
    return h("li", { dataset: { view: code }, class: "view-left" }, `○ ${name}`, editable && choices([code], t("view.why", { name })));
  };
  const rows = viewRows(exam, report);
  const left = unaccounted(exam, report);
  return replace(node, left.length > 0 && h("p", { class: "hint bad", id: "views-left" }, t("view.unaccounted", { n: left.length })),
    h("ul", { class: "view-list" }, rows.map(line)), editable && left.length > 1 && h("p", {}, t("view.all_left"), " ", choices(left, t("view.all_left"))), place);
}
