// Whose control it is: the server renews it every second and says so; without that word it runs out here as well.
export class Lease {
  constructor(now = () => performance.now()) {
    this.now = now;
    this.epoch = 0;
    this.expiresAt = -Infinity;
    this.live = false;
  }

  // `lease` message: {epoch, serial, live, expires_in_ms}
  renewed({ epoch, live, expires_in_ms: expiresInMs }) {
    this.epoch = epoch;
    this.live = live;
    this.expiresAt = this.now() + expiresInMs;
  }

  lost() {
    this.epoch = 0;
    this.expiresAt = -Infinity;
    this.live = false;
  }

  get mine() {
    return this.epoch > 0 && this.now() < this.expiresAt;
  }
}
