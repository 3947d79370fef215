"""The safety core on a spring patient with its own clock: minutes of exam in milliseconds."""

from __future__ import annotations

import json
import time
from dataclasses import replace
from pathlib import Path
from typing import Any

from devices.drivers.base import Pose, Twist
from devices.edge.keys import KEYS_FILE, ServerKeys
from devices.edge.safety import control
from devices.edge.safety.core import SafetyCore
from devices.edge.safety.cycle import ArmFacts, Output
from devices.edge.safety.lease import EpochStore, Lease
from devices.edge.safety.peers import Peers
from devices.wire.codec import pack_command, pack_estop
from devices.wire.ctl import request
from devices.wire.messages import Command, CommandFlag, Estop, EstopFlag, Refusal, SafetyState, StopCause
from tests.edge.tokens import FP, ROBOT_ID, Hospital
from tests.edge.world import DOWN, SpringWorld

DT_S = 0.002
CONSOLE, BEDSIDE = 1, 2
SITES = {
    "right_upper_quadrant": Pose((0.0, 0.0, 20.0), DOWN),
    "park": Pose((150.0, 0.0, 120.0), DOWN),
}


class Bench:
    """Advance time with ``run``; a console that sends 50 Hz, a bedside that is present."""

    def __init__(self, folder: Path, *, world: SpringWorld | None = None) -> None:
        self.hospital = Hospital()
        (folder / KEYS_FILE).write_text(json.dumps(self.hospital.rows))
        decode = ServerKeys(folder / KEYS_FILE).claims
        lease = Lease(robot_id=ROBOT_ID, decode=decode, store=EpochStore(folder / "epoch.json"))
        box = ((-300.0, 300.0), (-300.0, 300.0), (-60.0, 300.0))
        facts = ArmFacts(stop_time_ms=100.0, watchdog_ms=100.0, workspace_mm=box, site_pose=SITES.get)
        self.core = SafetyCore(lease=lease, peers=Peers(robot_id=ROBOT_ID, decode=decode), facts=facts)
        self.world = world or SpringWorld()
        self.now_ms = self.world.time_s * 1000.0
        self.client_offset_ms = -90_000.0
        self.commanding = self.present = self.beating = True
        self.frames_flow = True
        self.pictures_frozen = False  # what imaging shows
        self.frame_lag = 3  # pictures between taken and seen: 100 ms
        self.wish = Command(lease_epoch=1, seq=0, t_client_us=0)
        self.refusals: list[Refusal] = []
        self.outputs: list[Output] = []
        self.seq = self.serial = self._cycle = 0
        self.epoch = 1
        for slot, role in ((CONSOLE, "console"), (BEDSIDE, "bedside")):
            self.core.peers.up(
                slot, token=self.hospital.peer(role=role, peer=role), fingerprint=FP, now_s=time.time()
            )

    def state(self) -> SafetyState:
        """The core's state now."""
        return self.core.state

    def cause(self) -> StopCause:
        """The core's newest cause."""
        return self.core.cause

    def refusal(self) -> Refusal:
        """Of the console's last command."""
        return self.refusals[-1]

    # --- what people do -------------------------------------------------------------------------

    def lease(self, *, epoch: int = 1, **changes: Any) -> None:
        """The server grants or renews; 100 ms of traffic follow so that pictures were seen."""
        self.serial += 1
        self.epoch = epoch
        token = self.hospital.lease(epoch=epoch, serial=self.serial, **{"peer": "console"} | changes)
        self.core.on_lease(token, now_ms=self.now_ms, server_offset_ms=time.time() * 1000.0 - self.now_ms)

    def ready(self) -> None:
        """Lease live, deadman open: PARK."""
        self.run(0.3)
        self.lease()
        self.run(0.2)
        assert self.core.state is SafetyState.PARK, self.core.state

    def press(self, **fields: Any) -> None:
        """Hold the deadman with these command fields from now on."""
        force = "force_setpoint_n" in fields
        flags = CommandFlag.DEADMAN | (CommandFlag.FORCE_CONTROL if force else CommandFlag(0))
        self.wish = replace(Command(lease_epoch=1, seq=0, t_client_us=0), flags=int(flags), **fields)

    def release(self) -> None:
        """Open the deadman; commands go on."""
        self.wish = Command(lease_epoch=1, seq=0, t_client_us=0)

    def in_contact(self, force_n: float = 6.0) -> None:
        """Steered into contact at a force."""
        self.ready()
        self.ctl(BEDSIDE, "go")
        self.press(force_setpoint_n=force_n)
        self.run(6.0)
        assert abs(self.world.force_n - force_n) < 0.6, self.world.force_n

    def stop_pressed(self, slot: int) -> None:
        """One stop datagram."""
        data = pack_estop(Estop(seq=1, t_client_us=1, flags=int(EstopFlag.STOP)))
        self.core.on_estop(slot, data, now_ms=self.now_ms)

    def ctl(self, slot: int, type_: str, **fields: Any) -> dict[str, Any]:
        """A control request; its ack."""
        return control.answer(self.core, slot, request(type_, 1, **fields), now_ms=self.now_ms)

    def send(self, command: Command) -> Refusal:
        """One command at once, as it is."""
        return self.core.on_command(CONSOLE, pack_command(command), now_ms=self.now_ms)

    def command(self, **changes: Any) -> Command:
        """The wish as the console would send it now."""
        self.seq += 1
        lag = self.core.frames.newest - self.frame_lag
        stamped = {
            "lease_epoch": self.epoch,
            "seq": self.seq,
            "t_client_us": int((self.now_ms + self.client_offset_ms) * 1000),
            "frame_id_seen": max(0, lag),
        }
        return replace(self.wish, **stamped | changes)

    # --- time -----------------------------------------------------------------------------------

    def run(self, seconds: float) -> None:
        """Let time pass in cycles of 2 ms."""
        for _ in range(round(seconds / DT_S)):
            self._traffic()
            out = self.core.tick(now_ms=self.now_ms, dt_s=DT_S, arm=self.world.state())
            self.outputs.append(out)
            self._obey(out)
            self.now_ms += DT_S * 1000.0
            self._cycle += 1

    def _obey(self, out: Output) -> None:
        for name, _ in out.calls:
            if name == "enable":
                self.world.tripped = False
        if out.silent:
            self._silent_s = getattr(self, "_silent_s", 0.0) + DT_S
            self.world.tripped = self.world.tripped or self._silent_s > 0.1
        else:
            self._silent_s = 0.0
        held = self.world.tripped or out.stop
        self.world.advance(Twist() if held else (self.world.velocity if out.silent else out.twist), DT_S)

    def _traffic(self) -> None:
        every = self._cycle
        if self.beating and every % 25 == 0:
            self.core.silence.beat(self.now_ms)
        if self.frames_flow and every % 16 == 0:
            frame_id, still = 1000 + every // 16, self.pictures_frozen
            self.core.on_picture(frame_id, taken_ms=self.now_ms, frozen=still, now_ms=self.now_ms)
        if self.present and every % 125 == 0:
            data = pack_estop(Estop(seq=1, t_client_us=1, flags=int(EstopFlag.PRESENCE)))
            self.core.on_estop(BEDSIDE, data, now_ms=self.now_ms)
        if self.core.lease.claims is not None and self.commanding and every % 10 == 0:
            self.refusals.append(self.send(self.command()))
        if self.core.lease.held(self.now_ms) and self.renewing and every % 500 == 499:
            self.lease(epoch=self.epoch)

    renewing = True
