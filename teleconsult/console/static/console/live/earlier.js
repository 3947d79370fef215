// Earlier signed reports of this patient beside the picture: who examines must not scan blind.
import { call } from "../api.js";
import { h, replace } from "../dom.js";
import { t } from "../texts.js";
import { day } from "../when.js";

const inLanguage = ({ name_zh: zh, name_en: en }) => (document.documentElement.lang === "en" ? en || zh : zh || en);

function entry(report, open) {
  return h("details", { class: "earlier", open, dataset: { report: report.report_id } },
    h("summary", {}, h("b", {}, day(report.starts_at)), ` ${inLanguage(report.exam_type)}`, h("span", {}, report.impression)),
    h("dl", {},
      h("dt", {}, t("report.impression")), h("dd", { class: "wrap strong" }, report.impression),
      h("dt", {}, t("report.findings")), h("dd", { class: "wrap" }, report.findings),
      h("dt", {}, t("live.question")), h("dd", { class: "wrap" }, report.clinical_question || "–"),
      h("dt", {}, t("report.signature")), h("dd", {}, `${report.signed_by} · ${report.performing_institution}`)));
}

// Reads once and draws into root; a list that can't be had says so and offers another try.
export async function drawEarlier(root, examId) {
  try {
    const { results } = await call("GET", `exams/${examId}/earlier-reports`, undefined, { staySignedOut: true });
    replace(root, h("h3", {}, `${t("live.earlier")} · ${results.length}`),
      results.length ? results.map((report) => entry(report, false)) : h("p", { class: "lv-hint" }, t("live.earlier.none")));
  } catch {
    const again = h("button", { type: "button", class: "deed", tabindex: -1, onclick: () => drawEarlier(root, examId) }, t("live.earlier.again"));
    replace(root, h("h3", {}, t("live.earlier")), h("p", { class: "lv-hint" }, t("live.earlier.failed")), again);
  }
}
