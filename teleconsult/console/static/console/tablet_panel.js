// Change of person: tiles of who signed in here in this shift, then six digits or one touch. The same on the live page
// and on the tablet's own page.
import { h, replace } from "./dom.js";
import { clearError, errorNode, showError } from "./errors.js";
import { change, device, roster } from "./tablet_device.js";
import { t } from "./texts.js";
import { supported, touchKey } from "./webauthn.js";

const PIN_LEN = 6;
const KEYS = ["1", "2", "3", "4", "5", "6", "7", "8", "9"];
const SIGN_IN = "/console/sign-in/?next=/console/tablet/";

// options: {examId, onCancel, onChanged(person), onUnpaired, onTold(tablet)}
export async function choosePerson(place, options) {
  const tablet = await device();
  replace(place, h("p", { class: "empty" }, t("loading")));
  let told;
  try {
    told = await roster(tablet);
  } catch (error) {
    if (error.code === "tablet_unknown" && options.onUnpaired) options.onUnpaired();
    else replace(place, errorNode(error), cancel(options));
    return;
  }
  options.onTold?.(told);
  tiles(place, tablet, told, options);
}

const cancel = ({ onCancel }) => onCancel && h("button", { type: "button", class: "button", onclick: onCancel }, t("tablet.back"));

function tiles(place, tablet, told, options) {
  const list = told.people.map((person) => h("button", { type: "button", class: "tile", "data-user": person.id, onclick: () => prove(place, tablet, told, person, options) }, person.name));
  // The full sign-in leaves the page and with it the link to the robot: not from a live exam.
  const other = options.examId ? null : h("a", { class: "tile other", href: SIGN_IN }, t("tablet.other"));
  replace(place, h("h2", {}, t("tablet.who")), told.people.length === 0 && h("p", { class: "note" }, t("tablet.nobody")),
    h("div", { class: "tiles" }, list, other), options.examId && h("p", { class: "tablet-note" }, t("tablet.stop_stays")), cancel(options));
  place.querySelector("button, a")?.focus();
}

function prove(place, tablet, told, person, options) {
  const problem = h("div", { role: "alert" });
  const dots = h("div", { class: "pin-dots", role: "status" });
  let pin = "";
  let busy = false;
  const show = () => {
    replace(dots, Array.from({ length: PIN_LEN }, (_, n) => h("i", { class: n < pin.length ? "on" : null })));
    dots.setAttribute("aria-label", t("tablet.pin_label", { n: pin.length }));
  };
  const send = async (given) => {
    if (busy) return;
    busy = true;
    clearError(problem);
    try {
      options.onChanged(await change(tablet, { userId: person.id, examId: options.examId, ...given }));
    } catch (error) {
      showError(problem, error);
    } finally {
      busy = false;
      pin = "";
      show();
    }
  };
  const press = (digit) => {
    if (busy || pin.length >= PIN_LEN) return;
    pin += digit;
    show();
    if (pin.length === PIN_LEN) send({ pin });
  };
  const erase = () => { pin = pin.slice(0, -1); show(); };
  const back = () => tiles(place, tablet, told, options);
  const key = (label, run, attributes = {}) => h("button", { type: "button", onclick: run, ...attributes }, label);
  const pad = person.pin && h("div", { class: "pin-pad" }, KEYS.map((digit) => key(digit, () => press(digit))),
    key(t("tablet.back"), back, { class: "word-key" }), key("0", () => press("0")), key("⌫", erase, { "aria-label": t("tablet.erase") }));
  const touch = person.key && supported() && h("button", { type: "button", class: "button wide", onclick: () => send({ touch: touchKey }) }, t("tablet.with_key"));
  const lead = person.pin ? t("tablet.pin", { name: person.name }) : t(touch ? "tablet.pin_none" : "tablet.neither");
  const box = h("div", { class: "pin" }, h("p", { class: "pin-title" }, lead), person.pin && dots, problem, touch, pad, !pad && h("button", { type: "button", class: "button", onclick: back }, t("tablet.back")));
  box.addEventListener("keydown", (event) => {
    if (/^[0-9]$/.test(event.key)) press(event.key);
    else if (event.key === "Backspace") erase();
    else return;
    event.preventDefault();
  });
  show();
  replace(place, box);
  box.querySelector("button")?.focus();
}
