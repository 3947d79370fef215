"""Control requests that concern the arm: the safety process checks who asks and answers what was done."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from devices.edge.safety.core import SafetyCore
from devices.wire import ctl
from devices.wire.channels import CONSOLE
from devices.wire.ctl import CtlError, CtlRequest
from devices.wire.limits import FORCE_GENTLER_N, GO_VALID_MS, LIFT_MM
from devices.wire.messages import SafetyState, StopCause

STILL_PRESSED_MS = 300.0  # fifteen missing repeats of the stop message; design value
Answer = dict[str, Any]
"""What was done; raising CtlError refuses."""

# Where the link asks the safety process; "imaging" and "capture" never come here.
HANDLED = frozenset(
    {
        "freeze",
        "lift",
        "park",
        "reposition",
        "hold",
        "go",
        "gentler",
        "force_cap",
        "hand_guide",
        "place",
        "clear_stop",
    }
    | {"orientation", "prompt"}
)


def answer(core: SafetyCore, slot: int, text: str, *, now_ms: float) -> dict[str, Any]:
    """Carry out one request of the connection ``slot``; the ack to send back."""
    peer = core.peers.get(slot)
    request_id = 0
    try:
        if peer is None:
            raise CtlError("not_allowed")
        request = ctl.parse_request(text, role=peer.role)
        request_id = request.id
        handler = _HANDLERS.get(request.type)
        if handler is None:
            raise CtlError("unknown_type")
        done = handler(core, request, slot, now_ms)
    except CtlError as error:
        return ctl.ack(error.request_id or request_id, ok=False, code=error.code)
    return ctl.ack(request.id, ok=True, asked=request.fields, done=done)


def _need_lease(core: SafetyCore, request: CtlRequest, slot: int, now_ms: float) -> None:
    """A console that does not hold the lease may stop and hold, nothing else."""
    if request.role == CONSOLE and not (
        core.lease.held(now_ms) and core.peers.holds(slot, core.lease.claims)
    ):
        raise CtlError("no_lease")


def _freeze(core: SafetyCore, request: CtlRequest, slot: int, now_ms: float) -> Answer:
    _need_lease(core, request, slot, now_ms)
    on = bool(request.fields["on"])
    if core.freeze.ask(on):
        core.needs_release = True
        if on:
            core.park_now(now_ms)
    return {"on": on}


def _lift(core: SafetyCore, request: CtlRequest, slot: int, now_ms: float) -> Answer:
    _need_lease(core, request, slot, now_ms)
    core.begin_lift(arm=core.arm, now_ms=now_ms)
    return {"mm": LIFT_MM}


def _park(core: SafetyCore, request: CtlRequest, slot: int, now_ms: float) -> Answer:
    _need_lease(core, request, slot, now_ms)
    if core.latched:
        raise CtlError("state")
    core.begin_lift(arm=core.arm, now_ms=now_ms, then="park")
    return {"mm": LIFT_MM, "site": "park"}


def _reposition(core: SafetyCore, request: CtlRequest, slot: int, now_ms: float) -> Answer:
    """Up and away; the bedside puts gel on and places the probe anew. Pictures, views and the exam go on."""
    done = _park(core, request, slot, now_ms)
    core.reposition = True
    core.events.append({"kind": "reposition", "data": {}})
    return done


def _hold(core: SafetyCore, request: CtlRequest, slot: int, now_ms: float) -> Answer:
    core.hold()
    return {}


def _go(core: SafetyCore, request: CtlRequest, slot: int, now_ms: float) -> Answer:
    if core.latched:
        raise CtlError("state")
    core.go(now_ms)
    return {"valid_ms": GO_VALID_MS}


def _gentler(core: SafetyCore, request: CtlRequest, slot: int, now_ms: float) -> Answer:
    core.caps.gentle = bool(request.fields["on"])
    core.events.append({"kind": "limit", "data": {"gentle": core.caps.gentle}})
    return {"on": core.caps.gentle, "cap_n": FORCE_GENTLER_N if core.caps.gentle else core.caps.bedside_n}


def _force_cap(core: SafetyCore, request: CtlRequest, slot: int, now_ms: float) -> Answer:
    return {"n": core.caps.lower_to(float(request.fields["n"]))}


def _hand_guide(core: SafetyCore, request: CtlRequest, slot: int, now_ms: float) -> Answer:
    on = bool(request.fields["on"])
    if not core.hand_guide(on) and (on or core.state is SafetyState.HAND_GUIDE):
        raise CtlError("state")
    return {"on": on}


def _place(core: SafetyCore, request: CtlRequest, slot: int, now_ms: float) -> Answer:
    site = str(request.fields.get("site", "right_upper_quadrant"))
    if core.arm is None:
        raise CtlError("state")
    refusal = core.begin_place(site, arm=core.arm, now_ms=now_ms)
    if refusal is not None:
        raise CtlError(refusal)
    return {"site": site}


def _clear_stop(core: SafetyCore, request: CtlRequest, slot: int, now_ms: float) -> Answer:
    if not core.latched:
        raise CtlError("not_stopped")
    if request.fields["cause"] != int(core.cause):
        raise CtlError("wrong_cause")
    if core.state is SafetyState.RETRACT:
        raise CtlError("state")  # still backing off
    pressed = core.arm is not None and core.arm.patient_button
    if pressed or now_ms - core.estop_at_ms < STILL_PRESSED_MS:
        raise CtlError("still_pressed")
    core.clear()
    return {"cause": int(StopCause(request.fields["cause"]))}


def _orientation(core: SafetyCore, request: CtlRequest, slot: int, now_ms: float) -> Answer:
    core.orientation = {"head": request.fields["head"], "lie": request.fields["lie"]}
    peer = core.peers.get(slot)
    core.orientation_exam = peer.exam if peer is not None else None
    return dict(core.orientation)


def _prompt(core: SafetyCore, request: CtlRequest, slot: int, now_ms: float) -> Answer:
    core.calls.append(("patient_told", request.fields["key"]))
    return {"key": request.fields["key"]}


_HANDLERS: dict[str, Callable[[SafetyCore, CtlRequest, int, float], Answer]] = {
    "freeze": _freeze,
    "lift": _lift,
    "park": _park,
    "reposition": _reposition,
    "hold": _hold,
    "go": _go,
    "gentler": _gentler,
    "force_cap": _force_cap,
    "hand_guide": _hand_guide,
    "place": _place,
    "clear_stop": _clear_stop,
    "orientation": _orientation,
    "prompt": _prompt,
}
