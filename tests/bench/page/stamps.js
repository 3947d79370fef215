// Loaded before a page's own scripts: reads the capture time out of each picture that #video presents and notes when it
// was presented. benchPictures() -> {shown: [[presented ms since the epoch, stamp ms], ...], stats} since the last call.
(() => {
  const [BITS, CELL, LEFT, TOP] = [22, 16, 128, 452]; // tests/bench/stamped.py
  let shown = [];
  const canvas = new OffscreenCanvas(BITS * CELL, CELL);
  const context = canvas.getContext("2d", { willReadFrequently: true });
  const connections = [];
  const Made = globalThis.RTCPeerConnection;
  globalThis.RTCPeerConnection = class extends Made {
    constructor(...given) { super(...given); connections.push(this); }
  };

  function read(video) {
    context.drawImage(video, LEFT, TOP, BITS * CELL, CELL, 0, 0, BITS * CELL, CELL);
    const { data } = context.getImageData(0, CELL / 2, BITS * CELL, 1);
    let value = 0;
    for (let bit = 0; bit < BITS; bit += 1) value = value * 2 + (data[(bit * CELL + CELL / 2) * 4] > 127 ? 1 : 0);
    return value;
  }

  function watch(video) {
    const each = (_, metadata) => {
      shown.push([performance.timeOrigin + metadata.presentationTime, read(video)]);
      video.requestVideoFrameCallback(each);
    };
    video.requestVideoFrameCallback(each);
  }
  document.addEventListener("DOMContentLoaded", () => {
    const video = document.getElementById("video");
    if (video) watch(video);
  });

  // The picture as large as on the stock page and nothing drawn beside it. By the style object: the page's policy
  // allows no style sheet of ours.
  globalThis.benchPictureOnly = () => {
    const video = document.getElementById("video");
    for (let node = video; node !== document.body; node = node.parentElement) {
      for (const other of node.parentElement.children) if (other !== node) other.style.display = "none";
    }
    const at = { position: "fixed", left: "0", top: "0", width: "960px", height: "720px", objectFit: "fill" };
    for (const [name, value] of Object.entries(at)) video.style[name] = value;
  };

  globalThis.benchPictures = async () => {
    const stats = [];
    for (const made of connections) {
      if (made.connectionState !== "connected") continue;
      for (const row of (await made.getStats()).values()) {
        if (row.type === "inbound-rtp" && row.kind === "video") stats.push(row);
        if (row.type === "codec") stats.push(row);
      }
    }
    const found = { shown, stats, at_ms: performance.timeOrigin + performance.now(), date_ms: Date.now() };
    shown = [];
    return found;
  };
})();
