"""How the control benchmark counts: each command once, as applied, superseded, refused or lost."""

from __future__ import annotations

import pytest

from devices.wire.messages import SafetyState
from tests.bench.commands import Answer, ledger, read, share_moving

MOVING = int(SafetyState.MOVING)


def _answered(*named: tuple[int, int, float]) -> list[Answer]:
    """Answers (applied, last, ms)."""
    return [Answer(at_ms, applied, last, MOVING) for applied, last, at_ms in named]


def test_a_command_counts_from_leaving_the_page_to_the_first_answer_that_says_applied() -> None:
    found = ledger([(1, 100.0), (2, 120.0)], _answered((1, 1, 103.0), (1, 1, 110.0), (2, 2, 124.5)))
    assert found.rtt_ms == [3.0, 4.5]
    assert (found.superseded, found.refused, found.lost) == (0, 0, 0)


def test_what_a_newer_command_replaced_in_the_page_is_superseded() -> None:
    found = ledger([(1, 100.0), (3, 140.0)], _answered((1, 1, 103.0), (3, 3, 143.0)))
    assert (found.replaced, found.superseded, found.lost) == (1, 1, 0)


def test_what_the_robot_jumped_over_is_superseded_and_has_no_time() -> None:
    found = ledger([(1, 100.0), (2, 120.0), (3, 121.0)], _answered((1, 1, 103.0), (3, 3, 124.0)))
    assert (found.jumped, found.superseded, found.lost) == (1, 1, 0)
    assert found.rtt_ms == [3.0, 3.0]


def test_what_the_robot_heard_and_did_not_apply_is_refused_also_when_a_later_one_is_applied() -> None:
    answers = _answered((1, 1, 103.0), (1, 2, 123.0), (3, 3, 143.0))
    found = ledger([(1, 100.0), (2, 120.0), (3, 140.0)], answers)
    assert (found.refused, found.lost) == (1, 0)
    assert found.rtt_ms == [3.0, 3.0]


def test_a_command_after_which_nothing_was_applied_is_lost() -> None:
    found = ledger([(1, 100.0), (2, 120.0), (3, 140.0)], _answered((1, 1, 103.0)))
    assert found.lost == 2


def test_answers_that_overtook_each_other_do_not_make_a_loss() -> None:
    found = ledger([(1, 100.0), (2, 120.0)], _answered((2, 2, 124.0), (1, 1, 125.0)))
    assert found.lost == 0
    assert found.jumped + len(found.rtt_ms) == 2


def test_commands_still_on_their_way_are_not_counted() -> None:
    seen = {
        "commands": [[1, 1000.0], [2, 1400.0], [3, 1900.0]],
        "answers": [[1003.0, 1, 1, MOVING, 0]],
        "at_ms": 2000.0,
        "offset_ms": 0.2,
        "asking_ms": 1.0,
    }
    commands, answers = read(seen)
    assert commands == [(1, 1000.0), (2, 1400.0)]
    assert answers == [Answer(1003.0, 1, 1, MOVING, 0)]


def test_clocks_that_are_apart_end_the_benchmark() -> None:
    seen = {"commands": [], "answers": [], "at_ms": 0.0, "offset_ms": 40.0, "asking_ms": 1.0}
    with pytest.raises(ValueError, match="clock"):
        read(seen)


def test_the_share_of_answers_in_which_the_arm_followed_the_hand() -> None:
    states = [SafetyState.MOVING, SafetyState.MOVING, SafetyState.HOLD, SafetyState.PARK]
    assert share_moving(Answer(0.0, 1, 1, int(state)) for state in states) == 0.5
