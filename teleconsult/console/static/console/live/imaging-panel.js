// The deck under the picture: views and thumbnails; what sets the picture itself is in picture-controls.js.
import { h, replace } from "../dom.js";
import { t } from "../texts.js";

export const REASONS = ["gas", "habitus", "refused", "other"]; // hospital/records/rules.py MISSING_REASONS

export class Views {
  // views: list of strings or {code, name_zh, name_en, short_en}, the last for this narrow list alone; reasons: where the chosen view's reasons stand;
  // onMissing(code, reason): "" takes it back
  constructor(root, views, language, { reasons = null, onMissing = () => {} } = {}) {
    this.reasons = reasons;
    this.onMissing = onMissing;
    this.missing = new Map(); // code -> {reason, text}
    this.chosen = "";
    this.taken = new Map();
    this.list = views.map((view) => (typeof view === "string"
      ? { code: view, name: view, short: view }
      : Views.#named(view, language === "en")));
    this.root = root;
    this.choose(this.list[0]?.code ?? "");
  }

  static #named({ code, name_zh: zh, name_en: en, short_en: short }, english) {
    const name = (english ? en : zh) || zh || code;
    return { code, name, short: (english && short) || name };
  }

  choose(code) {
    this.chosen = code;
    this.show();
  }

  took(view) {
    this.taken.set(view, (this.taken.get(view) ?? 0) + 1);
    if (view === this.chosen) this.#next();
    this.show();
  }

  // The server's list: [{view, reason, text}]
  setMissing(rows) {
    const before = this.missing.has(this.chosen);
    this.missing = new Map(rows.map((row) => [row.view, row]));
    if (!before && this.missing.has(this.chosen)) this.#next();
    this.show();
  }

  #next() {
    const next = this.list.find(({ code }) => !this.taken.get(code) && !this.missing.has(code));
    if (next) this.chosen = next.code; // on to the next view that is still to be had
  }

  #reasonChips() {
    if (!this.reasons) return;
    const now = this.missing.get(this.chosen)?.reason;
    const wanted = this.chosen && !this.taken.get(this.chosen);
    replace(this.reasons, wanted && REASONS.map((reason) => {
      const chip = h("button", {
        type: "button", class: "chip", tabindex: -1, "aria-pressed": String(reason === now), dataset: { reason },
        title: t("view.why", { name: this.name(this.chosen) }),
      }, t(`view.short.${reason}`));
      chip.onclick = () => this.onMissing(this.chosen, reason === now ? "" : reason);
      return chip;
    }));
  }

  name(code) {
    return this.list.find((view) => view.code === code)?.name ?? code;
  }

  show() {
    replace(this.root, this.list.map(({ code, name, short }) => {
      const count = this.taken.get(code) ?? 0;
      const button = h("button", { type: "button", class: "view", "aria-pressed": String(code === this.chosen), tabindex: -1, title: name },
        h("span", { class: "view-tick" }, count ? "✓" : this.missing.has(code) ? "–" : "·"), short, count > 1 && h("small", {}, ` ×${count}`),
        !count && this.missing.has(code) && h("small", { class: "view-why" }, ` ${t(`view.short.${this.missing.get(code).reason}`).replace("…", "")}`));
      button.onclick = () => this.choose(code);
      return button;
    }));
    this.#reasonChips();
  }
}

export class Thumbnails {
  constructor(root, nameOf) {
    this.root = root;
    this.nameOf = nameOf;
    this.known = new Set();
    replace(root, h("p", { class: "lv-hint" }, t("live.pictures.none")));
  }

  add({ id, kind, view, url }) {
    if (this.known.has(id)) return false;
    if (!this.known.size) this.root.replaceChildren();
    this.known.add(id);
    const picture = h("img", { src: `${url}?as=png`, alt: "", loading: "lazy" });
    this.root.prepend(h("a", { class: "lv-thumb", href: `${url}?as=${kind === "loop" ? "mp4" : "png"}`, target: "_blank", rel: "noopener", tabindex: -1 },
      picture, h("span", {}, `${kind === "loop" ? "▶ " : ""}${this.nameOf(view) || t("live.views.other")}`)));
    return true;
  }
}
