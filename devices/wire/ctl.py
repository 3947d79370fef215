"""The control channel's JSON: who may ask what, with which fields, and the answers' shape.

Used by the edge (authority), by the headless operator, and by tests. ``parse_request`` raises
CtlError with a stable code: ``too_large``, ``malformed``, ``unknown_type``, ``bad_field``,
``not_allowed``.
"""

from __future__ import annotations

import json
import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from devices.wire.channels import BEDSIDE, CONSOLE, CTL_MAX_BYTES
from devices.wire.limits import FORCE_CAP_MIN_N, FORCE_SOFT_N
from devices.wire.messages import StopCause

Check = Callable[[object], bool]


class CtlError(ValueError):
    """A request that is refused before anything is done. ``request_id`` is None when unreadable."""

    def __init__(self, code: str, *, request_id: int | None = None) -> None:
        super().__init__(code)
        self.code = code
        self.request_id = request_id


@dataclass(frozen=True, slots=True)
class CtlRequest:
    """One checked request."""

    type: str
    id: int
    role: str
    fields: dict[str, Any] = field(default_factory=dict)


def _number(low: float, high: float) -> Check:
    def check(value: object) -> bool:
        if isinstance(value, bool) or not isinstance(value, int | float):
            return False
        return math.isfinite(value) and low <= value <= high

    return check


def _whole(low: int, high: int) -> Check:
    return lambda value: type(value) is int and low <= value <= high


def _text(limit: int) -> Check:
    return lambda value: isinstance(value, str) and len(value) <= limit


def _one_of(*allowed: object) -> Check:
    return lambda value: any(value is a or (value == a and type(value) is type(a)) for a in allowed)


def _numbers(count: int, low: float, high: float) -> Check:
    one = _number(low, high)
    return lambda value: isinstance(value, list) and len(value) == count and all(map(one, value))


PROMPTS = ("breathe_in", "hold", "breathe_out", "turn_left", "turn_right", "lie_still", "relax")
"""What a physician says to the patient with one key."""
CINE_BACK_MAX = 300  # 10 s of pictures, as many as the robot keeps

_flag = _one_of(True, False)
_CAUSES = tuple(int(cause) for cause in StopCause if cause is not StopCause.NONE)


@dataclass(frozen=True, slots=True)
class _Shape:
    roles: frozenset[str]
    required: Mapping[str, Check] = field(default_factory=dict)
    optional: Mapping[str, Check] = field(default_factory=dict)
    at_least_one: bool = False


_C, _B = frozenset({CONSOLE}), frozenset({BEDSIDE})
SHAPES: Mapping[str, _Shape] = {
    "freeze": _Shape(_C, {"on": _flag}),
    "cine": _Shape(_C, {"back": _whole(0, CINE_BACK_MAX)}),
    "capture": _Shape(_C, {"kind": _one_of("still", "loop")}, {"view": _text(64), "annotation": _text(200)}),
    "imaging": _Shape(
        _C,
        optional={
            "gain_db": _number(-30, 30),
            "depth_mm": _number(40, 300),
            "dynamic_range_db": _number(30, 90),
            "focus_mm": _number(20, 240),
            "tgc_db": _numbers(8, -20, 20),
            "preset": _text(32),
        },
        at_least_one=True,
    ),
    "park": _Shape(_C),
    "reposition": _Shape(_C),
    "prompt": _Shape(_C, {"key": _one_of(*PROMPTS)}),
    "lift": _Shape(_C | _B),
    "hold": _Shape(_C | _B),
    "go": _Shape(_B),
    "gentler": _Shape(_B, {"on": _flag}),
    "force_cap": _Shape(_B, {"n": _number(FORCE_CAP_MIN_N, FORCE_SOFT_N)}),
    "hand_guide": _Shape(_B, {"on": _flag}),
    "place": _Shape(_B, optional={"site": _text(64)}),
    "clear_stop": _Shape(_B, {"cause": _one_of(*_CAUSES), "patient_well": _one_of(True)}),
    "orientation": _Shape(
        _B,
        {"head": _one_of("left", "right"), "lie": _one_of("supine", "left_lateral", "right_lateral")},
    ),
}


def parse_request(data: str | bytes, *, role: str) -> CtlRequest:
    """Read and check one request of a peer with ``role``. Raises CtlError."""
    if len(data if isinstance(data, bytes) else data.encode()) > CTL_MAX_BYTES:
        raise CtlError("too_large")
    try:
        message = json.loads(data)
    except (ValueError, RecursionError):
        raise CtlError("malformed") from None
    if not isinstance(message, dict):
        raise CtlError("malformed")
    request_id = message.get("id")
    if isinstance(request_id, bool) or not isinstance(request_id, int) or not 0 <= request_id < 2**53:
        raise CtlError("malformed")
    return CtlRequest(
        type=str(message.get("type")),
        id=request_id,
        role=role,
        fields=_checked_fields(message, role=role, request_id=request_id),
    )


def _checked_fields(message: dict[str, Any], *, role: str, request_id: int) -> dict[str, Any]:
    type_ = message.get("type")
    shape = SHAPES.get(type_) if isinstance(type_, str) else None
    if shape is None:
        raise CtlError("unknown_type", request_id=request_id)
    if role not in shape.roles:
        raise CtlError("not_allowed", request_id=request_id)
    fields = {name: value for name, value in message.items() if name not in ("type", "id")}
    known = {**shape.required, **shape.optional}
    missing = shape.required.keys() - fields.keys()
    if missing or fields.keys() - known.keys() or (shape.at_least_one and not fields):
        raise CtlError("bad_field", request_id=request_id)
    if not all(known[name](value) for name, value in fields.items()):
        raise CtlError("bad_field", request_id=request_id)
    return fields


def request(type_: str, request_id: int, **fields: Any) -> str:
    """JSON text of a request."""
    return json.dumps({"type": type_, "id": request_id, **fields}, separators=(",", ":"))


def ack(
    request_id: int,
    *,
    ok: bool,
    code: str | None = None,
    asked: Mapping[str, Any] | None = None,
    done: Mapping[str, Any] | None = None,
) -> dict[str, Any]:
    """An answer: what was asked and what was really done."""
    return {
        "type": "ack",
        "id": request_id,
        "ok": ok,
        "code": code,
        "asked": dict(asked or {}),
        "done": dict(done or {}),
    }
