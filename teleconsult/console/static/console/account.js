// One's own open sign-ins and password.
import { call } from "./api.js";
import { $, busy, data, deed, h, replace } from "./dom.js";
import { clearError, notice, noticeError, showError } from "./errors.js";
import { t } from "./texts.js";
import { stamp } from "./when.js";

function row(session, draw) {
  const end = deed({}, t("account.end"), async () => {
    try {
      await call("DELETE", `auth/sessions/${session.id}`);
      notice(t("account.ended"));
      draw((await call("GET", "auth/sessions")).results);
    } catch (error) {
      noticeError(error);
    }
  });
  return h("tr", {},
    h("td", { class: "num" }, stamp(session.began_at)), h("td", { class: "num" }, stamp(session.last_used_at)),
    h("td", { class: "num" }, session.address), h("td", { class: "wrap" }, session.agent || t("account.program")),
    h("td", {}, session.current ? h("b", {}, t("account.this")) : end));
}

function draw(sessions) {
  const heads = ["account.began", "account.used", "account.address", "account.agent"].map((key) => h("th", {}, t(key)));
  replace($("#sessions"), h("table", { class: "table" },
    h("thead", {}, h("tr", {}, heads, h("th", {}))), h("tbody", {}, sessions.map((session) => row(session, draw)))));
}

$("#password").addEventListener("submit", (event) => {
  event.preventDefault();
  const form = event.target;
  busy(form.querySelector("button"), async () => {
    clearError($("#password-problem"));
    try {
      await call("POST", "auth/password", Object.fromEntries(new FormData(form)), { staySignedOut: true });
      form.reset();
      notice(t("account.password_done"));
      draw((await call("GET", "auth/sessions")).results);
    } catch (error) {
      showError($("#password-problem"), error);
    }
  });
});
draw(data("sessions-data"));
