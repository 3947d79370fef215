// Pictures of an exam: thumbnails with their view, enlarge, remove with a reason.
import { call } from "./api.js";
import { busy, dialog, field, h, replace } from "./dom.js";
import { clearError, showError } from "./errors.js";
import { shape } from "./live/measure-shapes.js";
import { measured } from "./measure-text.js";
import { t } from "./texts.js";
import { clock } from "./when.js";

// A view may be a code with names in the exam type, or plain words.
export function viewName(exam, code) {
  const english = document.documentElement.lang === "en";
  const found = (exam.exam_type.views || []).find((view) => view && typeof view === "object" && view.code === code);
  if (!found) return code || "";
  return (english ? found.name_en || found.en : found.name_zh || found.zh) || code;
}

const SVG = "http://www.w3.org/2000/svg";
const COLOURS = ["#ffd54a", "#7be0ad", "#ff9e80", "#9fc5ff"];

function drawing(name, attributes, text = "") {
  const node = document.createElementNS(SVG, name);
  for (const [key, value] of Object.entries(attributes)) node.setAttribute(key, value);
  node.textContent = text;
  return node;
}

// Points of a measurement that lie on a frame: a volume's axes may have frames of their own.
function pointsOn(row, frameId) {
  const frames = row.frame_ids ?? [row.frame_id];
  return row.kind === "volume" ? row.points.filter((_, index) => frames[Math.floor(index / 2)] === frameId) : frames[0] === frameId ? row.points : [];
}

// What was measured on this picture's frame, where the frame stands in the picture: `offset` is its first pixel.
export function measuresOver(picture, measurements) {
  const [dx, dy] = picture.offset ?? [0, 0];
  const over = drawing("svg", { viewBox: `0 0 ${picture.width} ${picture.height}`, class: "picture-measures", "aria-hidden": "true" });
  const here = measurements.map((row) => [row, pointsOn(row, picture.frame_id)]).filter(([, points]) => points.length);
  here.forEach(([row, points], index) => {
    const colour = COLOURS[index % COLOURS.length];
    const at = ([x, y]) => [x + dx + 0.5, y + dy + 0.5];
    const { lines, marks, label } = shape(row.kind, points, picture.mm_per_px_x ?? 1, picture.mm_per_px_y ?? 1);
    for (const line of lines) over.append(drawing("polyline", { points: line.map(at).join(" "), fill: "none", stroke: colour, "stroke-dasharray": "4 4" }));
    for (const [x, y] of marks.map(at)) over.append(drawing("path", { d: `M${x - 6} ${y}h12M${x} ${y - 6}v12`, stroke: colour }));
    if (label) over.append(drawing("text", { x: at(label)[0] + 8, y: at(label)[1] + 4, fill: colour }, measured(row)));
  });
  return here.length ? over : null;
}

function enlarge(picture, label, measurements) {
  const image = h("img", { class: "picture-large", src: picture.url, alt: label });
  const still = h("div", { class: "picture-with-measures" }, image, picture.kind === "still" && measuresOver(picture, measurements));
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

// pictures({node, exam, images, measurements, editable, onChanged(image)}): draws into node.
export function drawPictures({ node, exam, images, measurements = [], editable, onChanged }) {
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
      h("button", { type: "button", class: "thumb", "aria-label": `${t("report.picture_open")} ${label}`, onclick: () => enlarge(picture, label, measurements) },
        h("img", { src: picture.url, alt: label, loading: "lazy" })),
      h("figcaption", {}, h("span", {}, label, picture.removed && h("span", { class: "hint bad" }, t("report.picture_removed", { reason: picture.removed_reason }))),
        editable && !picture.removed && remove));
  })));
}
