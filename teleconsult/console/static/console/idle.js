// Leaves a page nobody uses, as the server ends its sign-in: no patient stays on an abandoned screen. Hands on any
// page of this browser count for all of them. Pages of a live exam do not load this.
import { call } from "./api.js";
import { $, h } from "./dom.js";
import { t } from "./texts.js";

const IDLE_MS = Number(document.documentElement.dataset.idleS) * 1000;
const WARN_MS = 60_000;
const CHECK_MS = 1000;
const TELL_MS = 60_000; // how often the server hears that somebody is here
const KEY = "used-at";
let told = Date.now();
let last = told;
let bar = null;

function used() {
  try {
    localStorage.setItem(KEY, String(Date.now()));
  } catch { /* a full or forbidden store: this page counts alone */ }
  last = Date.now();
}
const lastUse = () => Math.max(last, Number(localStorage.getItem(KEY)) || 0);

function warn(leftMs) {
  if (!bar) {
    const stay = h("button", { type: "button", class: "button", onclick: () => used() }, t("idle.stay"));
    bar = h("div", { class: "alert", role: "alert" }, h("span", { id: "idle-left" }), stay);
    $("#notices").append(bar);
  }
  $("#idle-left", bar).textContent = t("idle.soon", { n: Math.max(0, Math.ceil(leftMs / 1000)) });
}

function check() {
  const quietMs = Date.now() - lastUse();
  if (quietMs >= IDLE_MS) {
    location.assign(`/console/sign-in/?idle&next=${encodeURIComponent(location.pathname + location.search)}`);
    return;
  }
  if (quietMs >= IDLE_MS - WARN_MS) warn(IDLE_MS - quietMs);
  else if (bar) {
    bar.remove();
    bar = null;
  }
  if (lastUse() > told && Date.now() - told >= TELL_MS) {
    told = Date.now();
    call("GET", "auth/sessions").catch(() => {}); // an ended sign-in leads away by itself
  }
}

for (const kind of ["pointerdown", "keydown", "wheel", "touchstart", "input"]) {
  addEventListener(kind, used, { capture: true, passive: true });
}
used();
setInterval(check, CHECK_MS);
