// Signing in with a key instead of a code: the same form, its answer in two hidden fields.
import { $, busy } from "./dom.js";
import { clearError, showError } from "./errors.js";
import { supported, touched } from "./webauthn.js";

const form = $("#sign-in");
const button = $("#with-key");
const codes = [...form.querySelectorAll("[name=totp]")];

function complete() {
  for (const code of codes) code.disabled = true; // neither asked for nor sent
  const good = form.reportValidity();
  for (const code of codes) code.disabled = false;
  return good;
}

async function withKey() {
  clearError($("#key-problem"));
  if (!complete()) return;
  try {
    const answer = await touched("auth/staff/challenge");
    form.elements.challenge_id.value = answer.challenge_id;
    form.elements.credential.value = JSON.stringify(answer.credential);
    for (const code of codes) code.disabled = true;
    form.submit();
  } catch (error) {
    showError($("#key-problem"), error);
  }
}

$("#key-part").hidden = !supported();
button.addEventListener("click", () => busy(button, withKey));
