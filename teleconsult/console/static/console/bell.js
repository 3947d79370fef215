// What the house tells the person who is signed in, at once in whatever page is open: a count in the header, the words
// behind it. The socket says that something is new or was read, the notices are read; after a dropped socket they are
// read again. Which are read the house knows: all pages of one person count the same.
// Pages of a live exam do not load this.
import { call } from "./api.js";
import { $, h, say } from "./dom.js";
import { Signalling } from "./live/signalling.js";
import { stamp } from "./when.js";

const LIST_MAX = 20; // design value: the rest stand on the page of the account
const bell = $("#notice-bell");
const seen = new Set([...document.querySelectorAll("[data-notice]")].map((node) => node.dataset.notice));
let asking = false, again = false;

function show(rows) {
  bell.hidden = rows.length === 0;
  say($(".bell-count", bell), String(rows.length));
  $("ul", bell).replaceChildren(...rows.slice(0, LIST_MAX).map((row) =>
    h("li", {}, h("span", {}, row.text), h("span", { class: "sub muted num" }, stamp(row.at)))));
}

async function look() {
  const unread = (await call("GET", "notices", undefined, { background: true })).results.filter((row) => !row.read);
  show(unread.filter((row) => !seen.has(row.id)));
  const ids = unread.map((row) => row.id).filter((id) => seen.has(id));
  if (ids.length) await call("POST", "notices/read", { ids }, { background: true });
}

async function read() {
  if (asking) {
    again = true;
    return;
  }
  asking = true;
  try {
    await look();
  } catch { /* the next word, or the socket's return, asks again */ }
  asking = false;
  if (again) {
    again = false;
    read();
  }
}

if (bell) {
  new Signalling({
    address: "/ws/notices/",
    on: ({ type }) => { if (type === "notice" || type === "welcome") read(); },
    onState: () => {},
  }).start();
}
