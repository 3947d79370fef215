"""Gates under hypothesis: whatever the network does to commands, no refused one is ever heard."""

from __future__ import annotations

from dataclasses import replace

from hypothesis import given
from hypothesis import strategies as st

from devices.edge.safety.gates import AgeFilter, CommandGates, Heard
from devices.edge.safety.ladder import Rung, Silence, rung
from devices.edge.safety.states import TABLE, Signal, advance
from devices.wire.codec import pack_command
from devices.wire.limits import COMMAND_AGE_MAX_MS
from devices.wire.messages import Command, Refusal, SafetyState, StopCause

BASE = Command(lease_epoch=3, seq=1, t_client_us=0)


def sent(seq: int, *, t_ms: float, **changes: object) -> bytes:
    return pack_command(replace(BASE, seq=seq, t_client_us=int(t_ms * 1000), **changes))  # type: ignore[arg-type]


@given(
    st.lists(
        st.tuples(
            st.integers(0, 60),  # which command
            st.floats(0, 3000),  # delay in ms
            st.sampled_from(["good", "old_epoch", "nan", "schema", "short"]),
        ),
        max_size=60,
    )
)
def test_delayed_replayed_reordered_and_damaged_commands_are_never_heard(
    events: list[tuple[int, float, str]],
) -> None:
    gates = CommandGates()
    assert isinstance(gates.check(sent(1, t_ms=0), epoch=3, now_ms=1000.0), Heard)  # floor: 1000 ms
    arrivals = sorted((index * 20.0 + delay, index, kind) for index, delay, kind in events)
    heard: list[int] = [1]
    for at_ms, index, kind in arrivals:
        spoils: dict[str, dict[str, object]] = {"old_epoch": {"lease_epoch": 2}, "nan": {"vx": float("nan")}}
        changes = spoils.get(kind, {})
        data = sent(index + 2, t_ms=index * 20.0, **changes)
        data = {"schema": data[:-1] + b"\0", "short": data[:-1]}.get(kind, data)
        before = gates.refused_n
        found = gates.check(data, epoch=3, now_ms=1000.0 + at_ms)
        if isinstance(found, Heard):
            assert kind == "good"
            assert index + 2 > heard[-1]
            assert found.age_ms <= COMMAND_AGE_MAX_MS
            heard.append(index + 2)
        else:
            assert gates.refused_n == before + 1


def test_the_gates_refuse_in_their_order() -> None:
    gates = CommandGates()
    bad = sent(1, t_ms=0, lease_epoch=9, vx=float("nan"))
    assert gates.check(bad[:-1], epoch=3, now_ms=0) is Refusal.SIZE
    assert gates.check(b"\x07" + bad[1:], epoch=3, now_ms=0) is Refusal.SCHEMA
    assert gates.check(bad, epoch=3, now_ms=0) is Refusal.EPOCH
    assert isinstance(gates.check(sent(5, t_ms=0), epoch=3, now_ms=0), Heard)
    assert gates.check(sent(5, t_ms=0, vx=float("nan")), epoch=3, now_ms=0) is Refusal.SEQ
    assert gates.check(sent(6, t_ms=-0.0, vx=float("inf")), epoch=3, now_ms=500) is Refusal.NOT_FINITE
    assert gates.check(sent(6, t_ms=0), epoch=3, now_ms=101) is Refusal.AGE
    assert sum(gates.refused.values()) == 6


def test_a_burst_after_a_long_outage_does_not_become_the_new_clock() -> None:
    gates = CommandGates()
    assert isinstance(gates.check(sent(1, t_ms=0), epoch=3, now_ms=0), Heard)
    for seq in range(2, 27):  # 25 commands, 12 s late: longer than the filter's window
        assert gates.check(sent(seq, t_ms=seq * 20), epoch=3, now_ms=12_500 + seq) is Refusal.AGE
    assert isinstance(gates.check(sent(99, t_ms=12_600), epoch=3, now_ms=12_600), Heard)


def test_a_clock_that_moved_is_believed_after_a_steady_second() -> None:
    found = AgeFilter()
    found.learn(now_ms=0.0, client_ms=0.0)
    for at in range(0, 1000, 20):
        assert found.age_ms(now_ms=1000.0 + at, client_ms=800.0 + at) > COMMAND_AGE_MAX_MS
        found.late(now_ms=1000.0 + at, client_ms=800.0 + at)
    found.late(now_ms=2000.0, client_ms=1800.0)
    assert found.age_ms(now_ms=2020.0, client_ms=1820.0) == 0.0


def test_the_ladder_has_its_rungs_where_the_design_says() -> None:
    steps = {
        99: Rung.FRESH,
        100: Rung.WARN,
        150: Rung.RAMP,
        300: Rung.HOLD,
        1000: Rung.RETRACT,
        2000: Rung.SUSPEND,
    }
    assert {ms: rung(ms) for ms in steps} == steps
    assert rung(120, ttl_ms=60) is Rung.RAMP, "a command may only tighten"
    assert rung(120, ttl_ms=5000) is Rung.WARN


def test_a_dead_link_is_silence_with_its_own_cause() -> None:
    silence = Silence()
    silence.heard(0.0, ttl_ms=150)
    silence.beat(0.0)
    silence.beat(290.0)
    assert silence.rung(300.0) is Rung.HOLD and silence.cause(300.0) is StopCause.SILENCE
    assert silence.cause(500.0) is StopCause.LINK_LOST


def test_every_pair_of_state_and_signal_is_in_the_table_or_changes_nothing() -> None:
    for state in SafetyState:
        for signal in Signal:
            assert advance(state, signal) == TABLE.get((state, signal))


def test_no_state_escapes_a_stop_and_only_clear_leaves_stopped_towards_motion() -> None:
    for state in set(SafetyState) - {SafetyState.FAULT}:
        assert advance(state, Signal.STOP) is SafetyState.STOPPED
    for signal in (Signal.PRESS, Signal.RELEASE, Signal.LEASE, Signal.PLACE, Signal.TEST, Signal.HALT):
        assert advance(SafetyState.STOPPED, signal) is None
        assert advance(SafetyState.FAULT, signal) is None


def test_motion_is_only_reached_from_park_ramp_or_motion() -> None:
    sources = {state for state, signal in TABLE if TABLE[state, signal] is SafetyState.MOVING}
    assert sources == {SafetyState.PARK, SafetyState.RAMP, SafetyState.MOVING}


def test_lift_is_possible_in_every_state_but_a_fault_where_the_controller_does_it() -> None:
    assert {s for s in SafetyState if advance(s, Signal.LIFT) is SafetyState.LIFT} == set(SafetyState) - {
        SafetyState.FAULT
    }
