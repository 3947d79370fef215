// The first way into an account: the code on paper, then both factors at once.
import { call } from "./api.js";
import { $, field, h, replace } from "./dom.js";
import { stepsIn } from "./step.js";
import { t } from "./texts.js";

const open = { staySignedOut: true };
const place = $("#activate");

const step = stepsIn(place);

const input = (name, attributes) => h("input", { name, required: true, ...attributes });

function first() {
  step(null, [
    field(t("signin.username"), input("username", { autocomplete: "username", autocapitalize: "none", maxlength: 60 })),
    field(t("activate.code"), input("code", { maxlength: 40, autocapitalize: "characters", spellcheck: "false" })),
  ], t("activate.next"), async (given) => second(given, await call("POST", "auth/activate", given, open)));
}

function second(given, { totp_secret: secret, otpauth }) {
  step([
    h("p", {}, t("activate.scan")), h("p", { class: "told", tabindex: "0" }, secret.match(/.{1,4}/g).join(" ")),
    h("p", { class: "small" }, h("a", { href: otpauth }, t("activate.open_app"))),
  ], [
    field(t("signin.new_password"), input("password", { type: "password", autocomplete: "new-password", minlength: 10, maxlength: 200 })),
    field(t("signin.totp"), input("totp", { class: "code", inputmode: "numeric", pattern: "[0-9]{6}", maxlength: 6, autocomplete: "one-time-code" })),
  ], t("activate.finish"), async (more) => {
    await call("POST", "auth/activate/finish", { ...given, ...more }, open);
    replace(place, h("p", { class: "good-note", role: "status" }, t("activate.done")));
  });
}

first();
