// The audit administrator: search the log, follow one record, check the chain, take a signed part along.
import { fill, pages, range, table, tabs } from "./admin.js";
import { ApiError, call } from "./api.js";
import { $, busy, dialog, h, replace } from "./dom.js";
import { errorNode, notice } from "./errors.js";
import { prove } from "./prove.js";
import { known, t } from "./texts.js";
import { clockSeconds, day, stamp } from "./when.js";

let followed = null; // {label, query}
const search = $("#audit-search");
const OUTCOME = { done: "reported", read: "checked_in", refused: "aborted" };
const short = (id) => id.slice(-8);
const moment = (at) => h("span", { class: "num" }, `${day(at)} ${clockSeconds(at)}`);
const who = (actor) => actor.name || (known(`admin.kind.${actor.kind}`) ? t(`admin.kind.${actor.kind}`) : actor.kind);

function asked() {
  const given = new FormData(search);
  const query = new URLSearchParams(Object.entries(range(search)).filter(([, value]) => value));
  for (const name of ["actor", "patient", "action", "outcome"]) if (given.get(name)?.trim()) query.set(name, given.get(name).trim());
  for (const [name, value] of Object.entries(followed?.query || {})) query.set(name, value);
  return query;
}

function follow(label, query) {
  followed = { label, query };
  search.reset();
  showEntries();
}

const link = (label, query, words) => h("button", { type: "button", class: "link mono", onclick: () => follow(words, query) }, label);

async function whole(row) {
  const entry = await call("GET", `audit/entries/${row.id}`);
  const facts = [
    ["admin.audit.at", moment(entry.at)], ["admin.audit.actor", who(entry.actor)], ["admin.institution", entry.institution || "—"], ["admin.audit.action", entry.action],
    ["admin.audit.outcome", t(`admin.outcome.${entry.outcome}`)], ["admin.audit.object", `${entry.object.kind} ${entry.object.id || ""}`], ["admin.audit.patient", entry.patient_ids.join(" ") || "—"],
    ["admin.audit.reason", entry.reason_withheld ? t("admin.audit.withheld") : entry.reason || "—"], ["account.address", entry.address || "—"],
    ["admin.audit.device", entry.device ? `${entry.device.kind} ${entry.device.id}` : "—"], ["admin.audit.seal", entry.seal ? `${entry.seal.number} · ${entry.seal.sha256}` : t("admin.audit.unsealed")],
  ];
  return dialog(t("admin.audit.entry", { n: entry.seq }), (close) => [
    h("dl", { class: "facts" }, facts.map(([key, value]) => [h("dt", {}, t(key)), h("dd", {}, value)])),
    h("div", { class: "actions" },
      entry.object.id && h("button", { type: "button", class: "button primary", onclick: () => { close(); follow(t("admin.audit.of_object", { kind: entry.object.kind, id: short(entry.object.id) }), { object_id: entry.object.id }); } }, t("admin.audit.follow")),
      h("button", { type: "button", class: "button", onclick: () => close() }, t("close"))),
  ], "large");
}

function showEntries() {
  replace($("#following"), followed && h("p", { class: "chosen" }, followed.label, h("button", { type: "button", class: "button", onclick: () => { followed = null; showEntries(); } }, t("admin.audit.unfollow"))));
  pages($("#entries"), `audit/entries?${asked()}`, (rows) => table(["admin.audit.at", "admin.audit.actor", "admin.audit.action", "admin.audit.outcome", "admin.audit.object", "admin.audit.patient", ""], rows, (row) => [
    moment(row.at), h("td", {}, h("b", {}, who(row.actor)), h("span", { class: "sub" }, row.institution || row.address)), h("span", { class: "mono" }, row.action),
    h("td", {}, h("span", { class: `state ${OUTCOME[row.outcome] || ""}` }, t(`admin.outcome.${row.outcome}`)), row.outcome === "refused" && h("span", { class: "sub mono" }, row.reason)),
    h("td", {}, row.object.kind, row.object.id && h("span", { class: "sub" }, link(short(row.object.id), { object_id: row.object.id }, t("admin.audit.of_object", { kind: row.object.kind, id: short(row.object.id) })))),
    h("td", {}, row.patient_ids.slice(0, 3).map((id) => h("div", {}, link(short(id), { patient: id }, t("admin.audit.of_patient", { id: short(id) })))), row.patient_ids.length > 3 && h("span", { class: "sub" }, `+${row.patient_ids.length - 3}`)),
    h("button", { type: "button", class: "button", onclick: () => whole(row).catch((error) => notice(error.title, "alert")) }, t("open")),
  ], "admin.audit.empty"));
}

