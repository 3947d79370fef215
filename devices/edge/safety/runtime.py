"""The 500 Hz loop: datagrams in, one decision, one servo out. Nothing here waits for anybody."""

from __future__ import annotations

import json
import logging
import socket
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, ClassVar

from devices.drivers.base import Arm, ArmState, ArmTimeout, DriverError
from devices.edge.recorder.hook import Hook
from devices.edge.safety import control, port
from devices.edge.safety.core import SafetyCore
from devices.edge.safety.cycle import Output
from devices.edge.safety.lateness import Lateness
from devices.edge.safety.report import probe, telemetry
from devices.edge.safety.self_test import SelfTest
from devices.wire.codec import pack_telemetry
from devices.wire.limits import LIFT_MM, SAFETY_HZ, TELEMETRY_IDLE_HZ
from devices.wire.tokens import TokenError

log = logging.getLogger("edge.safety")
PERIOD_S = 1.0 / SAFETY_HZ
RECONNECT_S = 1.0  # between two tries to reach a lost arm; design value
EVENT_AGAIN_S = 0.5  # until the link confirms an event; design value
EVENTS_KEPT = 500
STALL_S = 0.02  # ten cycles late is a stall; design value
AFTER_STALL_S = 0.2  # old arm states are forgiven for this long after one; design value
CYCLE_REPORT_S = 10.0  # how often the link is told how late the cycles began; design value
DATAGRAMS_PER_CYCLE = 64  # a flood must not stretch the cycle


