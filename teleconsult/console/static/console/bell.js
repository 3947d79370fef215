// What the house tells the person who is signed in, at once in whatever page is open: a count in the header, the words
// behind it. The socket says that there is something, the notices are read; after a dropped socket they are read again.
// Pages of a live exam do not load this.
import { call } from "./api.js";
import { $, h, say } from "./dom.js";
import { Signalling } from "./live/signalling.js";
import { stamp } from "./when.js";

const KEY = "notices"; // in this tab: whose, which were known before, which are new to the reader
const bell = $("#notice-bell");
const who = bell?.dataset.who;
let state = remembered();
let asking = false, again = false;

function remembered() {
  try {
    const found = JSON.parse(sessionStorage.getItem(KEY));
    if (found?.who === who) return found;
  } catch { /* a forbidden or damaged store: this page counts alone */ }
  return { who, known: null, fresh: [] };
}

function remember() {
  try {
    sessionStorage.setItem(KEY, JSON.stringify(state));
  } catch { /* as above */ }
}

function show() {
  bell.hidden = state.fresh.length === 0;
  say($(".bell-count", bell), String(state.fresh.length));
  $("ul", bell).replaceChildren(...state.fresh.map((row) =>
    h("li", {}, h("span", {}, row.text), h("span", { class: "sub muted num" }, stamp(row.at)))));
}

function take(rows) {
  const known = new Set(state.known ?? rows.map((row) => row.id));
  state.fresh = [...rows.filter((row) => !known.has(row.id)), ...state.fresh].slice(0, 20);
  state.known = rows.map((row) => row.id);
  remember();
  show();
}

async function read() {
  if (asking) {
    again = true;
    return;
  }
  asking = true;
  try {
    take((await call("GET", "notices", undefined, { background: true })).results);
  } catch { /* the next word, or the socket's return, asks again */ }
  asking = false;
  if (again) {
    again = false;
    read();
  }
}

if (bell) {
  if (location.pathname === "/console/account/") state.fresh = []; // all of them stand there
  show();
  new Signalling({
    address: "/ws/notices/",
    on: ({ type }) => { if (type === "notice" || type === "welcome") read(); },
    onState: () => {},
  }).start();
}
