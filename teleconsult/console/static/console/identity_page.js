// Possible doubles: the queue on the left, two registrations side by side on the right.
import { call } from "./api.js";
import { $, busy, data, deed, field, h, replace } from "./dom.js";
import { clearError, notice, showError } from "./errors.js";
import { prove } from "./prove.js";
import { t } from "./texts.js";
import { stamp } from "./when.js";

const STATUSES = ["open", "same", "distinct"];
const panel = $("#panel");
let reviews = data("reviews-data") || [];
let status = "open";
let selected = null;

const nameOf = (side) => side.name || side.name_masked;
const documentOf = (side) => `${t(`register.document.${side.document_type}`)} …${side.document_tail}`;
const birthOf = (side) => side.birth_date || `${side.birth_year}-**-**`;
const reasonTag = (reason) => h("span", { class: "tag" }, t(`identity.reason.${reason}`));

function row(review) {
  return h("tr", { "data-id": review.id, "aria-selected": String(review.id === selected) },
    h("td", {}, h("button", { type: "button", class: "link patient" }, nameOf(review.left)), h("span", { class: "sub" }, `${birthOf(review.left)} · ${documentOf(review.left)}`)),
    h("td", {}, h("span", { class: "patient" }, nameOf(review.right)), h("span", { class: "sub" }, `${birthOf(review.right)} · ${documentOf(review.right)}`)),
    h("td", {}, review.reasons.map(reasonTag)),
    h("td", { class: "num" }, stamp(review.opened_at)));
}

function drawList() {
  const heads = ["identity.left", "identity.right", "identity.why", "identity.since"].map((key) => h("th", { scope: "col" }, t(key)));
  const searched = Boolean($("#identity-q").value.trim());
  replace($("#list"), reviews.length
    ? h("table", { class: "table" }, h("thead", {}, h("tr", {}, heads)), h("tbody", {}, reviews.map(row)))
    : h("p", { class: "empty" }, t(searched || status !== "open" ? "identity.none_found" : "identity.none")));
}

function drawFilters() {
  replace($("#filters"), STATUSES.map((name) => h("button", {
    type: "button", "aria-pressed": String(name === status), onclick: () => { status = name; load(); },
  }, t(`identity.status.${name}`))));
}

async function load() {
  drawFilters();
  const q = encodeURIComponent($("#identity-q").value.normalize("NFKC").trim());
  try {
    reviews = (await call("GET", `duplicates?status=${status}&q=${q}`)).results;
    idle();
  } catch (error) {
    showError($("#list"), error);
  }
}

function idle() {
  selected = null;
  replace(panel, h("p", { class: "muted" }, t("identity.pick")));
  drawList();
}

function comparison(review) {
  const both = [review.left, review.right];
  const line = (label, show, { alike = true } = {}) => {
    const [a, b] = both.map(show);
    const other = alike && a && b && a !== b;
    const cell = (value) => h("td", { class: other ? "differs" : "" }, value || "–", other && h("span", { class: "sr" }, ` ${t("identity.differs")}`));
    return h("tr", {}, h("th", { scope: "row" }, label), cell(a), cell(b));
  };
  const right = review.kind === "claim" ? t("identity.claim") : t("identity.right");
  return h("table", { class: "table compare" },
    h("thead", {}, h("tr", {}, h("th", {}, t("identity.field")), h("th", { scope: "col" }, t("identity.left")), h("th", { scope: "col" }, right))),
    h("tbody", {},
      line(t("register.name"), nameOf), line(t("register.sex"), (side) => t(`sex.${side.sex}`)), line(t("register.birth_date"), birthOf),
      line(t("register.document_type"), (side) => t(`register.document.${side.document_type}`)),
      line(t("register.document_number"), (side) => side.document_masked || `…${side.document_tail}`),
      line(t("register.phone"), (side) => side.phone_masked || `…${side.phone_tail}`),
      line(t("identity.mpi"), (side) => side.mpi, { alike: false }), line(t("identity.hospital"), (side) => side.institution),
      line(t("identity.registered"), (side) => (side.registered_at ? stamp(side.registered_at) : ""), { alike: false })));
}

