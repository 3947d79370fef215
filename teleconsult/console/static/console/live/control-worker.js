// Worker of both pages: timers that a busy or throttled page does not slow, and the console's 50 Hz command loop.
//   page -> worker: {kind: "channel", id, channel} (a transferred RTCDataChannel), later {kind: "use", id} for the one
//                   that counts | {kind: "listen", id, channel} (telemetry, passed on with its time) | {kind: "relay"}
//                   (send through the page) | {kind: "input", snapshot} | {kind: "pulse", on}
//   worker -> page: {kind: "ready"} | {kind: "bytes", bytes} | {kind: "heard", id, bytes, at_ms} | {kind: "pulse"} every
//                   20 ms | {kind: "stats", ...}
import { CommandLoop, NewestWins } from "./command-loop.js";
import { COMMAND_PERIOD_MS } from "./limits.js";

const CLOSED = { readyState: "closed", bufferedAmount: 0, send() {} };
let out = new NewestWins(CLOSED);
const loop = new CommandLoop({ offer: (bytes) => out.offer(bytes) });
let pulsing = false;
let ticks = 0;

const channels = new Map(); // a new connection is made before the old one is let go

function useChannel(id) {
  const channel = channels.get(id);
  if (!channel) return;
  channels.clear();
  channels.set(id, channel);
  channel.bufferedAmountLowThreshold = 0;
  channel.onbufferedamountlow = () => out.drain();
  out = carryOver(new NewestWins(channel));
}

const heard = new Set(); // a channel that nobody refers to may be collected

function listen(id, channel) {
  heard.add(channel);
  channel.binaryType = "arraybuffer";
  channel.onmessage = ({ data }) => postMessage({ kind: "heard", id, bytes: data, at_ms: performance.now() }, [data]);
  channel.onclose = () => heard.delete(channel);
}

function useRelay() {
  out = carryOver({ sent: 0, superseded: 0, offer: (bytes) => postMessage({ kind: "bytes", bytes }, [bytes]), drain() {} });
}

// Counters belong to the exam, not to one connection.
function carryOver(next) {
  next.sent = out.sent;
  next.superseded = out.superseded;
  return next;
}

const handlers = {
  channel: (message) => channels.set(message.id, message.channel),
  use: (message) => useChannel(message.id),
  listen: (message) => listen(message.id, message.channel),
  relay: useRelay,
  input: (message) => loop.input(message.snapshot, performance.now()),
  pulse: (message) => { pulsing = message.on; },
};
onmessage = ({ data }) => handlers[data.kind]?.(data);

setInterval(() => {
  out.drain();
  loop.tick(performance.now());
  if (pulsing) postMessage({ kind: "pulse" });
  ticks += 1;
  if (ticks % 25 === 0) {
    postMessage({
      kind: "stats", sent: out.sent, superseded: out.superseded, stale: loop.staleDrops,
      clock_floor_ms: Number.isFinite(loop.snapshotAge.floorMs) ? loop.snapshotAge.floorMs : null,
    });
  }
}, COMMAND_PERIOD_MS);
postMessage({ kind: "ready" });
