// What both pages share: the socket to the server, the link to the robot, stop and presence, the worker's pulse.
// Server and robot are two separate things here: losing one leaves the other alone.
import { Control } from "./control.js";
import { Delay } from "./delay.js";
import { TELEMETRY_SILENT_MS } from "./limits.js";
import { RobotLink } from "./peer.js";
import { Signalling } from "./signalling.js";
import { Stop } from "./stop.js";

const CHECK_MS = 500;

export class Session {
  // on: {message(m), server(state), telemetry(t), ctl(m), stream(s), linked(bool), refused(title), stop(view), stats(s)}
  constructor({ config, snapshot, on }) {
    this.config = config;
    this.on = on;
    this.telemetry = null;
    this.linked = false;
    this.delay = new Delay();
    this.peerId = null;
    this.stop = new Stop({ send: (bytes) => this.link.sendEstop(bytes), onChange: on.stop });
    this.control = new Control({ snapshot, onPulse: () => this.stop.pulse(), onStats: on.stats ?? (() => {}) });
    this.link = new RobotLink({
      role: config.role,
      send: (message) => this.signalling.send(message),
      giveCmd: (channel, peer) => this.control.take(channel, peer),
      giveTel: (channel, peer) => this.control.listen(channel, peer),
      on: {
        telemetry: (telemetry, atWorkerMs) => this.#telemetry(telemetry, atWorkerMs),
        ctl: on.ctl,
        stream: on.stream,
        using: (peer) => this.control.use(peer),
        refused: (code, title) => on.refused(code, title),
      },
    });
    this.signalling = new Signalling({
      address: config.ws,
      on: (message) => this.#message(message),
      onState: on.server,
    });
  }

  async start() {
    await this.control.start();
    this.signalling.start();
    setInterval(() => this.#check(), CHECK_MS);
    setInterval(() => this.#poll(), 1000);
  }

  // A request on the reliable channel -> what was done; throws CtlError.
  request(type, fields) {
    return this.link.request(type, fields);
  }

  #message(message) {
    const handlers = {
      welcome: () => {
        this.peerId = message.peer_id;
        // The console's lease is bound to the newest page's connection; the bedside keeps a connection that lives.
        this.link.welcomed({ ice_servers: message.ice_servers, renew: this.config.role === "console" });
      },
      peer_answer: () => this.link.answered(message.sdp),
      peer_refused: () => this.link.refused(message.code, message.title),
    };
    handlers[message.type]?.();
    this.on.message(message);
  }

  #telemetry(telemetry, atWorkerMs) {
    this.telemetry = telemetry;
    // It echoes the console's command to both pages; only the console's own clock can tell how long that took.
    const commands = this.config.role === "console";
    this.delay.telemetry(telemetry, commands ? atWorkerMs ?? this.control.workerNow() : null);
    this.stop.telemetry(telemetry);
    this.#linked(true);
    this.on.telemetry(telemetry);
  }

  #check() {
    if (this.link.silentMs > TELEMETRY_SILENT_MS) this.#linked(false);
    if (this.signalling.open) this.link.check();
  }

  #linked(on) {
    if (this.linked === on) return;
    this.linked = on;
    if (!on) {
      this.telemetry = null;
      this.stop.lost();
    }
    this.on.linked(on);
  }

  async #poll() {
    const peer = this.link.current;
    if (peer && !peer.closed) await this.delay.poll(peer.pc).catch(() => {});
  }
}
