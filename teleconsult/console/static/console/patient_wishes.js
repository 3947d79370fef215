// How one patient wants to be told, kept at the desk for who has no app: language, SMS or a call, what not at all.
import { call } from "./api.js";
import { $, busy, field, h, replace } from "./dom.js";
import { clearError, notice, showError } from "./errors.js";
import { t } from "./texts.js";

const choice = (name, codes, chosen) => {
  const node = h("select", {}, codes.map((code) => h("option", { value: code }, t(`wishes.${name}.${code}`))));
  node.value = chosen;
  return node;
};

function boxes(said) {
  return h("fieldset", { class: "keep" }, h("legend", {}, t("wishes.refused")), said.refusable.map((kind) => {
    const box = h("input", { type: "checkbox", value: kind, id: `refuse-${kind}` });
    box.checked = said.refused.includes(kind);
    return h("label", { for: `refuse-${kind}` }, box, h("span", {}, t(`wishes.kind.${kind}`)));
  }));
}

// drawWishes(patient, said): `said` as the door answers it.
export function drawWishes(patient, said) {
  const place = h("div", {});
  const language = choice("language", ["zh", "en"], said.language);
  const channel = choice("channel", ["sms", "voice"], said.channel);
  const refused = boxes(said);
  const send = h("button", { class: "button primary" }, t("wishes.save"));
  const form = h("form", { class: "stack", novalidate: true },
    h("div", { class: "row" }, field(t("wishes.language"), language), field(t("wishes.channel"), channel)),
    refused, h("p", { class: "hint" }, t("wishes.always")), place, h("div", { class: "actions" }, send));
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    clearError(place);
    busy(send, async () => {
      const body = { language: language.value, channel: channel.value, refused: [...refused.querySelectorAll("input:checked")].map((box) => box.value) };
      try {
        drawWishes(patient, await call("PUT", `patients/${patient.id}/messages`, body));
        notice(t("wishes.saved"));
      } catch (error) {
        showError(place, error);
      }
    });
  });
  replace($("#wishes"), form);
}
