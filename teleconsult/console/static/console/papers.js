// Agreements of the hospital, and its physicians' licences, registrations and privileges.
import { call } from "./api.js";
import { $, data, deed, h, replace } from "./dom.js";
import { notice, noticeError } from "./errors.js";
import { either } from "./exams.js";
import { agreementForm, endForm, licenceForm, privilegeForm, registrationForm, signForm, sure } from "./papers_forms.js";
import { t } from "./texts.js";

const page = data("papers-data");

async function refresh() {
  try {
    if (page.keeps) page.agreements = (await call("GET", "agreements")).results;
    page.physicians = (await call("GET", "registry/physicians")).results;
    draw();
  } catch (error) {
    noticeError(error);
  }
}

// A button that opens a form and shows the new state when it was sent.
const opens = (label, open) => deed({}, label, async () => {
  if (await open()) {
    notice(t("papers.done"));
    await refresh();
  }
});

const heads = (...keys) => h("thead", {}, h("tr", {}, keys.map((key) => h("th", {}, key && t(key)))));
const sub = (text) => h("span", { class: "sub" }, text);

function signature(side, row) {
  const signed = row.signed[side];
  return [h("span", {}, either(row[side])), sub(signed.at ? t("papers.signed_by", { name: signed.signatory || "—", day: signed.at.slice(0, 10) }) : t("papers.unsigned"))];
}

function stateOf(row) {
  if (row.ended_at) return t("papers.ended", { day: row.ended_at.slice(0, 10) });
  if (!row.signed.inviting.at || !row.signed.invited.at) return t("papers.waiting");
  return row.valid_to < page.today ? t("papers.over") : t("papers.in_force");
}

function agreementRow(row) {
  const open = ["inviting", "invited"].some((side) => page.mine.includes(row[side].id) && !row.signed[side].at);
  return h("tr", {},
    h("td", {}, signature("inviting", row)), h("td", {}, signature("invited", row)),
    h("td", { class: "num" }, row.valid_from, sub(row.valid_to)),
    h("td", {}, h("b", {}, stateOf(row)), row.document && h("a", { class: "sub", href: row.document }, t("papers.document"))),
    h("td", {}, h("div", { class: "actions" }, !row.ended_at && open && opens(t("papers.sign"), () => signForm(row)),
      !row.ended_at && opens(t("papers.end"), () => endForm(`agreements/${row.id}/end`, t("papers.end"))))));
}

function registration(row) {
  const until = row.valid_to ? t("papers.until", { day: row.valid_to }) : t("papers.open_end");
  return h("li", {}, `${t(`papers.kind.${row.kind}`)} · ${either(row.institution)}`, sub(until),
    page.keeps && opens(t("papers.end"), () => sure(`registry/registrations/${row.id}/end`, t("papers.end_registration"))));
}

function privilege(row) {
  if (!row.privilege) return h("span", { class: "muted" }, t("papers.none"));
  const held = row.privilege;
  return [h("b", {}, t(`papers.level.${held.level}`)),
    sub(t("papers.earned", { hours: held.simulator_hours, exams: held.supervised_exams })),
    sub(t("papers.until", { day: held.valid_to })),
    held.granted_by && sub(t("papers.granted_by", { name: held.granted_by })), held.basis && sub(held.basis)];
}

function problems(row) {
  const where = (found) => either({ name: found.inviting, name_en: found.inviting_en });
  return row.problems.map((found) => (found.codes.length
    ? h("div", { class: "warning" }, h("b", {}, where(found)), h("ul", {}, found.codes.map((code) => h("li", {}, t(`papers.problem.${code}`)))))
    : h("div", {}, t("papers.bookable", { name: where(found) }))));
}

function physicianRow(row) {
  const licence = row.licence;
  return h("tr", {},
    h("td", {}, h("b", {}, row.name), sub(t(`papers.role.${row.role}`)), sub(either({ name: row.institution, name_en: row.institution_en }))),
    h("td", {}, licence ? [h("span", { class: "num" }, licence.licence_number), sub(t("papers.until", { day: licence.licence_expires_on })),
      sub(t("papers.since", { day: licence.practice_started_on })), sub(`${t(`papers.standing.${licence.standing}`)} · ${licence.scope}`)]
      : h("span", { class: "muted" }, t("papers.none"))),
    h("td", {}, h("ul", {}, row.registrations.map(registration))),
    h("td", {}, privilege(row)), h("td", {}, problems(row)),
    h("td", {}, h("div", { class: "actions" },
      page.keeps && opens(t("papers.licence"), () => licenceForm(row)),
      page.keeps && opens(t("papers.registration"), () => registrationForm(row, page)),
      page.grants && row.role === "remote_physician" && opens(t("papers.privilege"), () => privilegeForm(row)),
      page.grants && row.privilege && opens(t("papers.revoke"), () => endForm(`registry/privileges/${row.privilege.id}/revoke`, t("papers.revoke"))))));
}

function draw() {
  if (page.keeps) {
    replace($("#agreements"),
      h("div", { class: "bar" }, h("h2", { class: "group-title" }, t("papers.agreements")), opens(t("papers.agreement_new"), () => agreementForm(page))),
      page.agreements.length ? h("table", { class: "table" }, heads("papers.inviting", "papers.invited", "papers.dates", "papers.state", ""),
        h("tbody", {}, page.agreements.map(agreementRow))) : h("p", { class: "empty" }, t("papers.no_agreements")));
  }
  replace($("#physicians"), h("h2", { class: "group-title" }, t("papers.physicians")),
    page.physicians.length ? h("table", { class: "table" }, heads("papers.name", "papers.licence", "papers.registrations", "papers.privilege", "papers.today", ""),
      h("tbody", {}, page.physicians.map(physicianRow))) : h("p", { class: "empty" }, t("papers.no_physicians")));
}
draw();
