// What clinicians ask for, and who waits: booked in one step, put on the waiting list, declined.
import { call } from "./api.js";
import { $, data, deed, field, h, replace } from "./dom.js";
import { timesFinder } from "./desk_times.js";
import { clearError, notice, showError } from "./errors.js";
import { either, patientLine, patientName } from "./exams.js";
import { FEES, newRequest } from "./requests_new.js";
import { t } from "./texts.js";
import { day, fullStamp, stamp, today } from "./when.js";

const { keeps, searches, places } = data("page-config");
const panel = $("#panel"), list = $("#list");
let rows = [], selected = null, finder = null;

function tags(row) {
  return [h("span", { class: "tag" }, t(`requests.priority.${row.priority}`)), " ",
    row.waiting?.front && [h("span", { class: "tag" }, t("requests.front")), " "],
    h("span", { class: "tag" }, t(`requests.state.${row.state}`))];
}

function line(row) {
  return h("tr", { "data-id": row.id, "aria-selected": String(row.id === selected) },
    h("td", {}, h("button", { type: "button", class: "link patient" }, patientName(row.patient)), h("span", { class: "sub" }, patientLine(row.patient))),
    h("td", {}, either(row.exam_type), h("span", { class: "sub" }, t(`requests.fee.${row.fee}`))),
    h("td", {}, tags(row)), h("td", { class: "num" }, stamp(row.asked_at)));
}

function drawList() {
  const heads = ["who.patient", "requests.kind", "requests.priority", "requests.asked"].map((key) => h("th", { scope: "col" }, t(key)));
  replace(list, rows.length
    ? h("table", { class: "table" }, h("thead", {}, h("tr", {}, heads)), h("tbody", {}, rows.map(line)))
    : h("p", { class: "empty" }, t("requests.none")));
}

const idle = () => replace(panel, h("p", { class: "muted" }, t("requests.pick")));

async function load() {
  try {
    rows = (await call("GET", "exam-requests")).results;
  } catch (error) {
    return showError(list, error);
  }
  return drawList();
}

// One deed of the panel: its error stands where the deed is, else the list is read again.
async function done(place, run, sentence = t("requests.done")) {
  clearError(place);
  try {
    await run();
  } catch (error) {
    return showError(place, error);
  }
  notice(sentence);
  selected = null;
  idle();
  return load();
}

function booking(row) {
  const place = h("div", {});
  let chosen = null;
  const book = deed({ class: "button primary", hidden: true }, t("requests.book"), () => {
    const { probe, ...named } = chosen.team; // the booking takes a free probe by itself
    const team = Object.fromEntries(Object.entries(named).map(([role, id]) => [`${role}_id`, id]));
    return done(place, () => call("POST", `exam-requests/${row.id}/book`, { ...team, starts_at: chosen.starts_at, hold_id: finder.hold() }), t("requests.booked"));
  });
  finder = timesFinder({
    type: () => row.exam_type.code, day: today, people: () => [], team: () => ({}),
    onKept: (kept) => { chosen = kept; book.hidden = false; book.textContent = `${t("requests.book")} ${fullStamp(kept.starts_at)}`; },
  });
  return [finder.node, place, h("div", { class: "actions" }, book)];
}

function waiting(row) {
  const place = h("div", {});
  const wish = row.waiting || {};
  const earliest = h("input", { type: "date", value: wish.earliest || today(), min: today() });
  const latest = h("input", { type: "date", value: wish.latest || "", min: today() });
  const save = deed({ class: "button" }, t("requests.wait"), () => done(place, () => call("POST", `exam-requests/${row.id}/wait`, { earliest: earliest.value || null, latest: latest.value || null })));
  return [h("div", { class: "row" }, field(t("requests.earliest"), earliest), field(t("requests.latest"), latest)), place, h("div", { class: "actions" }, save)];
}

function offered(row) {
  if (!row.offer) return null;
  const place = h("div", {});
  const answer = (how, sentence) => done(place, () => call("POST", `offers/${row.offer.id}/${how}`, {}), sentence);
  return [h("p", { class: "note" }, t("requests.offered", { when: fullStamp(row.offer.starts_at), until: fullStamp(row.offer.expires_at) })), place,
    h("div", { class: "actions" }, deed({ class: "button primary" }, t("requests.accept"), () => answer("accept", t("requests.booked"))),
      deed({ class: "button" }, t("requests.refuse"), () => answer("refuse")))];
}

function closing(row) {
  const place = h("div", {});
  const reason = h("input", { maxlength: 500 });
  const end = (how) => {
    if (!reason.value.trim()) {
      reason.focus();
      return showError(place, { title: t("requests.reason_needed"), code: null, status: 0, data: {} });
    }
    return done(place, () => call("POST", `exam-requests/${row.id}/${how}`, { reason: reason.value.trim() }));
  };
  return [field(t("requests.reason"), reason), place, h("div", { class: "actions" },
    keeps && deed({ class: "button danger" }, t("requests.decline"), () => end("decline")),
    deed({ class: "button" }, t("requests.withdraw"), () => end("withdraw")))];
}

function fee(row) {
  const place = h("div", {});
  const choice = h("select", { value: row.fee }, FEES.map((name) => h("option", { value: name }, t(`requests.fee.${name}`))));
  choice.addEventListener("change", () => done(place, () => call("POST", `exam-requests/${row.id}/fee`, { fee: choice.value })));
  return [field(t("requests.fee"), choice), place];
}

const part = (name, nodes) => h("section", { class: "stack", "aria-label": t(`requests.part.${name}`) }, h("h3", {}, t(`requests.part.${name}`)), nodes);

function show(row) {
  const fact = (label, value) => value && [h("dt", {}, label), h("dd", {}, value)];
  const days = row.waiting && t("requests.days", { first: day(row.waiting.earliest), last: day(row.waiting.latest) });
  replace(panel, h("h2", {}, either(row.exam_type)),
    h("p", {}, h("span", { class: "patient" }, patientName(row.patient)), ` · ${patientLine(row.patient)} · ${row.patient.mpi}`), h("p", {}, tags(row)),
    h("dl", { class: "facts" }, fact(t("requests.question"), h("strong", {}, row.clinical_question)), fact(t("requests.history"), row.history),
      fact(t("requests.by"), row.requested_by), fact(t("requests.asked"), fullStamp(row.asked_at)), fact(t("requests.wishes"), days)),
    keeps && [offered(row), fee(row), part("book", booking(row)), part("wait", waiting(row))], part("close", closing(row)));
}

// The list is masked and without texts: they come with the request that is opened, and the log has it.
async function select(id) {
  selected = id;
  drawList();
  if (finder) await finder.drop();
  finder = null;
  try {
    const row = await call("GET", `exam-requests/${id}`);
    if (selected === id) show(row);
  } catch (error) {
    if (selected === id) showError(panel, error);
  }
}

$("#new-request")?.addEventListener("click", async () => {
  selected = null;
  drawList();
  if (finder) await finder.drop();
  finder = null;
  newRequest(panel, { places, searches, onAsked: async (made) => { await load(); await select(made.id); } });
});
list.addEventListener("click", (event) => {
  const found = event.target.closest("tr[data-id]");
  if (found) select(found.dataset.id);
});
idle();
load();
