// One's own calendar addresses: made, shown once, revoked.
import { call } from "./api.js";
import { $, deed, h, replace } from "./dom.js";
import { notice, noticeError } from "./errors.js";
import { t } from "./texts.js";
import { stamp } from "./when.js";

async function make(calendar) {
  try {
    const made = await call("POST", calendar.own ? "feeds" : `resources/${calendar.id}/feed`);
    const address = h("input", { class: "num", readonly: "", value: made.url, "aria-label": t("account.feeds_shown_once") });
    replace($("#feeds-new"), h("p", {}, t("account.feeds_shown_once")), address);
    address.select();
    await draw();
  } catch (error) {
    noticeError(error);
  }
}

async function revoke(feed) {
  try {
    await call("DELETE", `feeds/${feed.id}`);
    replace($("#feeds-new"));
    notice(t("account.feeds_revoked"));
    await draw();
  } catch (error) {
    noticeError(error);
  }
}

function row(calendar, feed) {
  const name = calendar.own ? t("account.feeds_own") : calendar.name;
  const read = feed && (feed.read_at ? t("account.feeds_read", { at: stamp(feed.read_at) }) : t("account.feeds_unread"));
  return h("tr", {},
    h("td", {}, name), h("td", { class: "num" }, read || ""),
    h("td", {}, deed({}, t(feed ? "account.feeds_again" : "account.feeds_make"), () => make(calendar)),
      feed ? deed({}, t("account.feeds_revoke"), () => revoke(feed)) : ""));
}

async function draw() {
  const answer = await call("GET", "feeds");
  const feeds = new Map(answer.results.map((feed) => [feed.resource.id, feed]));
  const rows = answer.calendars.map((calendar) => row(calendar, feeds.get(calendar.id)));
  replace($("#feeds-list"), rows.length
    ? h("table", { class: "table" }, h("tbody", {}, rows))
    : h("p", { class: "empty" }, t("account.feeds_none")));
}

draw().catch(noticeError);
