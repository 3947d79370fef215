// The board of two desks is one board: news come by a socket, what they are about is read again. Without the socket
// the board is read every few seconds, and at once when the socket is back.
import { call } from "./api.js";
import { Signalling } from "./live/signalling.js";

const EVERY_MS = 10_000;
const RUNNING_MS = 4_000; // an exam runs: its link is looked at more often

// watch({path(), onBoard(answer), onState(state), running()}) -> {now(): Promise}; never two requests at once.
export function watch({ path, onBoard, onState, running }) {
  let asking = null, again = false, timer = 0;

  async function ask() {
    if (asking) {
      again = true;
      return asking;
    }
    asking = read();
    await asking;
    asking = null;
    if (again) {
      again = false;
      return ask();
    }
    clearTimeout(timer);
    timer = setTimeout(ask, running() ? RUNNING_MS : EVERY_MS);
  }

  async function read() {
    try {
      onBoard(await call("GET", path(), undefined, { background: true }));
    } catch (error) {
      onState("stale", error);
    }
  }

  const socket = new Signalling({
    address: "/ws/desk/",
    on: ({ type }) => { if (type === "changed" || type === "welcome") ask(); },
    onState: (state) => onState(state),
  });
  socket.start();
  document.addEventListener("visibilitychange", () => { if (!document.hidden) ask(); });
  timer = setTimeout(ask, EVERY_MS);
  return { now: ask };
}
