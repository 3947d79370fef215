// This browser as a paired tablet: a key pair that can't be taken out of it (WebCrypto, IndexedDB), and what it signs.
import { call } from "./api.js";

const STORE = "tablet";
const KIND = { name: "ECDSA", namedCurve: "P-256" };
const SIGN = { name: "ECDSA", hash: "SHA-256" };
const open = { staySignedOut: true };

export const supported = () => Boolean(globalThis.isSecureContext && crypto?.subtle && globalThis.indexedDB);

const done = (request) => new Promise((resolve, reject) => {
  request.onsuccess = () => resolve(request.result);
  request.onerror = () => reject(request.error);
});

async function store(mode) {
  const asked = indexedDB.open("bedside-tablet", 1);
  asked.onupgradeneeded = () => asked.result.createObjectStore(STORE);
  const database = await done(asked);
  return database.transaction(STORE, mode).objectStore(STORE);
}

const base64url = (bytes) => btoa(String.fromCharCode(...new Uint8Array(bytes))).replaceAll("+", "-").replaceAll("/", "_").replaceAll("=", "");
const signature = async (key, text) => base64url(await crypto.subtle.sign(SIGN, key, new TextEncoder().encode(text)));

// {id, key} of this tablet, or null when it is not paired.
export async function device() {
  if (!supported()) return null;
  try {
    return (await done((await store("readonly")).get("device"))) ?? null;
  } catch {
    return null; // a browser that forbids its store is no tablet
  }
}

export async function forget() {
  await done((await store("readwrite")).delete("device"));
}

export async function pair(code) {
  const plain = code.toUpperCase().replaceAll(/[\s-]/g, "");
  const keys = await crypto.subtle.generateKey(KIND, false, ["sign"]);
  const answer = await call("POST", "tablets/pair", {
    code: plain, public_key: base64url(await crypto.subtle.exportKey("spki", keys.publicKey)),
    signature: await signature(keys.privateKey, `bedside tablet 1\npair\n${plain}`),
  }, open);
  await done((await store("readwrite")).put({ id: answer.id, key: keys.privateKey }, "device"));
  navigator.storage?.persist?.(); // a browser that clears its stores would unpair the room
  return answer;
}

// A fresh challenge of the server's: {challenge_id, options}.
const challenge = (tablet) => call("POST", `tablets/${tablet.id}/challenge`, {}, open);

async function signed(tablet, asked, purpose, userId = "") {
  const text = ["bedside tablet 1", purpose, tablet.id, userId, asked.options.challenge].join("\n");
  return { challenge_id: asked.challenge_id, signature: await signature(tablet.key, text) };
}

// Who may change in here, and what this tablet is called.
export async function roster(tablet) {
  return call("POST", `tablets/${tablet.id}/roster`, await signed(tablet, await challenge(tablet), "roster"), open);
}

export async function openFor(tablet, userId, pin) {
  const proof = await signed(tablet, await challenge(tablet), "open", userId);
  return call("POST", `tablets/${tablet.id}/open`, { ...proof, pin }, open);
}

// touch(options) -> a key's answer, instead of a PIN.
export async function change(tablet, { userId, pin = "", touch = null, examId = null }) {
  const asked = await challenge(tablet);
  const credential = touch ? await touch(asked.options) : {};
  const proof = await signed(tablet, asked, "change", userId);
  return call("POST", `tablets/${tablet.id}/change`, { ...proof, user_id: userId, pin, credential, exam_id: examId }, open);
}
