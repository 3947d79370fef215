// Bedside tablets of one's institutions: name one, hand over its code, withdraw a lost one.
import { fill, form, place, table, tellCode } from "./admin.js";
import { call } from "./api.js";
import { $, h } from "./dom.js";
import { qr } from "./qr.js";
import { t } from "./texts.js";
import { stamp } from "./when.js";

const english = document.documentElement.lang === "en";
let rooms = [];

function state(row) {
  if (row.revoked_at) return h("span", { class: "state cancelled" }, t("tablets.revoked"));
  if (row.paired_at) return h("span", { class: "state ready" }, t("tablets.paired"));
  return h("span", { class: "state booked" }, t(Date.parse(row.code_expires_at) > Date.now() ? "tablets.waiting" : "tablets.over"));
}

async function revoke(row) {
  const done = await form(t("tablets.revoke"), t("tablets.revoke_lead", { name: row.name }), [], { button: t("tablets.revoke"), danger: true, run: () => call("POST", `tablets/${row.id}/revoke`) });
  if (done) show();
}

function show() {
  return fill($("#tablets"), "tablets", (answer) => {
    rooms = answer.rooms;
    return table(["tablets.name", "tablets.room", "tablets.state", "tablets.used", ""], answer.results, (row) => [
      h("b", {}, row.name), h("td", {}, english ? row.room_en || row.room : row.room, h("span", { class: "sub" }, place(row))),
      state(row), row.last_used_at ? h("span", { class: "num" }, stamp(row.last_used_at)) : "",
      row.revoked_at ? "" : h("button", { type: "button", class: "button danger", onclick: () => revoke(row) }, t("tablets.revoke")),
    ], "tablets.empty");
  });
}

$("#new-tablet").addEventListener("click", async () => {
  await listed; // the rooms to choose from
  const room = h("select", { required: true }, rooms.map((one) => h("option", { value: one.id }, english ? one.name_en || one.name : one.name)));
  const made = await form(t("tablets.new"), null, [["name", t("tablets.name"), h("input", { maxlength: 60, required: true }), t("tablets.name_hint")], ["room_id", t("tablets.room"), room]],
    { button: t("tablets.new"), run: (given) => call("POST", "tablets", given) });
  if (made) await tellCode(t("tablets.code_title", { name: made.name }), t("tablets.code_lead", { address: made.address }), made.code, qr(made.qr, t("tablets.code_qr")));
  show();
});
const listed = show();
