// Pictures of an exam: thumbnails with their view, enlarge, remove with a reason.
import { call } from "./api.js";
import { busy, dialog, field, h, replace } from "./dom.js";
import { clearError, showError } from "./errors.js";
import { t } from "./texts.js";
import { clock } from "./when.js";

// A view may be a code with names in the exam type, or plain words.
export function viewName(exam, code) {
  const english = document.documentElement.lang === "en";
  const found = (exam.exam_type.views || []).find((view) => view && typeof view === "object" && view.code === code);
  if (!found) return code || "";
  return (english ? found.name_en || found.en : found.name_zh || found.zh) || code;
}

function enlarge(picture, label) {
  const still = h("img", { class: "picture-large", src: picture.url, alt: label });
  const film = () => h("video", {
    class: "picture-large", src: `${picture.url}?as=mp4`, poster: picture.url, controls: true, loop: true, autoplay: true, muted: true, playsinline: true,
    onerror: (event) => event.target.replaceWith(still, h("p", { class: "hint bad", role: "alert" }, t("report.picture_film_failed"))),
  });
  const media = picture.kind === "loop" ? film() : still;
  return dialog(label, (close) => [media, h("div", { class: "actions" }, h("button", { type: "button", class: "button", onclick: () => close(null) }, t("close")))], "large");
}

function removal(picture, label) {
  return dialog(t("report.picture_remove_title"), (close) => {
    const reason = h("textarea", { rows: 2, required: true, maxlength: 500 });
    const place = h("div", {});
    const send = h("button", { class: "button danger" }, t("report.picture_remove"));
    const form = h("form", { novalidate: true }, h("p", {}, h("strong", {}, label)), h("p", { class: "muted" }, t("report.picture_remove_why")),
      field(t("report.picture_remove_reason"), reason), place,
      h("div", { class: "actions" }, send, h("button", { type: "button", class: "button", onclick: () => close(null) }, t("cancel_form"))));
    form.addEventListener("submit", (event) => {
      event.preventDefault();
      clearError(place);
      busy(send, async () => {
        if (!reason.value.trim()) return showError(place, { title: t("report.reason_needed"), code: null, status: 0, data: {} });
        try {
          return close(await call("POST", `images/${picture.id}/remove`, { reason: reason.value.trim() }));
        } catch (error) {
          return showError(place, error);
        }
      });
    });
    return form;
  });
}

// pictures({node, exam, images, editable, onChanged(image)}): draws into node.
export function drawPictures({ node, exam, images, editable, onChanged }) {
  if (!images.length) return replace(node, h("p", { class: "muted" }, t("report.pictures_none")));
  const kept = images.filter((picture) => !picture.removed); // numbered as in the printed report
  return replace(node, h("div", { class: "pictures" }, images.map((picture) => {
    const number = picture.removed ? "" : `${kept.indexOf(picture) + 1} `;
    const label = `${number}${viewName(exam, picture.view)} · ${t(`report.picture_${picture.kind}`)} · ${clock(picture.taken_at)}`;
    const remove = h("button", { type: "button", class: "quiet", "aria-label": `${t("report.picture_remove")} ${label}` }, t("report.picture_remove"));
    remove.addEventListener("click", async () => {
      const changed = await removal(picture, label);
      if (changed) onChanged(changed);
    });
    return h("figure", { class: picture.removed ? "removed" : "" },
      h("button", { type: "button", class: "thumb", "aria-label": `${t("report.picture_open")} ${label}`, onclick: () => enlarge(picture, label) },
        h("img", { src: picture.url, alt: label, loading: "lazy" })),
      h("figcaption", {}, h("span", {}, label, picture.removed && h("span", { class: "hint bad" }, t("report.picture_removed", { reason: picture.removed_reason }))),
        editable && !picture.removed && remove));
  })));
}
