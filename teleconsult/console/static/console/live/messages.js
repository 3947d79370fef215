// Sentences of the live pages: what the server refused, what the robot refused, and short notes that go by themselves.
import { h } from "../dom.js";
import { known, t } from "../texts.js";

const NOTE_MS = 7000;

export function codeWord(code) {
  for (const key of [`live.code.${code}`, `live.refusal.${code}`]) if (known(key)) return t(key);
  return code;
}

// Why control was lost: its codes are the server's, some mean something else in a robot's answer.
export function leaseWhy(code) {
  return known(`live.lease.why.${code}`) ? t(`live.lease.why.${code}`) : codeWord(code);
}

// ApiError has a title; CtlError has only a code.
export function sentenceOf(error) {
  if (!error.code && !error.title) console.error(error);
  return error.title ? error.title : t("live.failed", { why: codeWord(error.code ?? String(error)) });
}

// Gate titles in the page's language: the page itself and its own requests have it, the socket's news may not.
const titles = new Map();
export function inPageLanguage(exam, { own }) {
  for (const gate of exam.gates) {
    if (own || !titles.has(gate.code)) titles.set(gate.code, gate.title);
    else gate.title = titles.get(gate.code);
  }
  return exam;
}

export class Notes {
  constructor(root) {
    this.root = root;
  }

  say(text, kind = "info") {
    for (const old of this.root.children) if (old.dataset.text === text) old.remove();
    const node = h("div", { class: `lv-note lv-note-${kind}`, role: kind === "bad" ? "alert" : "status", dataset: { text } }, text);
    this.root.prepend(node);
    while (this.root.children.length > 3) this.root.lastElementChild.remove();
    setTimeout(() => node.remove(), NOTE_MS);
  }

  error(error) {
    this.say(sentenceOf(error), "bad");
  }
}

// One deed at a time for a button; shows that it works; an error becomes a sentence.
export function deed(button, notes, run) {
  button.addEventListener("click", async () => {
    if (button.getAttribute("aria-busy") === "true") return;
    button.setAttribute("aria-busy", "true");
    try {
      await run();
    } catch (error) {
      notes.error(error);
    } finally {
      button.removeAttribute("aria-busy");
    }
  });
}

// A dialog in the page, never a modal one: the stop stays in reach while it is open. Esc closes it.
export function openDialog(dialog) {
  dialog.onkeydown = (event) => event.code === "Escape" && dialog.close();
  dialog.show();
}

// Resolves with the form's data, or null.
export function ask(dialog) {
  if (dialog.open) return Promise.resolve(null);
  openDialog(dialog);
  return new Promise((resolve) => {
    dialog.addEventListener("close", () => {
      resolve(dialog.returnValue === "yes" ? new FormData(dialog.querySelector("form")) : null);
      dialog.returnValue = "";
    }, { once: true });
  });
}

// The server's state as a banner; `prefix` is "live" or "bed".
export function serverSentence(prefix, state) {
  const key = { lost: "lost", signed_out: "signed_out", replaced: "replaced", not_yours: "not_yours", over: "over" }[state];
  if (!key) return "";
  return known(`${prefix}.server.${key}`) ? t(`${prefix}.server.${key}`) : t(`live.server.${key}`);
}
