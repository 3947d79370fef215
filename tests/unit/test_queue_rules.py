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
    expected_minutes,
    predicted,
    said_of,
    too_late,
    turn_after,
)

NINE = datetime(2026, 11, 24, 1, tzinfo=UTC)


def passed(turns: dict[int, float], who: int) -> None:
    """`who` was called and did not come; `turns` is number -> turn."""
    rest = sorted(turn for number, turn in turns.items() if number != who)
    turns[who] = turn_after(turns[who], rest)


def order(turns: dict[int, float]) -> list[int]:
    return sorted(turns, key=lambda number: turns[number])


def test_a_passed_number_comes_again_after_the_next_two() -> None:
    turns = {n: 540.0 + 20 * n for n in range(1, 6)}
    passed(turns, 1)
    assert order(turns) == [2, 3, 1, 4, 5]


def test_two_that_were_passed_each_have_two_before_them() -> None:
    turns = {n: 540.0 + 20 * n for n in range(1, 6)}
    passed(turns, 1)
    passed(turns, 2)
    assert order(turns) == [3, 1, 2, 4, 5]


def test_who_was_called_out_of_turn_does_not_gain_by_not_coming() -> None:
    turns = {n: 540.0 + 20 * n for n in range(1, 6)}
    passed(turns, 5)
    assert order(turns) == [1, 2, 3, 4, 5]


@given(st.lists(st.integers(480, 1000), min_size=1, max_size=12, unique=True), st.integers(0, 30))
def test_who_is_passed_has_two_before_them_or_everybody_however_often(times: list[int], passes: int) -> None:
    turns = dict(enumerate(map(float, times), 1))
    for _ in range(passes):
        before = order(turns)
        passed(turns, before[0])
        after = order(turns)
        assert after.index(before[0]) == min(2, len(times) - 1)
        assert [number for number in after if number != before[0]] == before[1:]


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
    assert turn_after(540, []) == 540
