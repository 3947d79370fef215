// Corrections that patients ask for: due first, answered by accepting or by saying why not.
import { call } from "./api.js";
import { $, data, deed, field, h, replace } from "./dom.js";
import { clearError, notice, showError } from "./errors.js";
import { patientLine, patientName } from "./exams.js";
import { prove } from "./prove.js";
import { t } from "./texts.js";
import { day, stamp } from "./when.js";

const panel = $("#panel");
let rows = data("corrections-data") || [];
let selected = null;

const shown = (row, value) => (row.field === "sex" ? t(`sex.${value}`) : value);

function due(row) {
  if (row.status !== "open") return stamp(row.decided_at);
  return h("span", { class: row.overdue || row.days_left < 4 ? "hint bad" : "" }, row.overdue ? t("corrections.overdue") : t("corrections.days_left", { n: row.days_left }));
}

function line(row) {
  return h("tr", { "data-id": row.id, class: row.status === "open" ? "" : "over", "aria-selected": String(row.id === selected) },
    h("td", {}, h("button", { type: "button", class: "link patient" }, patientName(row.patient)), h("span", { class: "sub" }, patientLine(row.patient))),
    h("td", {}, t(`corrections.field.${row.field}`)),
    h("td", {}, h("span", { class: "tag" }, t(`corrections.status.${row.status}`))), h("td", {}, due(row)));
}

function drawList() {
  const heads = ["who.patient", "corrections.field", "exam.state", "corrections.due"].map((key) => h("th", { scope: "col" }, t(key)));
  replace($("#list"), rows.length
    ? h("table", { class: "table" }, h("thead", {}, h("tr", {}, heads)), h("tbody", {}, rows.map(line)))
    : h("p", { class: "empty" }, t("corrections.none")));
}

async function load() {
  rows = (await call("GET", "corrections")).results;
  idle();
}

function idle() {
  selected = null;
  replace(panel, h("p", { class: "muted" }, t("corrections.pick")));
  drawList();
}

function answerForm(row) {
  const place = h("div", {});
  const answer = h("textarea", { rows: 2, maxlength: 1000 });
  async function decide(accepted) {
    clearError(place);
    if (!accepted && !answer.value.trim()) {
      answer.focus();
      return showError(place, { title: t("corrections.answer_needed"), code: null, status: 0, data: {} });
    }
    const done = await prove({ action: "correction.decide", object_id: row.id, version: accepted ? "accepted" : "refused" }, {
      title: t("identity.proof_title"), lead: t("identity.proof"),
      then: () => call("POST", `corrections/${row.id}/decide`, { accepted, answer: answer.value.trim() }),
    });
    if (!done) return null;
    notice(t("corrections.done"));
    return load();
  }
  return [field(t("corrections.answer"), answer), place, h("div", { class: "actions" },
    deed({ class: "button primary" }, t("corrections.accept"), () => decide(true)),
    deed({ class: "button danger" }, t("corrections.refuse"), () => decide(false)))];
}

// The list is masked: name and values come with the request that is opened, and the log has it.
async function select(id) {
  selected = id;
  drawList();
  let row;
  try {
    row = await call("GET", `corrections/${id}`);
  } catch (error) {
    return selected === id ? showError(panel, error) : null;
  }
  if (selected === id) show(row);
  return null;
}

function show(row) {
  const fact = (label, ...value) => [h("dt", {}, label), h("dd", {}, value)];
  replace(panel, h("h2", {}, t(`corrections.field.${row.field}`)),
    h("p", {}, h("span", { class: "patient" }, row.patient.name), ` · ${patientLine(row.patient)} · ${row.patient.mpi}`),
    h("dl", { class: "facts" },
      fact(t(row.status === "accepted" ? "corrections.before" : "corrections.now"), h("strong", {}, shown(row, row.now))),
      fact(t("corrections.wanted"), h("strong", {}, shown(row, row.wanted))), fact(t("corrections.reason"), row.reason),
      fact(t("corrections.due"), day(row.due_at), row.status === "open" ? " · " : "", row.status === "open" ? due(row) : "")),
    row.has_proof && h("a", { href: `/api/v1/corrections/${row.id}/proof`, target: "_blank", rel: "noopener" }, h("img", { class: "proof", src: `/api/v1/corrections/${row.id}/proof`, alt: t("corrections.proof") })),
    row.status === "open" ? answerForm(row) : h("p", { class: "prose" }, row.answer));
}

$("#list").addEventListener("click", (event) => {
  const found = event.target.closest("tr[data-id]");
  if (found) select(found.dataset.id);
});
idle();
