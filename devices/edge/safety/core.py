"""The safety core: what the arm may do in this cycle. Injected clock, no sockets, no driver calls.

``tick`` is called every 2 ms with the arm's state and answers what to send; the other methods take
what arrives. Times are ms of the monotonic clock.
"""

from __future__ import annotations

from typing import Any

from devices.drivers.base import ZERO, ArmState, Twist
from devices.edge.safety import force, motion, moves, wishes
from devices.edge.safety.cycle import ArmFacts, Output
from devices.edge.safety.force import Caps, ForceWatch
from devices.edge.safety.freeze import Freeze
from devices.edge.safety.gates import CommandGates, Heard
from devices.edge.safety.ladder import Rung, Silence
from devices.edge.safety.lease import Lease, LeaseChange
from devices.edge.safety.peers import Frames, LoopDelay, Peers
from devices.edge.safety.self_test import SelfTest
from devices.edge.safety.states import BOUNDED, STEERED, Signal, advance
from devices.wire.codec import WireError, unpack_estop
from devices.wire.limits import (
    CONTACT_LOST_KEEPS_GO_MS,
    FORCE_STOPPED_N,
    FRAME_SEEN_LAG_MAX_MS,
    GO_VALID_MS,
)
from devices.wire.messages import (
    Command,
    EstopFlag,
    LimitBit,
    Refusal,
    SafetyState,
    StopCause,
)

S = SafetyState
GIVEN_BACK = frozenset({"released", "ended", "given_back", "exam_over"})
"""Codes of a revocation on purpose: IDLE without a cause to explain."""
ENABLE_AGAIN_MS = 200.0  # between two tries to re-arm a tripped controller; design value


