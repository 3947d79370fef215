// Bookings that lie in closed time: what the desk has to move, with the way there.
import { call } from "./api.js";
import { h, replace } from "./dom.js";
import { showError } from "./errors.js";
import { either, stateBadge } from "./exams.js";
import { t } from "./texts.js";
import { clock, day, weekday } from "./when.js";

function when(row) {
  const on = day(row.starts_at);
  return `${on} ${weekday(on)} ${clock(row.starts_at)}–${clock(row.ends_at)}`;
}

const closed = (row) => row.closed.map((one) => `${t(`who.${one.kind}`)} ${either(one)}`).join(" · ");

function line(row) {
  const href = `/console/desk/?${new URLSearchParams({ day: day(row.starts_at), exam: row.exam_id })}`;
  return h("li", {}, h("div", {}, h("div", {}, h("strong", { class: "num" }, when(row)), " ", stateBadge(row.state)),
    h("div", {}, `${either(row.exam_type)} · ${either(row.room)}`),
    h("div", { class: "small" }, t("calendars.closed_then", { names: closed(row) }))),
  row.exam_id ? h("a", { class: "button", href, "aria-label": `${t("calendars.to_desk")} ${when(row)}` }, t("calendars.to_desk"))
    : h("span", { class: "small" }, t("calendars.theirs", { name: either(row.institution) })));
}

// against() -> {node(fits(row), {quiet}), load()}; the nodes on the page are drawn again when the list was read. A quiet one
// is only there when it has something to say.
export function against() {
  let rows = null, more = false, problem = null;
  const places = [];
  function draw({ body, fits, quiet, node }) {
    const mine = (rows || []).filter(fits);
    node.hidden = quiet && !problem && !mine.length;
    if (problem) return showError(body, problem);
    return replace(body, !rows ? h("p", { class: "muted" }, t("loading")) : !mine.length ? h("p", { class: "muted" }, t("calendars.no_against"))
      : [h("p", { class: "warning" }, t("calendars.against_n", { n: more ? `${mine.length}+` : mine.length })), h("ul", { class: "picks" }, mine.map(line))]);
  }
  return {
    node(fits, { quiet = false } = {}) {
      const body = h("div", { "aria-live": "polite" });
      const node = h("section", { class: "stack", "aria-label": t("calendars.against") }, h("h3", {}, t("calendars.against")), h("p", { class: "small muted" }, t("calendars.against_hint")), body);
      places.push({ body, fits, quiet, node });
      draw(places.at(-1));
      return node;
    },
    async load() {
      try {
        const answer = await call("GET", "board/against");
        problem = null;
        rows = answer.results;
        more = Boolean(answer.next);
      } catch (error) {
        problem = error;
      }
      places.splice(0, places.length, ...places.filter(({ body }) => body.isConnected));
      for (const place of places) draw(place);
    },
  };
}
