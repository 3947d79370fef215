// How late the other end is: round trip from the telemetry's echo, else from the connection's own checks; and the
// link's quality over the last ten seconds, for the gate "link good enough".
const WINDOW_MS = 10_000;

export function percentile(values, share) {
  if (!values.length) return null;
  const sorted = [...values].sort((a, b) => a - b);
  return sorted[Math.min(sorted.length - 1, Math.ceil(share * sorted.length) - 1)];
}

export class Delay {
  constructor(now = () => performance.now()) {
    this.now = now;
    this.echoes = []; // [at, rtt ms]
    this.checks = []; // [at, rtt ms] from the connection's own consent checks
    this.inbound = []; // [at, {received, lost, jitterMs, fps}]
    this.relay = null;
  }

  // atWorkerMs: its arrival on the clock that stamped the command, the worker's; null while that is unknown
  telemetry(telemetry, atWorkerMs) {
    if (telemetry.echo_t_client_us === 0n || atWorkerMs === null) return;
    if (telemetry.echo_t_client_us === this.lastEcho) return; // idle telemetry repeats the same echo
    this.lastEcho = telemetry.echo_t_client_us;
    const rtt = atWorkerMs - Number(telemetry.echo_t_client_us) / 1000 - telemetry.echo_hold_us / 1000;
    if (rtt >= 0 && rtt < 60_000) this.#keep(this.echoes, rtt);
  }

  async poll(pc) {
    const rows = [...(await pc.getStats()).values()];
    const transport = rows.find((row) => row.type === "transport");
    const pair = rows.find((row) => row.id === transport?.selectedCandidatePairId) ??
      rows.find((row) => row.type === "candidate-pair" && row.nominated);
    if (pair?.currentRoundTripTime !== undefined) this.#keep(this.checks, pair.currentRoundTripTime * 1000);
    this.relay = pair ? rows.find((row) => row.id === pair.localCandidateId)?.candidateType === "relay" : null;
    const video = rows.find((row) => row.type === "inbound-rtp" && row.kind === "video");
    if (!video) return;
    this.codec = rows.find((row) => row.id === video.codecId)?.mimeType ?? null;
    this.#keep(this.inbound, {
      received: video.packetsReceived ?? 0, lost: video.packetsLost ?? 0,
      jitterMs: (video.jitter ?? 0) * 1000, frames: video.framesDecoded ?? 0,
    });
  }

  #keep(list, value) {
    const at = this.now();
    list.push([at, value]);
    while (list.length && at - list[0][0] > WINDOW_MS) list.shift();
  }

  get rtts() {
    const recent = this.#newest(WINDOW_MS);
    return recent.length >= 5 ? recent : this.checks.map(([, rtt]) => rtt);
  }

  // Round trips of the last `ms`: asked with every command, so only these are looked at.
  #newest(ms) {
    const from = this.now() - ms;
    let first = this.echoes.length;
    while (first > 0 && this.echoes[first - 1][0] > from) first -= 1;
    return this.echoes.slice(first).map(([, rtt]) => rtt);
  }

  // ms, newest second; null when nothing was measured
  get rttMs() {
    return percentile(this.#newest(1000), 0.5) ?? this.checks.at(-1)?.[1] ?? null;
  }

  get fps() {
    return this.#span()?.fps ?? null;
  }

  #span() {
    if (this.inbound.length < 2) return null;
    const [[from, first], [to, last]] = [this.inbound[0], this.inbound.at(-1)];
    const seconds = (to - from) / 1000;
    const received = Math.max(0, last.received - first.received);
    const lost = Math.max(0, last.lost - first.lost);
    return {
      seconds, fps: Math.max(0, last.frames - first.frames) / seconds,
      lossPct: received + lost ? (100 * lost) / (received + lost) : 0,
      jitterMs: this.inbound.reduce((sum, [, row]) => sum + row.jitterMs, 0) / this.inbound.length,
    };
  }

  // The `quality` message, or null while too little is known.
  quality() {
    const span = this.#span();
    const rtts = this.rtts;
    if (!span || !rtts.length) return null;
    const round = (value) => Math.round(value * 10) / 10;
    return {
      type: "quality", rtt_p50_ms: round(percentile(rtts, 0.5)), rtt_p95_ms: round(percentile(rtts, 0.95)),
      loss_pct: round(span.lossPct), jitter_ms: round(span.jitterMs), fps: round(span.fps), seconds: round(span.seconds),
    };
  }
}
