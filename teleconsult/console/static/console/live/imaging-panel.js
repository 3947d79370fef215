// The deck under the picture: views and thumbnails; what sets the picture itself is in picture-controls.js.
import { h, replace } from "../dom.js";
import { t } from "../texts.js";

export class Views {
  // views: list of strings or {code, name_zh, name_en}
  constructor(root, views, language) {
    this.chosen = "";
    this.taken = new Map();
    this.list = views.map((view) => (typeof view === "string"
      ? { code: view, name: view }
      : { code: view.code, name: (language === "en" ? view.name_en : view.name_zh) || view.name_zh || view.code }));
    this.root = root;
    this.choose(this.list[0]?.code ?? "");
  }

  choose(code) {
    this.chosen = code;
    this.show();
  }

  took(view) {
    this.taken.set(view, (this.taken.get(view) ?? 0) + 1);
    if (view === this.chosen) {
      const next = this.list.find(({ code }) => !this.taken.get(code));
      if (next) this.chosen = next.code; // on to the next missing view
    }
    this.show();
  }

  name(code) {
    return this.list.find((view) => view.code === code)?.name ?? code;
  }

  show() {
    replace(this.root, this.list.map(({ code, name }) => {
      const count = this.taken.get(code) ?? 0;
      const button = h("button", { type: "button", class: "view", "aria-pressed": String(code === this.chosen), tabindex: -1 },
        h("span", { class: "view-tick" }, count ? "✓" : "·"), name, count > 1 && h("small", {}, ` ×${count}`));
      button.onclick = () => this.choose(code);
      return button;
    }));
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
