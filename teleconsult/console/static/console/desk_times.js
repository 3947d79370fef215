// Finding a time: what a search offers, and the one that is kept for this desk while it decides.
import { call } from "./api.js";
import { deed, field, h, replace } from "./dom.js";
import { clearError, showError } from "./errors.js";
import { t } from "./texts.js";
import { clock, day, moment, today, weekday } from "./when.js";

const PARTS = ["", "morning", "afternoon", "evening"];
const SHOWN = ["remote_physician", "bedside_physician", "room"]; // whose names a row says; there are few robots

// timesFinder({type() -> code, day() -> "YYYY-MM-DD", people() -> user ids already chosen, team() -> ids by role,
//   onKept({starts_at, team})}) -> {node, hold() -> id or null, drop()}
export function timesFinder({ type, day: from, people, team, onKept }) {
  const part = h("select", { name: "part_of_day" }, PARTS.map((name) => h("option", { value: name }, t(`times.part.${name || "all"}`))));
  const place = h("div", {}), notes = h("div", {}), list = h("ul", { class: "picks" });
  const kept = h("p", { class: "hint", "aria-live": "polite" });
  const more = deed({ class: "button" }, t("times.more"), () => load(next));
  let next = null, hold = null;

  function address() {
    const asked = new URLSearchParams({ exam_type: type(), days: "30", part_of_day: part.value });
    if (from() > today()) asked.set("starts_from", moment(from(), "00:00").toISOString());
    for (const id of people()) asked.append("person", id);
    return `times?${asked}`;
  }

  // Whoever is chosen in the form stays where they are free; else the first who is.
  function teamOf(row) {
    const chosen = team();
    return Object.fromEntries(Object.entries(row.free).map(([role, ids]) => [role, ids.includes(chosen[role]) ? chosen[role] : ids[0]]));
  }

  function words(row, who) {
    const chosen = teamOf(row);
    const names = SHOWN.filter((role) => chosen[role]).map((role) => who[chosen[role]]?.name).filter(Boolean);
    const english = document.documentElement.lang === "en";
    return [(english && row.institution_en) || row.institution, ...names].join(" · ");
  }

  function item(row, who) {
    const when = `${day(row.starts_at).slice(5)} ${weekday(day(row.starts_at))} ${clock(row.starts_at)}–${clock(row.ends_at)}`;
    return h("li", {},
      h("div", {}, h("div", { class: "num" }, when), h("div", { class: "small muted" }, words(row, who))),
      deed({ "aria-label": `${t("times.take")} ${when}` }, t("times.take"), () => keep(row)));
  }

  async function load(path) {
    clearError(place);
    try {
      const found = await call("GET", path);
      const rows = found.results.map((row) => item(row, found.who));
      if (path === next) list.append(...rows);
      else replace(list, rows);
      next = found.next;
      more.hidden = !next;
      replace(notes, found.notices.map((row) => h("p", { class: "note" }, row.title)),
        !list.childElementCount && h("p", { class: "note" }, t("times.none")));
    } catch (error) {
      showError(place, error);
    }
  }

  async function keep(row) {
    clearError(place);
    await drop();
    const chosen = teamOf(row);
    const { probe, ...named } = chosen; // the booking takes a free probe by itself
    const body = { exam_type: type(), starts_at: row.starts_at };
    for (const [role, id] of Object.entries(named)) body[`${role}_id`] = id;
    try {
      const answer = await call("POST", "holds", body);
      hold = answer.id;
      kept.textContent = t("times.kept", { time: clock(answer.expires_at) });
      replace(list);
      more.hidden = true;
      next = null;
      onKept({ starts_at: row.starts_at, team: chosen });
    } catch (error) {
      await load(address()); // somebody was faster: what is free now, under the reason
      showError(place, error);
    }
  }

  // The kept time is given back; when that can't be said, it ends by itself.
  async function drop() {
    const id = hold;
    hold = null;
    kept.textContent = "";
    if (id) await call("DELETE", `holds/${id}`).catch(() => null);
  }

  more.hidden = true;
  const find = deed({ class: "button" }, t("times.find"), async () => { next = null; await load(address()); });
  const node = h("div", { class: "stack" }, h("div", { class: "row" }, field(t("times.part"), part), find), place, notes, list, more, kept);
  return { node, hold: () => hold, drop };
}
