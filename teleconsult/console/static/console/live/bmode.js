// The ultrasound picture: live video, or the lossless frame while frozen; how old it is; depth scale and marker.
import { say } from "../dom.js";
import { t } from "../texts.js";
import { DISPLAY_AGE_MAX_MS } from "./limits.js";
import { frameIdOf } from "./wire.js";

const FRAME_MS = 1000 / 30;
const SANE_FRAMES = 3000; // farther apart than this, the stream's clock is not the robot's
export const READ_MS = 250; // numbers that change faster are not read
const MAJOR_MM = 50;
const MINOR_MM = 10;

export class Picture {
  // nodes: {view, video, still, overlay, age, frozenBanner, waiting}
  constructor(nodes, { now = () => performance.now() } = {}) {
    Object.assign(this, nodes);
    this.now = now;
    this.context = this.overlay.getContext("2d");
    this.presentedAt = -Infinity;
    this.frameId = 0; // of the picture on the screen
    this.lagMs = 0;
    this.newestFrameId = 0;
    this.geometry = null; // {width, height, region, mm_per_px_x, mm_per_px_y}
    this.frozen = null; // the `frozen` message once its picture is shown
    this.draws = []; // more to draw: (context, box) => void
    this.video.muted = true;
    this.still.addEventListener("load", () => this.#stillShown());
    this.still.addEventListener("error", () => {
      if (this.pendingFrozen) this.frozenBanner.lastElementChild.textContent = t("live.image.no_frame");
    });
    new ResizeObserver(() => this.redraw()).observe(this.view);
    this.#frames();
  }

  setStream(stream) {
    this.video.srcObject = stream;
    this.video.play().catch(() => {}); // muted video always may
  }

  #frames() {
    const shown = (_, metadata) => {
      const at = this.now();
      const first = this.presentedAt === -Infinity;
      this.presentedAt = at;
      this.frameId = this.#idOf(metadata.rtpTimestamp);
      this.lagMs = Math.max(0, this.newestFrameId - this.frameId) * FRAME_MS;
      if (first || this.video.videoWidth !== this.shownWidth) {
        this.shownWidth = this.video.videoWidth;
        this.waiting.hidden = true;
        this.redraw();
      }
      this.video.requestVideoFrameCallback(shown);
    };
    this.video.requestVideoFrameCallback(shown);
  }

  #idOf(rtpTimestamp) {
    if (rtpTimestamp === undefined) return this.newestFrameId;
    const id = frameIdOf(rtpTimestamp, this.newestFrameId);
    return id >= 0 && Math.abs(this.newestFrameId - id) < SANE_FRAMES ? id : this.newestFrameId;
  }

  telemetry(telemetry) {
    this.newestFrameId = telemetry.frame_id;
  }

  // ms between the probe's echo and the eye: since it was shown, behind the robot's newest, half a round trip
  ageMs(rttMs) {
    return this.now() - this.presentedAt + this.lagMs + (rttMs ?? 0) / 2;
  }

  fresh(rttMs) {
    return this.ageMs(rttMs) <= DISPLAY_AGE_MAX_MS;
  }

  showAge(rttMs) {
    const age = this.ageMs(rttMs);
    this.age.hidden = !Number.isFinite(age);
    if (!Number.isFinite(age)) return;
    const late = age > DISPLAY_AGE_MAX_MS && !this.frozen && !this.frozenWord; // a frozen picture does not age
    if (late === this.saidLate && this.now() < this.sayAgainAt) return; // a word at once, numbers as fast as one reads
    this.saidLate = late;
    this.sayAgainAt = this.now() + READ_MS;
    this.age.dataset.late = late;
    say(this.age, late ? `${t("live.image.stale")} · ${Math.round(age)} ms` : t("live.image.age", { ms: Math.round(age) }));
    this.view.dataset.late = late;
  }

  // `on`: the robot reports FROZEN. The word is there at once, the lossless frame when it has arrived.
  setFrozenState(on) {
    this.frozenWord = on;
    this.frozenBanner.hidden = !on;
    this.view.dataset.frozen = on;
    if (!on) this.showLive();
    else if (!this.frozen) this.frozenBanner.lastElementChild.textContent = t("live.image.fetching");
  }

  // Another picture was scrolled to: the video shows it, the lossless one is on its way.
  fetching() {
    this.showLive();
    this.frozenBanner.lastElementChild.textContent = t("live.image.fetching");
  }

  showFrozen(message) {
    this.pendingFrozen = message;
    this.still.src = message.url;
  }

  #stillShown() {
    if (!this.pendingFrozen) return;
    this.frozen = this.pendingFrozen;
    this.still.hidden = false;
    this.video.classList.add("behind");
    this.frozenBanner.lastElementChild.textContent = t("live.image.lossless");
    this.onFrozen?.(this.frozen);
    this.redraw();
  }

  showLive() {
    this.pendingFrozen = null;
    if (this.frozen) this.onFrozen?.(null);
    this.frozen = null;
    this.still.hidden = true;
    this.video.classList.remove("behind");
    this.redraw();
  }

  // Where the picture's pixels are on the view: {left, top, scale, width, height} in CSS pixels.
  box() {
    const natural = this.frozen ? [this.frozen.width, this.frozen.height] : [this.video.videoWidth, this.video.videoHeight];
    const [width, height] = natural[0] ? natural : [this.geometry?.width ?? 4, this.geometry?.height ?? 3];
    const scale = Math.min(this.view.clientWidth / width, this.view.clientHeight / height);
    return {
      scale, width: width * scale, height: height * scale,
      left: (this.view.clientWidth - width * scale) / 2, top: (this.view.clientHeight - height * scale) / 2,
    };
  }

  redraw() {
    const ratio = devicePixelRatio || 1;
    const { overlay, context: c } = this;
    overlay.width = this.view.clientWidth * ratio;
    overlay.height = this.view.clientHeight * ratio;
    c.setTransform(ratio, 0, 0, ratio, 0, 0);
    const box = this.box();
    const geometry = this.frozen ?? this.geometry;
    if (geometry && (this.frozen || this.presentedAt > 0)) this.#depthScale(box, geometry);
    for (const draw of this.draws) draw(c, box);
  }

  // Depth is counted on the middle line: its deepest point is the region's last row.
  #depthScale(box, { region, mm_per_px_y: mmPerPx, depth_mm: depth }) {
    if (!region || !mmPerPx) return;
    const c = this.context;
    const [x0, top, , y1] = region;
    const y0 = depth ? y1 - depth / mmPerPx : top;
    const x = Math.max(4, box.left + x0 * box.scale);
    c.strokeStyle = c.fillStyle = "#b9d3de";
    c.font = "12px system-ui, sans-serif";
    c.textAlign = "left";
    for (let mm = 0; mm <= (y1 - y0) * mmPerPx; mm += MINOR_MM) {
      const y = box.top + (y0 + mm / mmPerPx) * box.scale;
      const major = mm % MAJOR_MM === 0;
      c.beginPath();
      c.moveTo(x, y);
      c.lineTo(x + (major ? 10 : 5), y);
      c.stroke();
      if (major && mm > 0) c.fillText(`${mm / 10} cm`, x + 14, y + 4);
    }
    c.fillStyle = "#f2c14e";
    c.beginPath();
    c.arc(x + 30, box.top + top * box.scale + 8, 6, 0, 7); // marker side
    c.fill();
  }
}