class SafetyCore:
    """All of the arm's permission in one place."""

    def __init__(self, *, lease: Lease, peers: Peers, facts: ArmFacts) -> None:
        self.lease, self.peers, self.facts = lease, peers, facts
        self.gates, self.silence, self.frames, self.loop = CommandGates(), Silence(), Frames(), LoopDelay()
        self.caps, self.watch, self.slew = Caps(), ForceWatch(), motion.Slew()
        self.state, self.cause = S.IDLE, StopCause.NONE
        self.latched = False
        self.freeze = Freeze()
        self.reposition = False  # asked for; over with the next contact that the operator makes
        self.needs_release = True
        self.command: Command | None = None
        self.heard: Heard | None = None
        self.heard_at_ms = 0.0
        self.applied_seq = 0
        self.force_set_n = 0.0
        self.limit_bits = LimitBit(0)
        self.done = ZERO
        self.arm: ArmState | None = None
        self.orientation: dict[str, str] | None = None
        self.orientation_exam: str | None = None  # whose: the next patient may lie otherwise
        self.events: list[dict[str, Any]] = []
        self.self_test: SelfTest | None = None
        self.move: moves.Move | None = None
        self.after_lift: str | None = None
        self.calls: list[tuple[str, Any]] = []
        self.estop_at_ms = float("-inf")
        self._go_until_ms = float("-inf")
        self._engaged = False
        self._contact_at_ms = float("-inf")
        self.parked_since_ms = 0.0
        self._enabled_at_ms = float("-inf")

    # --- what arrives ---------------------------------------------------------------------------

    def on_command(self, slot: int, data: bytes, *, now_ms: float) -> Refusal:
        """A datagram of the cmd channel. Returns why it may not move the arm, NONE when it may."""
        epoch = None
        if self.lease.held(now_ms) and self.peers.holds(slot, self.lease.claims):
            epoch = self.lease.epoch
        found = self.gates.check(data, epoch=epoch, now_ms=now_ms)
        if isinstance(found, Refusal):
            return found
        self.heard, self.heard_at_ms = found, now_ms
        self.silence.heard(now_ms, ttl_ms=found.command.ttl_ms)
        lag_ms = self.frames.lag_ms(found.command.frame_id_seen, now_ms=now_ms)
        if lag_ms is not None:
            self.loop.add(lag_ms)
        refusal = self._judge(found.command, lag_ms=lag_ms, now_ms=now_ms)
        return refusal if refusal is Refusal.NONE else self.gates.refuse(refusal)

    def _judge(self, command: Command, *, lag_ms: float | None, now_ms: float) -> Refusal:
        """May a heard command move the arm? An open deadman asks for nothing, so it is never refused."""
        if not command.deadman:
            self._released(command, now_ms=now_ms)
            return Refusal.NONE
        if not self.lease.live(now_ms):
            return Refusal.NOT_LIVE
        if self.freeze.on:
            return Refusal.FROZEN
        if self.needs_release and self.state in STEERED | {S.HOLD, S.IDLE}:
            return Refusal.NEEDS_RELEASE
        if lag_ms is None or lag_ms > FRAME_SEEN_LAG_MAX_MS:
            self.halt(StopCause.STALE_VIDEO)
            return Refusal.STALE_VIDEO
        if self._blocker(now_ms) is not None or not self._signal(Signal.PRESS):
            return Refusal.STATE
        self.command = command
        return Refusal.NONE

    def _released(self, command: Command, *, now_ms: float) -> None:
        if self.state in STEERED | {S.HOLD} and self.lease.live(now_ms) and self._blocker(now_ms) is None:
            if self.state is not S.PARK:
                self.parked_since_ms = now_ms
            if self._signal(Signal.RELEASE):
                self.needs_release, self.cause = False, StopCause.NONE
                self.command = command

    def _blocker(self, now_ms: float) -> StopCause | None:
        """Something at the bedside that forbids steering as long as it lasts."""
        if self.arm is not None and self.arm.patient_button:
            return StopCause.ESTOP_PATIENT
        return None if self.peers.bedside_present(now_ms) else StopCause.BEDSIDE_ABSENT

    def on_estop(self, slot: int, data: bytes, *, now_ms: float) -> None:
        """A datagram of the estop channel; anybody connected may stop, only the bedside is present."""
        peer = self.peers.get(slot)
        try:
            message = unpack_estop(data)
        except WireError as error:
            self.gates.refuse(error.code)
            return
        if peer is None:
            self.gates.refuse(Refusal.EPOCH)
            return
        if message.flags & EstopFlag.PRESENCE and peer.role == "bedside":
            self.peers.presence(now_ms)
        if message.flags & EstopFlag.STOP:
            self.estop_at_ms = now_ms
            self.stop(StopCause.ESTOP_BEDSIDE if peer.role == "bedside" else StopCause.ESTOP_CONSOLE)

    def on_lease(self, token: str, *, now_ms: float, server_offset_ms: float | None) -> LeaseChange:
        """A lease token. Raises TokenError."""
        change = self.lease.offer(token, now_ms=now_ms, server_offset_ms=server_offset_ms)
        if change is not LeaseChange.RENEWED:
            self.gates.new_epoch()
            self.silence.disarm()
            self.command, self.needs_release, self.loop = None, True, LoopDelay()
            self.freeze.forget()
            if change is LeaseChange.TAKEOVER:
                self.halt(StopCause.TAKEOVER)
            self._signal(Signal.LEASE)
        return change

    def on_picture(self, frame_id: int, *, taken_ms: float, frozen: bool, now_ms: float) -> None:
        """A picture went to the pages. One that stands still without having been asked for parks the arm."""
        self.frames.add(frame_id, taken_ms=taken_ms)
        if self.freeze.picture(frozen):
            self.needs_release = True
            self.park_now(now_ms)

    def on_revoke(self, *, epoch: int, code: str) -> None:
        """The server took the lease back."""
        if not self.lease.end(epoch):
            return
        self.silence.disarm()
        self.needs_release = True
        self.freeze.forget()
        if code in GIVEN_BACK:
            self._engaged = self.reposition = False
            if self._signal(Signal.LEASE_OVER) and not self.latched:
                self.cause = StopCause.NONE
        else:
            self.halt(StopCause.TAKEOVER if code == "taken_over" else StopCause.LEASE_LOST)

    # --- stops ----------------------------------------------------------------------------------

    def halt(self, cause: StopCause) -> None:
        """HOLD that the operator resumes by release, then press."""
        stopped = self._signal(Signal.HALT)
        if stopped or (self.state is S.HOLD and self.cause is not cause and not self.latched):
            self.needs_release, self.cause = True, cause
            self._event("stop", cause=int(cause), state=int(self.state))

    def stop(self, cause: StopCause) -> None:
        """Latched stop."""
        news = not self.latched or self.cause is not cause
        self._signal(Signal.STOP)
        self.latched = self.needs_release = True
        self.cause, self.after_lift, self._engaged = cause, None, False
        if news:
            self._event("stop", cause=int(cause), state=int(self.state))

    def fault(self, reason: str) -> None:
        """The driver cannot be trusted."""
        if self.state is S.FAULT:
            return
        self._signal(Signal.FAULT)
        self.latched = self.needs_release = True
        self.cause, self._engaged = StopCause.DRIVER_FAULT, False
        self._event("stop", cause=int(self.cause), state=int(self.state), reason=reason)

    def go(self, now_ms: float) -> None:
        """The bedside releases the first contact."""
        self._go_until_ms = now_ms + GO_VALID_MS

    def go_valid(self, now_ms: float) -> bool:
        """Contact may be made now."""
        return self._engaged or now_ms < self._go_until_ms

    def withdraw_go(self) -> None:
        """After a lift, a placement or a stop the next contact is a first one again."""
        self._engaged, self._go_until_ms = False, float("-inf")

    # --- one cycle ------------------------------------------------------------------------------

    def tick(self, *, now_ms: float, dt_s: float, arm: ArmState | None) -> Output:
        """Decide this cycle. ``arm`` None: the driver failed (fault() was called)."""
        out = Output()
        if arm is not None:
            self.arm = arm
            self._watch_arm(arm, now_ms)
        self._watch_operator(now_ms)
        self.limit_bits = LimitBit(0)
        if arm is None or self.state is S.FAULT:
            self.done, out.stop = ZERO, True
        else:
            target, beam_direct = self._target(arm, out, now_ms)
            self.done = out.twist = wishes.limited(self, target, arm, dt_s, beam_direct=beam_direct)
        out.force_set_n = self.force_set_n if self.watch.contact else None
        out.calls, self.calls = self.calls + out.calls, []
        return out

    def _watch_arm(self, arm: ArmState, now_ms: float) -> None:
        cause = self.watch.update(now_ms=now_ms, force_n=arm.force_n)
        if cause is not StopCause.NONE and self.state not in (S.HAND_GUIDE, S.FAULT) and not self.latched:
            self.stop(cause)
            self._back_off(arm, now_ms, from_stopped=True)
        if arm.patient_button:
            self.halt(StopCause.ESTOP_PATIENT)
        if arm.watchdog_tripped and self.state not in (S.SELF_TEST, S.FAULT):
            # Our own cycle came too late (a stalled or restarted process): the arm is at rest already.
            self.halt(StopCause.DRIVER_FAULT)
            if now_ms - self._enabled_at_ms > ENABLE_AGAIN_MS:
                self._enabled_at_ms = now_ms
                self.calls.append(("enable", None))
        if self.watch.contact:
            if now_ms < self._go_until_ms and self.state in STEERED:
                self._engaged, self.reposition = True, False
            self._contact_at_ms = now_ms
        elif now_ms - self._contact_at_ms > CONTACT_LOST_KEEPS_GO_MS:
            self._engaged = False

    def _watch_operator(self, now_ms: float) -> None:
        if self.lease.expire(now_ms):
            self.silence.disarm()
            self.halt(StopCause.LEASE_LOST)
        if self.state in STEERED and not self.lease.live(now_ms):
            # Held but the exam is paused: nobody's fault, so no cause.
            self.halt(StopCause.NONE if self.lease.held(now_ms) else StopCause.LEASE_LOST)
        if self.state in STEERED and not self.peers.bedside_present(now_ms):
            self.halt(StopCause.BEDSIDE_ABSENT)
        rung = self.silence.rung(now_ms)
        if rung >= Rung.RAMP:
            self._fall_silent(rung, now_ms)

    def _fall_silent(self, rung: Rung, now_ms: float) -> None:
        if self.state in STEERED and rung is Rung.RAMP:
            if self.state is not S.RAMP:
                self.parked_since_ms = now_ms
            self._signal(Signal.SILENT)
        if rung >= Rung.HOLD and self.state in STEERED:
            self.halt(self.silence.cause(now_ms))
        silent_hold = self.state is S.HOLD and self.cause in (StopCause.SILENCE, StopCause.LINK_LOST)
        if rung >= Rung.RETRACT and silent_hold and self.arm is not None:
            self.cause = StopCause.SILENCE_RETRACT
            if self.watch.contact:
                self._event("stop", cause=int(self.cause), state=int(S.RETRACT))
                self._back_off(self.arm, now_ms)
        if rung >= Rung.SUSPEND:
            self.lease.suspend()
            self.silence.disarm()
            if not self.latched:
                self.cause = StopCause.LEASE_SUSPENDED
            self._event("stop", cause=int(StopCause.LEASE_SUSPENDED), state=int(self.state))

    def _back_off(self, arm: ArmState, now_ms: float, *, from_stopped: bool = False) -> None:
        if from_stopped and self.state is S.STOPPED:
            self.state = S.RETRACT  # the one way into RETRACT under a latch: away from too much force
            self.move = moves.retract(arm=arm, now_ms=now_ms)
        elif self._signal(Signal.RETRACT):
            self.move = moves.retract(arm=arm, now_ms=now_ms)
        self._engaged = False

    # --- wishes ---------------------------------------------------------------------------------

    def _target(self, arm: ArmState, out: Output, now_ms: float) -> tuple[Twist, bool]:
        """The wish of this cycle, and whether the force loop owns the beam axis."""
        if self.state in BOUNDED and self.move is not None:
            return self._bounded(self.move, arm, out, now_ms)
        if self.state is S.HAND_GUIDE:
            return ZERO, True
        if self.state is S.MOVING and self.command is not None and not self.freeze.on:
            return wishes.steered(self, self.command, arm, now_ms)
        if self.state in STEERED:
            return wishes.parked(self, arm, now_ms)
        self.force_set_n = min(self.force_set_n, FORCE_STOPPED_N)
        return Twist(vz=force.ease_mm_s(force_n=arm.force_n)), True

    def _bounded(self, move: moves.Move, arm: ArmState, out: Output, now_ms: float) -> tuple[Twist, bool]:
        step = move.step(now_ms=now_ms, arm=arm)
        if isinstance(move, SelfTest):
            out.stop, out.silent = move.stop, move.silent
            if move.enable:
                out.calls.append(("enable", None))
        if step.code is not None:
            self._move_over(step.code, arm, now_ms)
        return step.twist, True

    def _move_over(self, code: str, arm: ArmState, now_ms: float) -> None:
        ended, self.move = self.state, None
        self._signal(Signal.DONE_LATCHED if self.latched else Signal.DONE)
        self.needs_release = True
        self._event("limit", move=ended.name.lower(), code=code)
        next_site, self.after_lift = self.after_lift, None
        if ended is S.LIFT and next_site is not None and not self.latched:
            self.begin_place(next_site, arm=arm, now_ms=now_ms)
        if self.state is S.HOLD and not self.lease.held(now_ms) and self.cause is StopCause.NONE:
            self.state = S.IDLE

    # --- bounded moves --------------------------------------------------------------------------

    def begin_lift(self, *, arm: ArmState | None, now_ms: float, then: str | None = None) -> None:
        """Lift in any state; with the driver at fault its controller does it."""
        self.withdraw_go()
        self.needs_release = True
        if arm is None or not self._signal(Signal.LIFT):
            self.calls.append(("lift", None))
            return
        self.after_lift, self.move = then, moves.lift(arm=arm, now_ms=now_ms)
        if not self.latched:
            self.cause = StopCause.NONE

    def begin_place(self, site: str, *, arm: ArmState, now_ms: float) -> str | None:
        """Bounded move to a site. Returns why not, or None."""
        goal = self.facts.site_pose(site)
        refusal = moves.Place.refusal(goal=goal, arm=arm)
        if refusal is not None or goal is None:
            return refusal
        if not self._signal(Signal.PLACE):
            return "state"
        self.withdraw_go()
        self.needs_release = True
        self.move = moves.Place(goal=goal, now_ms=now_ms)
        return None

    def begin_self_test(self) -> SelfTest | None:
        """Start the arm's part of the self-test; None when the state forbids it."""
        if self.arm is None or self.latched or not self._signal(Signal.TEST):
            return None
        test = SelfTest(stop_time_ms=self.facts.stop_time_ms, watchdog_ms=self.facts.watchdog_ms)
        self.move = test
        return test

    def hand_guide(self, on: bool) -> bool:
        """Gravity compensation on or off. False when the state has nothing to change."""
        if on:
            self.withdraw_go()
            self.needs_release = True
            return self._signal(Signal.HAND_ON)
        return self._signal(Signal.DONE_LATCHED if self.latched else Signal.HAND_OFF)

    def clear(self) -> None:
        """The robot's side cleared the latch."""
        if self.state is S.FAULT:
            self.calls.append(("enable", None))
        self._signal(Signal.CLEAR)
        cleared, self.latched, self.cause = self.cause, False, StopCause.NONE
        self.needs_release = True
        self._event("cleared", cause=int(cleared))

    def park_now(self, now_ms: float) -> None:
        """Stop moving and keep the force, as if the deadman had been opened."""
        if self.state in STEERED and self._signal(Signal.RELEASE):
            self.parked_since_ms = now_ms

    def hold(self) -> None:
        """A person asked for hold."""
        if self._signal(Signal.HOLD_ASKED):
            self.needs_release = True

    def _signal(self, signal: Signal) -> bool:
        """Advance the table; side effects of leaving and entering hand guiding."""
        following = advance(self.state, signal)
        if following is None:
            return False
        if following is not self.state:
            if S.HAND_GUIDE in (following, self.state):
                self.calls.append(("hand_guide", following is S.HAND_GUIDE))
            if following not in BOUNDED:
                self.move = None
            self.state = following
        return True

    def _event(self, kind: str, **data: Any) -> None:
        self.events.append({"kind": kind, "data": data})
