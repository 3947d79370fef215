"""Runs a fresh safety process over what a recorded one was told, and compares what it does, bit for bit."""

from __future__ import annotations

import json
import socket
from collections import deque
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any, cast

from devices.drivers import base
from devices.drivers.base import Arm, ArmState, DriverError, Pose, Twist
from devices.edge.recorder.hook import Hook
from devices.edge.recorder.items import (
    WALL,
    Item,
    Kind,
    output_fields,
    pack_output,
    unpack_state,
)
from devices.edge.recorder.tape import Cycle, Session
from devices.edge.safety.core import SafetyCore
from devices.edge.safety.cycle import ArmFacts, Output
from devices.edge.safety.lease import Decode, EpochStore, Lease
from devices.edge.safety.peers import Peers
from devices.edge.safety.runtime import Runtime
from devices.wire.codec import unpack_telemetry
from devices.wire.tokens import TokenError

MEASURED = b'{"type":"cycle"'
"""The link is told how late the cycles were: measured, not decided, so only that it is told is compared."""


class Departed(Exception):
    """The code asks for something the recorded process did not ask for."""


@dataclass(frozen=True, slots=True)
class Difference:
    """The first cycle that does not come out as recorded."""

    cycle: int
    at_s: float
    recorded: str
    replayed: str


class Player(Hook):
    """Feeds one cycle after the other and keeps what comes out."""

    def __init__(self, session: Session) -> None:
        self._started_s = float(session.header["started_s"])
        self._words: deque[Item] = deque()
        self.states: deque[Item] = deque()
        self.went: list[Item] = []
        self._poses = dict(_poses(session))

    def load(self, cycle: Cycle) -> None:
        """What arrives in this cycle."""
        of_arm = (Kind.ARM_STATE, Kind.ARM_ERROR)
        self._words = deque(item for item in cycle.came if item[0] not in (*of_arm, Kind.SITE))
        self.states = deque(item for item in cycle.came if item[0] in of_arm)
        self.went = []

    def site_pose(self, site: str) -> Pose | None:
        """As the recorded driver answered."""
        return self._poses.get(site)

    def bind(self, path: Path) -> socket.socket:
        """The recorded datagrams; what is sent is kept."""
        return cast(socket.socket, _PlayedSocket(self))

    def decode(self, decode: Decode) -> Decode:
        """The recorded answers instead of a check."""
        return self._claims

    def started_s(self) -> float:
        """As recorded."""
        return self._started_s

    def wall_ms(self) -> float:
        """As recorded."""
        return float(WALL.unpack(self._next(Kind.WALL))[0])

    def output(self, out: Output) -> None:
        """Kept for the comparison."""
        self.went.append((Kind.OUTPUT, pack_output(out)))

    def datagram(self) -> bytes:
        """The next one of this cycle. Raises BlockingIOError."""
        if not self._words or self._words[0][0] is not Kind.DATAGRAM:
            raise BlockingIOError
        return self._words.popleft()[1]

    def _claims(self, token: str) -> Mapping[str, Any]:
        found = json.loads(self._next(Kind.CLAIMS))
        if "refused" in found:
            raise TokenError(str(found["refused"]))
        claims: Mapping[str, Any] = found["claims"]
        return claims

    def _next(self, kind: Kind) -> bytes:
        if not self._words or self._words[0][0] is not kind:
            raise Departed(f"asks for {kind.name.lower()}")
        return self._words.popleft()[1]


def _poses(session: Session) -> Iterator[tuple[str, Pose | None]]:
    for cycle in session.cycles:
        for kind, payload in cycle.came:
            if kind is Kind.SITE:
                row = json.loads(payload)
                pose = row["pose"]
                yield row["site"], None if pose is None else Pose(tuple(pose[0]), tuple(pose[1]))


class _PlayedSocket:
    def __init__(self, player: Player) -> None:
        self._player = player

    def recv(self, _limit: int) -> bytes:
        return self._player.datagram()

    def sendto(self, data: bytes, _address: str) -> int:
        self._player.went.append((Kind.SENT, bytes(data)))
        return len(data)

    def close(self) -> None:
        """Nothing was opened."""


