// The page's socket to the server: single-use ticket, reconnect with growing pauses, close codes with a meaning.
// Losing it never touches the connection to the robot.
import { call } from "../api.js";

const PAUSES_MS = [300, 700, 1500, 3000, 5000];
const PING_MS = 4000;
const SILENT_MS = 10_000; // no word from the server for this long: the socket is dead although open
const STABLE_MS = 5000;
// Close codes after which trying again would be wrong; the rest is a lost connection.
const FINAL = { 4404: "not_yours", 4409: "replaced", 4410: "over" };

export class Signalling {
  #attempt = 0; // a ticket that was asked for before stop() opens nothing: a second socket would replace the first

  // on(message) gets every message of the server; onState(state) one of
  // connecting | open | lost | signed_out | replaced | not_yours | over
  constructor({ address, on, onState }) {
    this.address = address;
    this.on = on;
    this.onState = onState;
    this.state = "connecting";
    this.socket = null;
    this.failures = 0;
    this.timer = 0;
  }

  start() {
    this.#become("connecting");
    this.#open();
  }

  stop() {
    this.#attempt += 1;
    clearTimeout(this.timer);
    clearInterval(this.pinger);
    this.socket?.close();
    this.socket = null;
  }

  get open() {
    return this.socket?.readyState === WebSocket.OPEN && this.state === "open";
  }

  send(message) {
    if (!this.open) return false;
    this.socket.send(JSON.stringify(message));
    return true;
  }

  #become(state) {
    if (this.state === state) return;
    this.state = state;
    this.onState(state);
  }

  async #open() {
    this.#attempt += 1;
    const attempt = this.#attempt;
    let ticket;
    try {
      ({ ticket } = await call("POST", "auth/ticket", {}, { staySignedOut: true }));
    } catch (error) {
      if (attempt !== this.#attempt) return;
      this.#become(error.status === 401 ? "signed_out" : "lost");
      this.#again();
      return;
    }
    if (attempt !== this.#attempt) return;
    const scheme = location.protocol === "https:" ? "wss:" : "ws:";
    const socket = new WebSocket(`${scheme}//${location.host}${this.address}?ticket=${encodeURIComponent(ticket)}`);
    this.socket = socket;
    socket.onmessage = ({ data }) => this.#received(socket, data);
    socket.onclose = ({ code }) => this.#closed(socket, code);
  }

  #received(socket, data) {
    if (socket !== this.socket) return;
    this.heardAt = performance.now();
    let message;
    try {
      message = JSON.parse(data);
    } catch {
      return; // the server never sends such; a proxy's error page might come this way
    }
    if (message.type === "welcome") this.#welcomed(socket);
    if (message.type !== "pong") this.on(message);
  }

  #welcomed(socket) {
    this.openedAt = performance.now();
    this.#become("open");
    clearInterval(this.pinger);
    this.pinger = setInterval(() => {
      if (performance.now() - this.heardAt > SILENT_MS) socket.close();
      else if (socket.readyState === WebSocket.OPEN) socket.send(JSON.stringify({ type: "ping", t: Math.round(performance.now()) }));
    }, PING_MS);
  }

  #closed(socket, code) {
    if (socket !== this.socket) return;
    clearInterval(this.pinger);
    this.socket = null;
    if (this.openedAt && performance.now() - this.openedAt > STABLE_MS) this.failures = 0;
    this.openedAt = 0;
    if (FINAL[code]) this.#become(FINAL[code]);
    else {
      this.#become("lost");
      this.#again();
    }
  }

  #again() {
    const pause = PAUSES_MS[Math.min(this.failures, PAUSES_MS.length - 1)] * (0.8 + Math.random() * 0.4);
    this.failures += 1;
    clearTimeout(this.timer);
    this.timer = setTimeout(() => this.#open(), pause);
  }
}