function showChain() {
  fill($("#state"), "audit/state", (state) => {
    replace($("#checkpoints"), table(["admin.audit.at", "admin.audit.link", "admin.audit.digest", "admin.audit.key"], state.checkpoints, (row) => [moment(row.at), h("span", { class: "num" }, row.number), h("span", { class: "mono" }, row.sha256), h("span", { class: "mono" }, row.key_id)], "admin.audit.no_checkpoints"));
    const late = state.problems.length > 0;
    return h("div", { class: "card stack" }, h("dl", { class: "facts" },
      h("dt", {}, t("admin.state")), h("dd", {}, h("span", { class: `state ${late ? "aborted" : "ready"}` }, t(late ? "admin.audit.late" : "admin.audit.sealing"))),
      h("dt", {}, t("admin.audit.head")), h("dd", { class: "mono" }, state.head ? `${state.head.number} · ${state.head.sha256}` : "—"),
      h("dt", {}, t("admin.audit.tail")), h("dd", { class: "num" }, t("admin.audit.tail_n", { unsealed: state.unsealed, unsigned: state.unsigned })),
      h("dt", {}, t("admin.audit.signed")), h("dd", {}, state.checkpoint ? `${state.checkpoint.number} · ${stamp(state.checkpoint.at)}` : "—")),
    state.problems.map((problem) => h("p", { class: "warning", lang: "en" }, problem)));
  });
}

function verdict(result) {
  const good = result.problems_n === 0;
  return h("div", { class: good ? "good-note" : "alert", role: "status" },
    h("p", { class: "strong" }, t(good ? "admin.audit.verified" : "admin.audit.broken", { n: result.checked, s: result.took_s, problems: result.problems_n })),
    h("p", { class: "mono" }, `${result.head.number}:${result.head.sha256}`),
    !good && h("ul", {}, result.problems.map((one) => h("li", { lang: "en" }, `${one.kind} · ${one.number ?? ""} · ${one.text}`))));
}

$("#verify").addEventListener("click", (event) => busy(event.currentTarget, async () => {
  replace($("#result"), h("p", { class: "empty" }, t("working")));
  try {
    replace($("#result"), verdict(await call("POST", "audit/verify", range($("#range")))));
    showChain();
  } catch (error) {
    replace($("#result"), errorNode(error));
  }
}));

// The answer is a file, not JSON: fetched by itself, kept by the browser's own download.
async function download(body) {
  const token = document.cookie.split("; ").find((part) => part.startsWith("csrftoken="))?.slice(10) || "";
  const answer = await fetch("/api/v1/audit/export", { method: "POST", credentials: "same-origin", body: JSON.stringify(body),
    headers: { "Content-Type": "application/json", "X-CSRFToken": decodeURIComponent(token), "Accept-Language": document.documentElement.lang } });
  if (!answer.ok) {
    const problem = await answer.json().catch(() => ({}));
    throw new ApiError(answer.status, problem.code || "unexpected", problem.title || t("error.unexpected"), problem);
  }
  const name = /filename="([^"]+)"/.exec(answer.headers.get("Content-Disposition") || "")?.[1] || "audit.jsonl";
  const address = URL.createObjectURL(await answer.blob());
  h("a", { href: address, download: name }).click();
  URL.revokeObjectURL(address);
  return name;
}

$("#export").addEventListener("click", async () => {
  const name = await prove({}, {
    title: t("admin.audit.export"), lead: t("admin.audit.export_lead"), button: t("admin.audit.export_do"), then: () => download(range($("#range"))),
  });
  if (name) notice(t("admin.audit.exported", { name }));
});

search.addEventListener("submit", (event) => { event.preventDefault(); showEntries(); });
search.addEventListener("reset", () => setTimeout(showEntries));
tabs([["entries", showEntries], ["chain", showChain]]);
