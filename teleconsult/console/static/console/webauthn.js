// Security keys in the browser: the server's options in, the key's answer as JSON out (WebAuthn level 3).
import { call } from "./api.js";
import { t } from "./texts.js";

// Browsers before 2024 lack the JSON forms; without a secure context there is no WebAuthn at all.
export const supported = () => typeof window.PublicKeyCredential?.parseRequestOptionsFromJSON === "function";

// A person who closes the browser's own dialog, or a key that does not answer, is one sentence.
function sentence(error) {
  const key = error.name === "InvalidStateError" ? "key.known" : "key.no_answer";
  return { title: t(key), code: null, status: 0, data: {} };
}

async function asked(run) {
  try {
    return (await run()).toJSON();
  } catch (error) {
    throw sentence(error);
  }
}

export const makeKey = (options) =>
  asked(() => navigator.credentials.create({ publicKey: PublicKeyCredential.parseCreationOptionsFromJSON(options) }));

export const touchKey = (options) =>
  asked(() => navigator.credentials.get({ publicKey: PublicKeyCredential.parseRequestOptionsFromJSON(options) }));

// A challenge of the server's and a key's answer to it: {challenge_id, credential}.
export async function touched(path, body = {}) {
  const challenge = await call("POST", path, body, { staySignedOut: true });
  return { challenge_id: challenge.challenge_id, credential: await touchKey(challenge.options) };
}
