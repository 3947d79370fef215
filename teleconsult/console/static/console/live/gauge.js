// The force gauge at the picture's right edge: now, set, the marks 15 and 20, the bedside's cap, contact. Newtons.
import { h, say } from "../dom.js";
import { t } from "../texts.js";
import { FORCE_HARD_N, FORCE_SOFT_N } from "./limits.js";
import { TEL_FLAG, has } from "./wire.js";

const TOP_N = 25; // never above; devices/wire/limits.py FORCE_PEAK_N
const share = (newtons) => Math.max(0, Math.min(TOP_N, newtons)) / TOP_N;
const place = (newtons) => `${100 * share(newtons)}%`;

function mark(kind, newtons, label) {
  const node = h("div", { class: `gauge-mark gauge-${kind}` }, h("span", {}, label));
  node.style.bottom = place(newtons);
  return node;
}

export class Gauge {
  constructor(root) {
    this.now = h("strong", { class: "num" }, "–");
    this.bar = h("div", { class: "gauge-bar" });
    this.set = mark("set", 0, "");
    this.cap = mark("cap", TOP_N, "");
    this.foot = h("span", { class: "gauge-foot" });
    root.replaceChildren(
      h("div", { class: "gauge-now" }, this.now, h("small", {}, "N")),
      h("div", { class: "gauge-scale" }, this.bar, mark("soft", FORCE_SOFT_N, FORCE_SOFT_N), mark("hard", FORCE_HARD_N, FORCE_HARD_N), this.cap, this.set),
      this.foot,
    );
    this.root = root;
    root.setAttribute("aria-label", t("live.gauge"));
  }

  // wantedN: the set-point this page asks for; telemetry null: no link
  show(telemetry, wantedN) {
    this.root.dataset.lost = telemetry === null;
    if (telemetry === null) {
      say(this.now, "–");
      say(this.foot, "");
      this.bar.style.transform = "scaleY(0)";
      return;
    }
    const force = telemetry.force_n;
    say(this.now, Math.max(0, force).toFixed(1));
    this.bar.style.transform = `scaleY(${share(force)})`; // a height would lay the page out again, 20 times a second
    this.bar.dataset.level = force >= FORCE_HARD_N ? "hard" : force >= FORCE_SOFT_N ? "soft" : "fine";
    this.#mark(this.set, wantedN ?? telemetry.force_set_n, t("live.gauge.set"));
    const capped = telemetry.force_cap_n > 0 && telemetry.force_cap_n < FORCE_SOFT_N;
    this.cap.hidden = !capped;
    if (capped) this.#mark(this.cap, telemetry.force_cap_n, t("live.gauge.cap"));
    const contact = has(telemetry, TEL_FLAG.CONTACT);
    say(this.foot, contact ? `● ${t("live.gauge.contact")}` : `○ ${t("live.gauge.free")}`);
  }

  #mark(node, newtons, name) {
    node.style.bottom = place(newtons);
    say(node.firstChild, `${name} ${Number(newtons.toFixed(1))}`);
  }
}
