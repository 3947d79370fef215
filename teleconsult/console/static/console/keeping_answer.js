// An answer to a request for erasure, or what it would be: what goes, what stays, until when and why.
import { table } from "./admin.js";
import { h } from "./dom.js";
import { known, t } from "./texts.js";
import { day } from "./when.js";

const english = () => document.documentElement.lang === "en";
const words = (line) => (english() ? line.en : line.zh);
const n = (line) => h("span", { class: "num" }, line.count);

export function whyWaits(row) {
  const key = `keeping.waits.${row.waits_for || ""}`;
  return t(known(key) ? key : "keeping.waits.");
}

// answerNode({goes, stays}) -> element
export function answerNode(answer) {
  const goes = answer.goes.length
    ? table(["keeping.what", "keeping.count"], answer.goes, (line) => [words(line), n(line)], "keeping.goes_none")
    : h("p", { class: "empty" }, t("keeping.goes_none"));
  const stays = table(["keeping.what", "keeping.count", "keeping.until", "keeping.why"], answer.stays, (line) => [
    words(line), n(line), h("span", { class: "num" }, line.until || t("keeping.until_unknown")),
    h("td", {}, english() ? line.why_en : line.why_zh, line.until && h("span", { class: "sub" }, t("keeping.from", { start: english() ? line.from_en : line.from_zh }))),
  ], "keeping.stays_none");
  return h("div", { class: "stack" }, h("h3", {}, t(answer.answered_at ? "keeping.print_goes" : "keeping.goes")), goes, h("h3", {}, t("keeping.stays")), stays);
}

// The one sentence above an answer that was given, or that is still to come.
export function answerTitle(row) {
  if (row.answered_at) return h("p", { class: "note" }, t(row.restricted ? "keeping.print_restricted" : "keeping.print_whole"));
  return h("p", { class: "warning" }, t(row.overdue ? "keeping.waits_late" : "keeping.waits", { why: whyWaits(row), day: day(row.due_at) }));
}

export const printLink = (row) => h("a", { class: "button primary", target: "_blank", rel: "noopener", href: `/console/keeping/requests/${row.id}/print/` },
  t(row.answered_at ? "keeping.print_answer" : "keeping.print_receipt"));
