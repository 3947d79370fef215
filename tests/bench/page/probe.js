// Loaded before a page's own scripts and in front of its control worker's: notes when each command leaves and when each
// answer arrives, and changes nothing. Times are ms on the clock that page and worker share (timeOrigin + now).
(() => {
  if (typeof RTCDataChannel === "undefined") return;
  const inPage = typeof window !== "undefined";
  const [COMMAND_BYTES, TELEMETRY_BYTES] = [64, 128];
  const now = () => performance.timeOrigin + performance.now();
  let commands = []; // [seq, ms]
  let answers = []; // [ms, applied seq, last seq, safety state, hold us]; an echo says applied and moving by itself
  const wire = new BroadcastChannel("bench-probe");

  const send = RTCDataChannel.prototype.send;
  RTCDataChannel.prototype.send = function probed(data) {
    if (data.byteLength === COMMAND_BYTES) {
      const view = new DataView(data.buffer ?? data, data.byteOffset ?? 0);
      commands.push([view.getUint32(8, true), now()]);
    }
    return send.call(this, data);
  };

  function received({ data }) {
    const at = now();
    const view = new DataView(data);
    if (data.byteLength === TELEMETRY_BYTES) {
      answers.push([at, view.getUint32(16, true), view.getUint32(12, true), view.getUint8(40), view.getUint32(36, true)]);
    } else if (data.byteLength === COMMAND_BYTES) {
      const seq = view.getUint32(8, true);
      answers.push([at, seq, seq, 3, 0]);
    }
  }

  if (!inPage) {
    // A channel handed over to the worker: its answers arrive there.
    addEventListener("message", ({ data }) => {
      if (data.kind === "listen") data.channel.addEventListener("message", received);
    });
    wire.onmessage = ({ data }) => {
      if (data.ask !== "take") return;
      wire.postMessage({ taken: commands, heard: answers, at: now() });
      commands = [];
      answers = [];
    };
    return;
  }

  const make = RTCPeerConnection.prototype.createDataChannel;
  RTCPeerConnection.prototype.createDataChannel = function probed(label, options) {
    const channel = make.call(this, label, options);
    if (label === "tel") channel.addEventListener("message", received);
    return channel;
  };

  // {commands, answers, at_ms, offset_ms, asking_ms}: everything since the last call; offset_ms is how far the worker's
  // clock seems ahead.
  globalThis.benchTake = () => new Promise((resolve) => {
    const asked = now();
    wire.onmessage = ({ data }) => {
      if (!data.taken) return;
      const found = {
        commands: [...commands, ...data.taken].sort((a, b) => a[0] - b[0]), answers: [...answers, ...data.heard],
        at_ms: asked, offset_ms: data.at - (asked + now()) / 2, asking_ms: now() - asked,
      };
      commands = [];
      answers = [];
      resolve(found);
    };
    wire.postMessage({ ask: "take" });
  });
})();
