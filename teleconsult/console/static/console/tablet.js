// The tablet's own page: pairs it once, takes a full sign-in for the shift, and changes the person.
import { $, data, field, h, replace } from "./dom.js";
import { device, forget, openFor, pair, supported } from "./tablet_device.js";
import { choosePerson } from "./tablet_panel.js";
import { stepsIn } from "./step.js";
import { t } from "./texts.js";

const place = $("#tablet");
const english = document.documentElement.lang === "en";
const { user_id: userId } = data("tablet-data");

const step = stepsIn(place);

function told(tablet) {
  $("#tablet-name").textContent = tablet.name;
  $("#tablet-room").textContent = english ? `${tablet.room_en || tablet.room} · ${tablet.institution_en}` : `${tablet.room} · ${tablet.institution}`;
}

// A camera opens this page with the code behind the #, which no server and no log is told; it does not stay there.
function scanned() {
  const code = location.hash.slice(1);
  if (code) history.replaceState(null, "", location.pathname + location.search);
  return code;
}

function pairing(found = "") {
  const code = h("input", { name: "code", class: "code", maxlength: 20, required: true, autocapitalize: "characters", spellcheck: "false", value: found });
  step(h("p", {}, t(found ? "tablet.scanned" : "tablet.pair_lead")), field(t("tablet.code"), code), t("tablet.pair"), async (given) => {
    told(await pair(given.code));
    begin();
  });
  if (found) place.querySelector("button").focus(); // nothing to type: no keyboard over the page
}

function unpaired() {
  replace(place, h("p", { class: "note", role: "alert" }, t("tablet.gone")),
    h("p", {}, h("button", { type: "button", class: "button", onclick: async () => { await forget(); pairing(); } }, t("tablet.again"))));
}

function opening(tablet) {
  const pin = h("input", { name: "pin", type: "password", class: "code", inputmode: "numeric", pattern: "[0-9]{6}", maxlength: 6, autocomplete: "new-password" });
  step([h("h2", {}, t("tablet.open_title")), h("p", {}, t("tablet.open_lead"))],
    field(t("tablet.new_pin"), pin, { hint: h("p", { class: "hint" }, t("tablet.keep_pin")) }), t("tablet.open"), async (given) => {
      await openFor(tablet, userId, given.pin);
      replace(place, h("p", { class: "note", role: "status" }, t("tablet.opened")),
        h("p", { class: "opened" }, h("a", { class: "button primary", href: "/console/bedside/" }, t("tablet.to_list"))));
      choose(place.appendChild(h("div", { class: "stack" })));
    });
}

const choose = (where) => choosePerson(where, { onTold: told, onUnpaired: unpaired, onChanged: () => location.assign("/console/bedside/") });

async function begin() {
  const code = scanned();
  if (!supported()) {
    replace(place, h("p", { class: "note", role: "alert" }, t("tablet.unsupported")));
    return;
  }
  const tablet = await device();
  if (!tablet) pairing(code);
  else if (userId && location.search !== "?change") opening(tablet);
  else choose(place);
}

// Scanned while the page was open already: the browser changes the address and loads nothing.
addEventListener("hashchange", async () => {
  const code = scanned();
  if (code && supported() && !(await device())) pairing(code);
});
begin();
