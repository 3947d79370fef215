// A fresh proof of identity for one deed: one touch of a key, or a one-time code.
import { call } from "./api.js";
import { busy, dialog, field, h } from "./dom.js";
import { clearError, showError } from "./errors.js";
import { t } from "./texts.js";
import { supported, touched } from "./webauthn.js";

const quiet = { staySignedOut: true };
const plain = (title) => ({ title, code: null, status: 0, data: {} });

async function step(body) {
  await call("POST", "auth/step-up", body, quiet).catch((error) => {
    if (error.code === "bad_credentials") error.title = t("credential" in body ? "prove.wrong_key" : "prove.wrong_code");
    throw error;
  });
}

const ownKeys = async () => (supported() ? (await call("GET", "auth/keys", undefined, quiet)).results.filter((key) => !key.suspended) : []);

// prove({action, object_id, version}, {title, lead, button, then, modal}) -> what `then` gave, or null for "back".
export async function prove(deed, { title, lead, button = t("prove.submit"), then = () => true, modal = true }) {
  const keys = await ownKeys().catch(() => []);
  return dialog(title, (close) => {
    const place = h("div", {});
    const code = h("input", { class: "code", inputmode: "numeric", autocomplete: "one-time-code", maxlength: 6, pattern: "[0-9]{6}" });
    const finish = async (given) => {
      clearError(place);
      try {
        await step({ ...(await given()), ...deed });
        close(await then());
      } catch (error) {
        code.select();
        showError(place, error);
      }
    };
    const touch = h("button", { type: "button", class: "button primary wide" }, t("prove.touch"));
    touch.addEventListener("click", () => busy(touch, () => finish(() => touched("auth/step-up/challenge", deed))));
    const send = h("button", { class: keys.length ? "button" : "button primary" }, button);
    const form = h("form", { novalidate: true }, lead && h("p", {}, lead), keys.length > 0 && [touch, h("p", { class: "or" }, t("prove.or"))],
      field(t("signin.totp"), code), place,
      h("div", { class: "actions" }, send, h("button", { type: "button", class: "button", onclick: () => close(null) }, t("cancel_form"))));
    form.addEventListener("submit", (event) => {
      event.preventDefault();
      if (!/^[0-9]{6}$/.test(code.value.trim())) return showError(place, plain(t("signin.totp_hint")));
      return busy(send, () => finish(async () => ({ totp: code.value.trim() })));
    });
    return form;
  }, "prove", { modal });
}

// Runs a deed; when it asks for a newer step-up, proves and runs it once more. null: the person went back.
export async function withStepUp(run, { modal = true } = {}) {
  try {
    return await run();
  } catch (error) {
    if (error.code !== "step_up_required") throw error;
    return prove({}, { title: t("prove.title"), lead: error.title, then: run, modal });
  }
}

// The same for a form's `run`: `false` when the person went back from the proof, so that what they typed stays.
export const proven = async (run) => (await withStepUp(() => run().then((made) => made ?? true))) ?? false;
