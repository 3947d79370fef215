// A time that is kept for who waits: taken or declined by the link in the message, without a sign-in.
import { call } from "./api.js";
import { $, deed, h, replace } from "./dom.js";
import { showError } from "./errors.js";
import { t } from "./texts.js";
import { clock, day, fullStamp, weekday } from "./when.js";

const open = { staySignedOut: true };
const place = $("#offer");
const problem = h("div", {});
const token = location.hash.slice(1);

async function answer(how) {
  try {
    show(await call("POST", `offers/by-link/${how}`, { token }, open));
  } catch (error) {
    showError(problem, error);
  }
}

function show(offer) {
  const english = document.documentElement.lang === "en";
  const fact = (label, value) => [h("dt", {}, label), h("dd", {}, h("strong", {}, value))];
  const waits = offer.state === "open" && Date.parse(offer.expires_at) > Date.now();
  replace(place,
    h("dl", { class: "facts" }, fact(t("offer.when"), `${day(offer.starts_at)} ${weekday(day(offer.starts_at))} ${clock(offer.starts_at)}–${clock(offer.ends_at)}`),
      fact(t("offer.where"), english ? offer.place_en : offer.place), waits && fact(t("offer.until"), fullStamp(offer.expires_at))),
    problem,
    waits
      ? h("div", { class: "stack" }, deed({ class: "button primary wide" }, t("offer.accept"), () => answer("accept")),
        deed({ class: "button wide" }, t("offer.refuse"), () => answer("refuse")))
      : h("p", { class: "good-note", role: "status" }, t(`offer.${offer.state === "open" ? "expired" : offer.state}`)));
}

if (token) call("POST", "offers/by-link", { token }, open).then(show, (error) => showError(place, error));
else replace(place, h("p", { class: "note" }, t("offer.no_link")));
