// An emergency in the place of what is planned: offered only where a time was refused because it is taken.
import { call } from "./api.js";
import { deed, field, h } from "./dom.js";
import { clearError, notice, showError } from "./errors.js";
import { withStepUp } from "./prove.js";
import { t } from "./texts.js";
import { clock, day } from "./when.js";

const plain = (title) => ({ title, code: null, status: 0, data: {} });

// displaceBox({body() -> the refused booking, onBooked(exam)}) -> element
export function displaceBox({ body, onBooked }) {
  const reason = h("input", { maxlength: 500, autocomplete: "off", name: "displace_reason" });
  const priority = h("select", {}, ["stat", "urgent"].map((name) => h("option", { value: name }, t(`requests.priority.${name}`))));
  const place = h("div", {});
  const send = deed({ class: "button danger", id: "displace" }, t("displace.do"), async () => {
    clearError(place);
    if (!reason.value.trim()) { reason.focus(); return refuse(plain(t("displace.reason_needed"))); }
    try {
      const asked = { ...body(), hold_id: null, reason: reason.value.trim(), priority: priority.value };
      const exam = await withStepUp(() => call("POST", "exams/displace", asked));
      if (!exam) return null; // back from the proof: nothing was done
      notice(t("displace.done", { name: exam.patient.name, day: day(exam.starts_at), time: clock(exam.starts_at) }));
      return await onBooked(exam);
    } catch (error) {
      return refuse(error);
    }
  });
  // The button stays in sight below what it was refused for.
  function refuse(error) {
    showError(place, error);
    send.scrollIntoView({ block: "nearest" });
  }
  return h("section", { class: "warning stack displace", "aria-label": t("displace.title") },
    h("h3", {}, t("displace.title")), h("p", {}, t("displace.lead")),
    h("div", { class: "row" }, field(t("displace.reason"), reason), field(t("requests.priority"), priority)), place,
    h("div", { class: "actions" }, send));
}
