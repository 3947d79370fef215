from __future__ import annotations

from itertools import product

import pytest

from teleconsult.states import OVER, TRANSITIONS, Command, IllegalTransition, State, advance, commands

# Written out a second time on purpose: this is the specification, the table is the implementation.
LEGAL = {
    ("booked", "move", "booked"),
    ("booked", "check_in", "checked_in"),
    ("booked", "no_show", "no_show"),
    ("booked", "cancel", "cancelled"),
    ("checked_in", "ready", "ready"),
    ("checked_in", "cancel", "cancelled"),
    ("checked_in", "abort", "aborted"),
    ("ready", "start", "live"),
    ("ready", "cancel", "cancelled"),
    ("ready", "abort", "aborted"),
    ("live", "pause", "paused"),
    ("live", "end", "ended"),
    ("live", "abort", "aborted"),
    ("paused", "resume", "live"),
    ("paused", "end", "ended"),
    ("paused", "abort", "aborted"),
    ("ended", "report", "reported"),
}


@pytest.mark.parametrize(("before", "command"), list(product(State, Command)))
def test_every_pair_of_state_and_command_is_either_in_the_specification_or_refused(
    before: State, command: Command
) -> None:
    legal = {after for state, given, after in LEGAL if (state, given) == (before, command)}
    if legal:
        assert {advance(before, command)} == legal
    else:
        with pytest.raises(IllegalTransition):
            advance(before, command)


def test_the_table_has_no_row_beyond_the_specification() -> None:
    assert {(str(b), str(c), str(a)) for (b, c), a in TRANSITIONS.items()} == LEGAL


def test_an_exam_that_is_over_never_becomes_live_again() -> None:
    for state in OVER:
        assert commands(state) <= {Command.REPORT}
