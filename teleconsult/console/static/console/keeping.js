// Keeping and erasing: requests and their answers for everybody here, the desk's and the administrators' own panels.
import { pages, table, tabs } from "./admin.js";
import { call } from "./api.js";
import { $, busy, data, dialog, h } from "./dom.js";
import { notice } from "./errors.js";
import { answerNode, answerTitle, printLink, whyWaits } from "./keeping_answer.js";
import { showAsk, showReopen } from "./keeping_desk.js";
import { showHolds, watchHolds } from "./keeping_holds.js";
import { t } from "./texts.js";
import { day, fullStamp } from "./when.js";

const may = data("page-config");
const which = $("#requests-which");

function stateCell(row) {
  const answered = row.status === "answered";
  return h("td", {}, h("span", { class: `state ${answered ? "reported" : "booked"}` }, t(`keeping.state.${row.status}`)),
    h("span", { class: "sub" }, answered ? t(row.restricted ? "keeping.restricted" : "keeping.erased") : whyWaits(row)));
}

function dueCell(row) {
  if (row.answered_at) return h("td", {}, h("span", { class: "num" }, fullStamp(row.answered_at)));
  return h("td", {}, h("span", { class: "num" }, day(row.due_at)), row.overdue && h("span", { class: "sub bad-text" }, t("keeping.overdue")));
}

async function whole(id) {
  const row = await call("GET", `erasure-requests/${id}`);
  await dialog(t("keeping.answer_of", { paper: row.on_paper || day(row.received_at) }), (close) => [
    answerTitle(row), // what is focused first stands above a long answer, so that it opens at its beginning
    h("div", { class: "actions" }, may.asks && printLink(row), h("button", { type: "button", class: "button", onclick: () => close() }, t("close"))),
    row.answered_at && answerNode(row),
  ], "large");
}

function opens(row) {
  const name = row.on_paper || fullStamp(row.received_at);
  const button = h("button", { type: "button", class: "button", "aria-label": `${t("open")} ${name}` }, t("open"));
  button.addEventListener("click", () => busy(button, () => whole(row.id).catch((error) => notice(error.title, "alert"))));
  return button;
}

function showRequests() {
  const waiting = which.value !== "";
  return pages($("#requests"), `erasure-requests${which.value}`, (rows) => table(
    ["keeping.received", "keeping.came", "keeping.state", "keeping.due", ""], rows,
    (row) => [h("span", { class: "num" }, fullStamp(row.received_at)), row.on_paper ? h("span", { class: "mono" }, row.on_paper) : t("keeping.by_phone"), stateCell(row), dueCell(row), opens(row)],
    waiting ? "keeping.requests.none_waiting" : "keeping.requests.empty"));
}

which.addEventListener("change", showRequests);
if (may.holds) watchHolds();
tabs([
  ...(may.asks ? [["ask", showAsk]] : []), ...(may.holds ? [["holds", showHolds]] : []),
  ["requests", showRequests], ...(may.asks ? [["reopen", showReopen]] : []),
]);
