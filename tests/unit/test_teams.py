"""When a whole team is free, against trying every moment and every choice of people."""

from __future__ import annotations

from itertools import product
from uuid import UUID

from hypothesis import given
from hypothesis import strategies as st

from hospital.scheduling.intervals import holds, normal
from hospital.scheduling.teams import common, different, times_on

IDS = [UUID(int=number) for number in range(1, 5)]
LAST = 40
SPANS = st.lists(st.tuples(st.integers(0, LAST), st.integers(0, LAST)), max_size=4).map(normal)
MEMBERS = st.dictionaries(st.sampled_from(IDS), SPANS, max_size=4)
ROLES = st.fixed_dictionaries({"remote": MEMBERS, "bedside": MEMBERS, "assistant": MEMBERS, "room": MEMBERS})
PEOPLE = ("remote", "bedside", "assistant")


def naive(roles: dict[str, dict[UUID, list[tuple[int, int]]]], moment: int) -> dict[str, set[UUID]] | None:
    """Every choice of one for each role that are three different people; who appears in any, by role."""
    free = {
        name: [one for one, spans in members.items() if holds(spans, moment)]
        for name, members in roles.items()
    }
    chosen: dict[str, set[UUID]] = {name: set() for name in roles}
    for choice in product(*free.values()):
        team = dict(zip(free, choice, strict=True))
        if len({team[name] for name in PEOPLE}) == len(PEOPLE):
            for name, one in team.items():
                chosen[name].add(one)
    return chosen if all(chosen.values()) else None


@given(ROLES, st.integers(1, 7))
def test_the_times_found_are_those_at_which_a_team_of_different_people_exists(
    roles: dict[str, dict[UUID, list[tuple[int, int]]]], step: int
) -> None:
    found = {
        moment: {name: set(ids) for name, ids in free.items()}
        for moment, free in times_on(roles, people=PEOPLE, within=[(0, LAST)], step=step)
    }
    wanted = {moment: team for moment in range(0, LAST, step) if (team := naive(roles, moment)) is not None}
    assert found == wanted


def test_who_could_only_be_two_at_once_is_no_team() -> None:
    one, other, _, _ = IDS
    assert different({"remote": [one], "bedside": [one]}, ["remote", "bedside"]) is None
    assert different({"remote": [one, other], "bedside": [one]}, ["remote", "bedside"]) == {
        "remote": [other],
        "bedside": [one],
    }


def test_a_role_that_nobody_fills_leaves_no_time() -> None:
    assert common({"remote": {IDS[0]: [(0, 10)]}, "room": {}}) == []
    assert common({}) == []
