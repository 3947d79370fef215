// The page's side of the worker: hands over the command and telemetry channels, posts the input snapshot, passes on
// the pulse. Telemetry arrives in the worker: a page that is drawing would be counted as delay of the network.
import { NewestWins } from "./command-loop.js";
import { COMMAND_PERIOD_MS } from "./limits.js";

export class Control {
  // snapshot() -> the operator's input now; onPulse() every 20 ms; onStats(stats) twice a second
  constructor({ snapshot, onPulse, onStats }) {
    this.snapshot = snapshot;
    this.onPulse = onPulse;
    this.onStats = onStats;
    this.worker = null;
    this.relay = null; // NewestWins on this page, when the channel could not be handed over
    this.relayed = new Map(); // peer -> channel
    this.ids = new Map(); // peer -> id of the channel in the worker
    this.heard = new Map(); // id of a telemetry channel in the worker -> peer
    this.nextId = 1;
    this.clockFloorMs = null; // worker clock - page clock
  }

  // Resolves when the worker runs; without one the page itself keeps the time (slower when hidden, never silent).
  start() {
    return new Promise((resolve) => {
      const worker = new Worker(new URL("./control-worker.js", import.meta.url), { type: "module" });
      worker.onerror = () => {
        if (this.worker) return;
        setInterval(() => this.onPulse(), COMMAND_PERIOD_MS);
        resolve(false);
      };
      worker.onmessage = ({ data }) => {
        if (data.kind !== "ready") {
          this.#received(data);
          return;
        }
        this.worker = worker;
        worker.postMessage({ kind: "pulse", on: true });
        resolve(true);
      };
    });
  }

  // Takes a fresh command channel: transferable only before this turn of the event loop ends.
  take(channel, peer) {
    const id = this.nextId++;
    try {
      this.worker.postMessage({ kind: "channel", id, channel }, [channel]);
      this.ids.set(peer, id);
    } catch {
      this.relayed.set(peer, channel);
    }
  }

  // Takes a fresh telemetry channel: its messages come by peer.received(). False: the page has to listen itself.
  listen(channel, peer) {
    for (const [id, old] of this.heard) if (old.closed) this.heard.delete(id);
    const id = this.nextId++;
    try {
      this.worker.postMessage({ kind: "listen", id, channel }, [channel]);
      this.heard.set(id, peer);
      return true;
    } catch {
      return false; // no worker, or a browser that cannot hand channels over
    }
  }

  // ms on the worker's clock now, as well as the page can know it; null before the worker's first word.
  workerNow() {
    return this.clockFloorMs === null ? null : performance.now() + this.clockFloorMs;
  }

  // This peer's channel is the one that counts from now on.
  use(peer) {
    if (this.ids.has(peer)) {
      this.relay = null;
      this.worker.postMessage({ kind: "use", id: this.ids.get(peer) });
    } else if (this.relayed.has(peer)) {
      const channel = this.relayed.get(peer);
      channel.bufferedAmountLowThreshold = 0;
      this.relay = new NewestWins(channel);
      channel.onbufferedamountlow = () => this.relay?.drain();
      this.worker?.postMessage({ kind: "relay" });
    }
    this.ids.clear();
    this.relayed.clear();
  }

  post() {
    this.worker?.postMessage({ kind: "input", snapshot: { page_ms: performance.now(), ...this.snapshot() } });
  }

  #received(data) {
    if (data.kind === "pulse") {
      this.relay?.drain();
      this.onPulse();
    } else if (data.kind === "heard") this.heard.get(data.id)?.received(data.bytes, data.at_ms);
    else if (data.kind === "bytes") this.relay?.offer(data.bytes);
    else if (data.kind === "stats") {
      this.clockFloorMs = data.clock_floor_ms;
      this.onStats(this.relay ? { ...data, sent: this.relay.sent, superseded: this.relay.superseded } : data);
    }
  }
}
