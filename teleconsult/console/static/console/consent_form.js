// Taking one consent: the text in large print, read aloud, who gives it, signature or witness.
import { h, replace } from "./dom.js";
import { Signature } from "./live/signature.js";
import { t } from "./texts.js";

const english = () => document.documentElement.lang === "en";

export function choices(name, values, label, chosen) {
  return h("div", { class: "choices", role: "radiogroup" }, values.map((value) =>
    h("label", { class: "choice" }, h("input", { type: "radio", name, value, checked: value === chosen }), h("span", {}, label(value)))));
}

// The browser's own voice of the text's language; without one the button says so.
function readAloud(button, words, language) {
  if (speechSynthesis.speaking) return speechSynthesis.cancel();
  const voices = speechSynthesis.getVoices().filter(({ lang }) => (language === "en" ? /^en\b/i : /^(zh|cmn)\b/i).test(lang));
  const voice = voices.find(({ localService }) => localService) ?? voices[0];
  if (!voice) return replace(button, t("consent.no_voice"));
  return speechSynthesis.speak(Object.assign(new SpeechSynthesisUtterance(words), { voice, lang: voice.lang, rate: 0.9 }));
}

export class ConsentForm {
  // `guardian`: the patient is too young to consent alone.
  constructor({ guardian = false } = {}) {
    this.text = h("div", { class: "consent-text" }, t("loading"));
    this.signature = new Signature();
    this.witness = h("input", { id: "witness-name", maxlength: 80 });
    this.guardian = { name: h("input", { id: "guardian-name", maxlength: 80 }), relation: h("input", { id: "guardian-relation", maxlength: 40 }) };
    const again = h("button", { type: "button", class: "button", onclick: () => this.signature.clear() }, t("bed.consent.clear"));
    this.parts = {
      signature: h("div", { class: "sign" }, this.signature.canvas, again),
      witness: h("label", {}, t("bed.consent.witness_name"), this.witness),
      guardian: h("div", { class: "pair" }, h("label", {}, t("bed.consent.guardian_name"), this.guardian.name), h("label", {}, t("bed.consent.guardian_relation"), this.guardian.relation)),
    };
    this.form = h("div", { class: "consent-form" },
      choices("given_by", guardian ? ["guardian"] : ["patient", "guardian"], (value) => t(`bed.consent.${value}`), guardian ? "guardian" : "patient"), this.parts.guardian,
      choices("method", ["signature", "witness"], (value) => t(`bed.consent.${value}`), "signature"), this.parts.signature, this.parts.witness);
    this.form.onchange = () => this.#arrange();
    this.#arrange();
    this.node = h("div", { class: "consent" }, h("div", {}, this.text, h("p", { class: "lead" }, t("bed.consent.read"))), this.form);
  }

  #value(name) {
    return this.form.querySelector(`input[name=${name}]:checked`).value;
  }

  #arrange() {
    this.parts.guardian.hidden = this.#value("given_by") !== "guardian";
    this.parts.signature.hidden = this.#value("method") !== "signature";
    this.parts.witness.hidden = this.#value("method") !== "witness";
  }

  // found: {version, body_zh, body_en}, the text in force
  show(found) {
    this.version = found.version;
    const words = (english() ? found.body_en : found.body_zh) || found.body_zh;
    const large = h("button", { type: "button", class: "button", "aria-pressed": "false" }, t("consent.large"));
    large.onclick = () => large.setAttribute("aria-pressed", String(this.text.classList.toggle("large")));
    const aloud = h("button", { type: "button", class: "button" }, t("consent.aloud"));
    aloud.onclick = () => readAloud(aloud, words, english() && found.body_en ? "en" : "zh");
    replace(this.text, h("div", { class: "consent-tools" }, large, "speechSynthesis" in window && aloud),
      h("p", { class: "wrap" }, words), h("small", {}, t("bed.consent.version", { version: found.version })));
  }

  // What the doors of consents take. Throws what can be shown when the signature is missing.
  read() {
    const method = this.#value("method");
    if (method === "signature" && this.signature.empty) throw { title: t("bed.consent.sign_first"), code: "consent_proof_missing", status: 0, data: {} };
    const guardian = this.#value("given_by") === "guardian";
    return {
      text_version: this.version ?? "", given_by: this.#value("given_by"), method,
      guardian_name: guardian ? this.guardian.name.value.trim() : "", guardian_relation: guardian ? this.guardian.relation.value.trim() : "",
      signature_png: method === "signature" ? this.signature.png() : "", witness_name: method === "witness" ? this.witness.value.trim() : "",
    };
  }
}
