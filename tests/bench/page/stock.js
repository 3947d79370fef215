// The page of the stock peer: our own connection, control worker and 50 Hz loop, a picture, and nothing else.
import { Control } from "/static/console/live/control.js";
import { COMMAND_PERIOD_MS } from "/static/console/live/limits.js";
import { RobotPeer } from "/static/console/live/peer.js";

const video = document.getElementById("video");
const STILL = { vx: 0, vy: 0, vz: 0, wx: 0, wy: 0, wz: 0 };
let sending = false;

const control = new Control({
  snapshot: () => ({
    sending, epoch: 1, deadman: true, force_control: true, force_setpoint_n: 5, mode: 0, twist: STILL,
    tel_seq_seen: 0, frame_id_seen: 0,
  }),
  onPulse() {}, onStats() {},
});
const peer = { made: null };

globalThis.bench = {
  async offer() {
    await control.start();
    peer.made = new RobotPeer({
      role: "console", iceServers: [], giveCmd: (channel, from) => control.take(channel, from),
      giveTel: (channel, from) => control.listen(channel, from),
      onTelemetry() {}, onCtl() {}, onClosed() {},
      onStream: (stream) => { video.srcObject = stream; video.play(); },
    });
    return peer.made.offer();
  },
  answer: (sdp) => peer.made.answer(sdp),
  open: () => peer.made.ctl.readyState === "open" && video.currentTime > 0.5,
  command() {
    control.use(peer.made);
    sending = true;
    setInterval(() => control.post(), COMMAND_PERIOD_MS);
  },
};