// Which of the two stays; the older registration is offered first, its number is on more papers.
function keepers(review) {
  const sides = [["left", review.left], ["right", review.right]];
  const older = review.left.registered_at <= review.right.registered_at ? "left" : "right";
  return h("fieldset", { class: "keep" }, h("legend", {}, t("identity.keep")), sides.map(([key, side]) => {
    const input = h("input", { type: "radio", name: "keep", value: side.id, id: `keep-${key}` });
    input.checked = key === older;
    return h("label", { for: `keep-${key}` }, input, h("span", {}, `${t(`identity.${key}`)} · ${side.mpi} · ${nameOf(side)}`));
  }));
}

function decisionForm(review) {
  const place = h("div", {});
  const note = h("textarea", { rows: 2, required: true, maxlength: 500, id: "identity-note" });
  const keep = review.may_merge ? keepers(review) : null;
  async function decide(verdict) {
    clearError(place);
    if (note.value.trim().length < 4) {
      note.focus();
      return showError(place, { title: t("identity.note_needed"), code: null, status: 0, data: {} });
    }
    const survivor_id = verdict === "same" && keep ? $("input:checked", keep)?.value || null : null;
    const done = await prove({ action: "patient.merge", object_id: review.id, version: verdict }, {
      title: t("identity.proof_title"), lead: t("identity.proof"),
      then: () => call("POST", `duplicates/${review.id}/decide`, { verdict, note: note.value.trim(), survivor_id }),
    });
    if (!done) return null;
    notice(t(`identity.done.${verdict}`));
    return load();
  }
  const same = (review.may_merge || review.kind === "claim")
    && deed({ class: "button primary" }, t(review.kind === "claim" ? "identity.same_claim" : "identity.same"), () => decide("same"));
  return [
    review.kind === "pair" && !review.may_merge && h("p", { class: "note" }, t("identity.other_hospital")),
    keep, field(t("identity.note"), note), place,
    h("div", { class: "actions" }, same, deed({}, t("identity.distinct"), () => decide("distinct"))),
  ];
}

function undoForm(review) {
  const place = h("div", {});
  const reason = h("textarea", { rows: 2, maxlength: 500 });
  const undo = deed({ class: "button danger" }, t("identity.undo"), async () => {
    clearError(place);
    if (reason.value.trim().length < 4) return showError(place, { title: t("identity.note_needed"), code: null, status: 0, data: {} });
    const done = await prove({ action: "patient.merge", object_id: review.merge_id, version: "undo" }, {
      title: t("identity.proof_title"), lead: t("identity.proof"),
      then: () => call("POST", `merges/${review.merge_id}/undo`, { reason: reason.value.trim() }),
    });
    if (!done) return null;
    notice(t("identity.undone"));
    return load();
  });
  return [field(t("identity.undo_reason"), reason), place, h("div", { class: "actions" }, undo)];
}

// The queue is masked: names come with the review that is opened, and the log has it.
async function select(id) {
  selected = id;
  drawList();
  let review;
  try {
    review = await call("GET", `duplicates/${id}`);
  } catch (error) {
    return selected === id ? showError(panel, error) : null;
  }
  if (selected === id) show(review);
  return null;
}

function show(review) {
  replace(panel, h("h2", {}, t(`identity.status.${review.status}`)), h("div", { class: "tags" }, review.reasons.map(reasonTag)), comparison(review),
    review.status === "open" ? decisionForm(review)
      : [h("p", { class: "muted" }, t("identity.decided", { time: stamp(review.decided_at) })), h("p", { class: "prose" }, review.note), review.merge_id && review.status === "same" && undoForm(review)]);
  panel.scrollTop = 0;
}

$("#list").addEventListener("click", (event) => {
  const found = event.target.closest("tr[data-id]");
  if (found) select(found.dataset.id);
});
$("#search").addEventListener("submit", (event) => { event.preventDefault(); busy($("#search button"), load); });
drawFilters();
idle();