class PlayedArm(Arm):
    """States and failures as recorded."""

    def __init__(self, player: Player) -> None:
        super().__init__(runtime_dir=Path(), options={})
        self._player = player

    def _call(self, name: str) -> None:
        states = self._player.states
        if not states or states[0][0] is not Kind.ARM_ERROR:
            return
        told = json.loads(states[0][1])
        if told["call"] == name:
            states.popleft()
            known: type[DriverError] = getattr(base, told["base"])
            raise type(told["error"], (known,), {})(told["text"])

    def state(self) -> ArmState:
        """The recorded one."""
        self._call("state")
        states = self._player.states
        if not states or states[0][0] is not Kind.ARM_STATE:
            raise Departed("asks for the arm's state")
        return unpack_state(states.popleft()[1])

    def connect(self, *, timeout_s: float = 5.0) -> None:
        """As recorded."""
        self._call("connect")

    def enable(self) -> None:
        """As recorded."""
        self._call("enable")

    def servo(self, twist: Twist, force_setpoint_n: float | None, dt_s: float) -> None:
        """As recorded."""
        self._call("servo")

    def stop(self) -> None:
        """As recorded."""
        self._call("stop")

    def lift(self, distance_mm: float) -> None:
        """As recorded."""
        self._call("lift")

    def hand_guide(self, on: bool) -> None:
        """As recorded."""
        self._call("hand_guide")

    def patient_told(self, key: str) -> None:
        """As recorded."""
        self._call("patient_told")

    def close(self) -> None:
        """Nothing was opened."""


class _Epochs(EpochStore):
    """In memory."""

    def __init__(self, newest: int) -> None:
        self.newest = newest

    def remember(self, epoch: int) -> None:
        self.newest = max(self.newest, epoch)


def fresh(session: Session, player: Player, arm: Arm) -> Runtime:
    """A safety process as the recorded one was at its start."""
    header = session.header
    facts = ArmFacts(
        stop_time_ms=header["stop_time_ms"],
        watchdog_ms=header["watchdog_ms"],
        workspace_mm=tuple(tuple(axis) for axis in header["workspace_mm"]),  # type: ignore[arg-type]
        site_pose=player.site_pose,
    )
    decode, robot_id = player.decode(_never), header["robot_id"]
    lease = Lease(robot_id=robot_id, decode=decode, store=_Epochs(header["newest_epoch"]))
    core = SafetyCore(lease=lease, peers=Peers(robot_id=robot_id, decode=decode), facts=facts)
    return Runtime(core=core, arm=arm, runtime_dir=Path(), hook=player)


def _never(token: str) -> Mapping[str, Any]:
    raise TokenError("bad_token")


def verify(session: Session) -> Difference | None:
    """None: every output up to the first gap is as recorded."""
    player = Player(session)
    runtime = fresh(session, player, PlayedArm(player))
    for cycle in session.cycles:
        if session.gap_after is not None and cycle.number > session.gap_after:
            return None
        player.load(cycle)
        try:
            runtime.cycle(now_s=cycle.now_s, dt_s=cycle.dt_s)
        except Departed as departed:
            return Difference(cycle.number, _since(session, cycle), "did not", f"the code {departed}")
        found = _difference(session, cycle, player.went)
        if found is not None:
            return found
    return None


def _since(session: Session, cycle: Cycle) -> float:
    return cycle.now_s - float(session.header["started_s"])


def _difference(session: Session, cycle: Cycle, went: list[Item]) -> Difference | None:
    expected = [(kind, _comparable(data)) for kind, data in cycle.went]
    found = [(kind, _comparable(data)) for kind, data in went]
    for one in range(max(len(expected), len(found))):
        a = expected[one] if one < len(expected) else None
        b = found[one] if one < len(found) else None
        if a != b:
            words = _words(a, b)
            return Difference(cycle.number, _since(session, cycle), *words)
    return None


def _comparable(data: bytes) -> bytes:
    return MEASURED if data.startswith(MEASURED) else data


def _words(a: Item | None, b: Item | None) -> tuple[str, str]:
    """Both sides for people: only the fields that differ."""
    left, right = _fields(a), _fields(b)
    names = [name for name in left.keys() | right.keys() if left.get(name) != right.get(name)]
    return str({n: left.get(n) for n in sorted(names)}), str({n: right.get(n) for n in sorted(names)})


def _fields(item: Item | None) -> dict[str, Any]:
    if item is None:
        return {"what": "nothing"}
    kind, data = item
    if kind is Kind.OUTPUT:
        return {"what": "decision", **output_fields(data)}
    if data.startswith(b"{"):
        return {"what": "message", "json": data.decode()}
    told = unpack_telemetry(data)
    return {"what": "telemetry", **{field.name: getattr(told, field.name) for field in fields(told)}}