class Runtime:
    """Owns the sockets, the driver and the clock."""

    def __init__(self, *, core: SafetyCore, arm: Arm, runtime_dir: Path, hook: Hook | None = None) -> None:
        self.core, self.arm, self._hook = core, arm, hook or Hook()
        self._link_path = runtime_dir / port.LINK_SOCKET
        self._sock = self._hook.bind(runtime_dir / port.SAFETY_SOCKET)
        self._probe_path = runtime_dir / port.PROBE_SOCKET
        # A socket of its own: what imaging is told decides nothing and is no part of a recording.
        self._probe_sock = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self._probe_sock.setblocking(False)
        self._running = True
        self._connected = False
        self._retry_at_s = 0.0
        self._tel_seq = self._event_serial = self._uploads = self._next_event = 0
        self._tel_at_s = 0.0
        self._answer_now = False
        self._cycle_at_s = self._hook.started_s()
        self._stalled_at_s = float("-inf")
        self._unconfirmed: dict[int, tuple[float, dict[str, Any]]] = {}
        self._test: tuple[SelfTest, Any] | None = None
        self.overruns = 0
        self.lateness = Lateness()
        self.scheduling = "normal"
        self._lateness_at_s = self._cycle_at_s

    def stop(self) -> None:
        """End the loop after this cycle."""
        self._running = False

    def run(self) -> None:
        """Loop until ``stop``; the arm is brought to rest before returning."""
        due_s = last_s = time.monotonic()
        while self._running:
            now_s = time.monotonic()
            self.lateness.note(now_s - due_s)
            if now_s - due_s > PERIOD_S:
                due_s = now_s  # a missed cycle is not made up for
            self.cycle(now_s=now_s, dt_s=min(0.02, max(1e-4, now_s - last_s)))
            last_s = now_s
            due_s += PERIOD_S
            wait_s = due_s - time.monotonic()
            if wait_s > 0:
                time.sleep(wait_s)
            else:
                self.overruns += 1
        self._close()

    def cycle(self, *, now_s: float, dt_s: float) -> None:
        """One cycle at monotonic time ``now_s``."""
        if now_s - self._cycle_at_s > STALL_S:
            self._stalled_at_s = now_s
        self._cycle_at_s = now_s
        self._hook.cycle(now_s, dt_s)
        self._receive(now_s)
        state = self._arm_state(now_s)
        out = self.core.tick(now_ms=now_s * 1000.0, dt_s=dt_s, arm=state)
        self._hook.output(out)
        self._act(out, now_s, dt_s)
        self._report(now_s)

    # --- arm ------------------------------------------------------------------------------------

    def _arm_state(self, now_s: float) -> ArmState | None:
        if not self._connected:
            self._connect(now_s)
        if not self._connected:
            return None
        try:
            return self.arm.state()
        except ArmTimeout as error:
            # After a stall of our own the socket holds old states first; the arm rested meanwhile.
            if now_s - self._stalled_at_s > AFTER_STALL_S:
                self._failed(error, now_s)
            return None
        except DriverError as error:
            self._failed(error, now_s)
            return None

    def _connect(self, now_s: float) -> None:
        if now_s < self._retry_at_s:
            return
        self._retry_at_s = now_s + RECONNECT_S
        try:
            self.arm.connect(timeout_s=0.5)
            self.arm.enable()
        except DriverError as error:
            log.warning("arm not there: %s", error)
            return
        self._connected = True
        log.info("arm connected")

    def _failed(self, error: DriverError, now_s: float) -> None:
        log.error("driver: %s: %s", type(error).__name__, error)
        self.core.fault(f"{type(error).__name__}: {error}"[:200])
        self._connected = False
        self._retry_at_s = now_s + RECONNECT_S

    def _act(self, out: Output, now_s: float, dt_s: float) -> None:
        try:
            for name, _argument in out.calls:
                self._call(name, _argument)
            if not self._connected or out.silent:
                return
            if out.stop:
                self.arm.stop()
            else:
                self.arm.servo(out.twist, out.force_set_n, dt_s)
        except DriverError as error:
            self._failed(error, now_s)

    def _call(self, name: str, argument: Any) -> None:
        calls: dict[str, Callable[[], None]] = {
            "enable": self.arm.enable,
            "lift": lambda: self.arm.lift(LIFT_MM),
            "hand_guide": lambda: self.arm.hand_guide(bool(argument)),
            "patient_told": lambda: self._patient_told(str(argument)),
        }
        calls[name]()

    def _patient_told(self, key: str) -> None:
        if self._connected:  # words are no reason to call an arm that is away at fault
            self.arm.patient_told(key)

    # --- link -----------------------------------------------------------------------------------

    def _receive(self, now_s: float) -> None:
        for _ in range(DATAGRAMS_PER_CYCLE):
            try:
                data = self._sock.recv(port.MAX_DATAGRAM)
            except BlockingIOError:
                return
            except OSError:
                continue
            if len(data) < 2:
                continue
            if data[0] == port.COMMAND:
                self.core.on_command(data[1], data[2:], now_ms=now_s * 1000.0)
                self._answer_now = True
            elif data[0] == port.ESTOP:
                self.core.on_estop(data[1], data[2:], now_ms=now_s * 1000.0)
            else:
                self._on_json(data, now_s)

    def _on_json(self, data: bytes, now_s: float) -> None:
        try:
            message = json.loads(data)
            handler = self._handlers[message["type"]]
            handler(self, message, now_s)
        except TokenError as error:
            log.warning("token refused: %s", error)
            self._send({"type": "token_refused", "code": error.code, "slot": message.get("slot")})
        except (ValueError, KeyError, TypeError, AttributeError) as error:
            log.warning("unreadable message of the link: %r", error)

    def _on_beat(self, message: dict[str, Any], now_s: float) -> None:
        self.core.silence.beat(now_s * 1000.0)
        self._event_serial, self._uploads = int(message["serial"]), int(message["uploads"])

    def _on_frame(self, message: dict[str, Any], now_s: float) -> None:
        self.core.on_picture(
            int(message["id"]),
            taken_ms=float(message["taken_ms"]),
            frozen=bool(message.get("frozen")),  # older recordings have none
            now_ms=now_s * 1000.0,
        )

    def _on_freeze_refused(self, message: dict[str, Any], now_s: float) -> None:
        self.core.freeze.forget()

    def _on_peer(self, message: dict[str, Any], now_s: float) -> None:
        if not message["up"]:
            self.core.peers.down(message["slot"])
            return
        self.core.peers.up(
            message["slot"],
            token=message["token"],
            fingerprint=message["fp"],
            now_s=self._server_now_ms(message, now_s) / 1000.0,
        )
        self._send({"type": "peer_ok", "slot": message["slot"]})

    def _server_now_ms(self, message: dict[str, Any], now_s: float) -> float:
        offset_ms = message.get("offset_ms")
        return self._hook.wall_ms() if offset_ms is None else now_s * 1000.0 + float(offset_ms)

    def _on_lease(self, message: dict[str, Any], now_s: float) -> None:
        change = self.core.on_lease(
            message["token"], now_ms=now_s * 1000.0, server_offset_ms=message.get("offset_ms")
        )
        log.debug("lease %s", change.name)

    def _on_revoke(self, message: dict[str, Any], now_s: float) -> None:
        self.core.on_revoke(epoch=int(message["epoch"]), code=str(message["code"]))

    def _on_ctl(self, message: dict[str, Any], now_s: float) -> None:
        ack = control.answer(self.core, message["slot"], message["text"], now_ms=now_s * 1000.0)
        self._send({"type": "ack", "ref": message["ref"], "ack": ack})

    def _on_self_test(self, message: dict[str, Any], now_s: float) -> None:
        test = self.core.begin_self_test()
        if test is None:
            checks = [{"code": "state", "ok": False, "value": float(self.core.state), "unit": "state"}]
            self._send({"type": "self_test", "ref": message["ref"], "checks": checks})
            return
        self._test = (test, message["ref"])

    def _on_confirmed(self, message: dict[str, Any], now_s: float) -> None:
        self._unconfirmed.pop(int(message["n"]), None)

    _handlers: ClassVar[dict[str, Callable[[Runtime, dict[str, Any], float], None]]] = {
        "beat": _on_beat,
        "frame": _on_frame,
        "freeze_refused": _on_freeze_refused,
        "peer": _on_peer,
        "lease": _on_lease,
        "revoke": _on_revoke,
        "ctl": _on_ctl,
        "self_test": _on_self_test,
        "event_ok": _on_confirmed,
    }

    # --- reports --------------------------------------------------------------------------------

    def _report(self, now_s: float) -> None:
        if self._test is not None and self.core.move is not self._test[0]:
            test, ref = self._test
            self._test = None
            self._send({"type": "self_test", "ref": ref, "checks": [check.row() for check in test.checks]})
        if self._answer_now or now_s - self._tel_at_s >= 1.0 / TELEMETRY_IDLE_HZ:
            self._answer_now, self._tel_at_s = False, now_s
            self._tel_seq += 1
            message = telemetry(
                self.core,
                tel_seq=self._tel_seq,
                now_ms=now_s * 1000.0,
                event_serial=self._event_serial,
                uploads_pending=self._uploads,
            )
            port.send(self._sock, self._link_path, pack_telemetry(message))
            where = probe(self.core)
            if where is not None:
                port.send(self._probe_sock, self._probe_path, port.pack_json(where))
        self._send_events(now_s)
        if now_s - self._lateness_at_s >= CYCLE_REPORT_S:
            self._lateness_at_s = now_s
            self._send(self._cycle_report())

    def _cycle_report(self) -> dict[str, Any]:
        figures = {"overruns": self.overruns, "scheduling": self.scheduling, **self.lateness.take()}
        return {"type": "cycle", "figures": figures}

    def _send_events(self, now_s: float) -> None:
        for event in self.core.events:
            self._next_event += 1
            body = {"type": "event", "n": self._next_event, "at_us": int(now_s * 1e6), **event}
            self._unconfirmed[self._next_event] = (0.0, body)
        self.core.events.clear()
        while len(self._unconfirmed) > EVENTS_KEPT:
            self._unconfirmed.pop(next(iter(self._unconfirmed)))
        for number, (sent_s, body) in self._unconfirmed.items():
            if now_s - sent_s > EVENT_AGAIN_S:
                self._send(body)
                self._unconfirmed[number] = (now_s, body)

    def _send(self, message: dict[str, Any]) -> None:
        port.send(self._sock, self._link_path, port.pack_json(message))

    def _close(self) -> None:
        try:
            if self._connected:
                self.arm.stop()
        except DriverError as error:
            log.error("stop at the end: %s", error)
        self.arm.close()
        self._sock.close()
        self._probe_sock.close()
        self._hook.close()
