"""How a queue moves: turns, passes, predictions, and what somebody shows at the desk."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from uuid import UUID, uuid4

import pytest
from hypothesis import given
from hypothesis import strategies as st

from teleconsult.queue_rules import (
    Planned,
    Said,
    Turn,
    expected_minutes,
    predicted,
    said_of,
    too_late,
    turn_after,
)

NINE = datetime(2026, 11, 24, 1, tzinfo=UTC)


def queue_after_pass(turns: list[Turn], who: int, at: float) -> list[int]:
    """The numbers in their order after `who` was passed."""
    rest = sorted(turn for turn in turns if turn.number != who)
    mine = next(turn for turn in turns if turn.number == who)
    back = Turn(max(mine.turn, turn_after(rest)), at, who)
    return [turn.number for turn in sorted([*rest, back])]


def test_a_passed_number_comes_again_after_the_next_two() -> None:
    turns = [Turn(540 + 20 * n, 0.0, n) for n in range(1, 6)]
    assert queue_after_pass(turns, 1, 1.0) == [2, 3, 1, 4, 5]


def test_two_that_were_passed_keep_their_order_and_each_has_two_before_it() -> None:
    turns = [Turn(580, 100.0, 1), Turn(560, 0.0, 2), Turn(580, 0.0, 3), Turn(600, 0.0, 4)]
    assert queue_after_pass(turns, 2, 200.0) == [3, 1, 2, 4]


@given(st.lists(st.integers(480, 1000), min_size=1, max_size=12))
def test_who_is_passed_has_two_before_them_or_everybody(times: list[int]) -> None:
    turns = sorted(Turn(minute, 0.0, number) for number, minute in enumerate(times, 1))
    first = turns[0].number
    order = queue_after_pass(turns, first, 5.0)
    assert order.index(first) == min(2, len(times) - 1)
    assert [number for number in order if number != first] == [turn.number for turn in turns[1:]]


def test_recent_exams_say_how_long_the_next_takes_and_one_that_went_wrong_says_nothing() -> None:
    assert expected_minutes([30, 30, 31, 29, 240], 20) == 30
    assert expected_minutes([30, 30, 30, 30], 20) == 20  # too few
    assert expected_minutes([1.0] * 9, 20) == 10
    assert expected_minutes([40.0] * 20 + [1.0] * 200, 20) == 40  # the newest count


def test_delays_add_up_and_a_gap_takes_them_back() -> None:
    ids = [uuid4() for _ in range(3)]
    starts = [NINE, NINE + timedelta(minutes=20), NINE + timedelta(minutes=90)]
    plan = [Planned(ident, start, 30.0) for ident, start in zip(ids, starts, strict=True)]
    found = predicted(plan, NINE + timedelta(minutes=15))
    assert [found[ident] - NINE for ident in ids] == [timedelta(minutes=n) for n in (15, 45, 90)]
    assert [too_late(row.starts_at, found[row.exam_id]) for row in plan] == [False, True, False]


def test_twenty_minutes_are_not_yet_too_late() -> None:
    assert not too_late(NINE, NINE + timedelta(minutes=20))
    assert too_late(NINE, NINE + timedelta(minutes=20, seconds=1))


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("YDA.abc_-1", Said(token="abc_-1")),
        ("310229195003150012", Said(document_number="310229195003150012")),
        ("３１０２２９195003150012", Said(document_number="310229195003150012")),
        ("0001 王小东", Said(phone_tail="0001", name="王小东")),
        ("0001　王小东", Said(phone_tail="0001", name="王小东")),
        ("王小东", None),
        ("0001", None),
        ("", None),
    ],
)
def test_a_scan_a_document_or_a_tail_with_a_name_is_understood(text: str, said: Said | None) -> None:
    assert said_of(text) == said


def test_nothing_waits_nothing_is_predicted() -> None:
    nobody: dict[UUID, datetime] = {}
    assert predicted([], NINE) == nobody
    assert turn_after([]) == 0
