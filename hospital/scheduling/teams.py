"""The moments at which one of each role is free, from each one's own free starts. Pure."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from functools import reduce
from itertools import chain
from uuid import UUID

from .intervals import Spans, holds, intersect, marks, normal

Members = Mapping[UUID, Spans]  # who or what can fill a role -> the moments at which it can begin
Free = dict[str, list[UUID]]


def common(roles: Mapping[str, Members]) -> Spans:
    """The moments at which every role has somebody; not yet that they are different people."""
    free = [normal(chain.from_iterable(members.values())) for members in roles.values()]
    return reduce(intersect, free) if free else []


def _possible(roles: Sequence[Collection[UUID]]) -> bool:
    """Whether each role can be given to somebody else: three roles at most, so trying is enough."""
    if not roles:
        return True
    first, *rest = roles
    return any(_possible([[other for other in role if other != one] for role in rest]) for one in first)


def different(free: Free, people: Collection[str]) -> Free | None:
    """Without those who are free but needed in another role, as far as it takes; None when it can't be done.

    Nobody fills two roles of one exam. Who is left can be chosen, and the other roles still be filled.
    """
    kept = dict(free)
    for role in people:
        others = [[*free[other]] for other in people if other != role]
        kept[role] = [
            one for one in free[role] if _possible([[x for x in other if x != one] for other in others])
        ]
    return kept if all(kept.values()) else None


def times_on(
    roles: Mapping[str, Members], *, people: Collection[str], within: Spans, step: int
) -> Iterator[tuple[int, Free]]:
    """(moment, who is free in each role), ascending: the multiples of `step` in `within` at which a whole team is
    free. `people` are the roles that must be different persons."""
    for mark in marks(intersect(common(roles), within), step=step):
        free = {
            role: [one for one, spans in members.items() if holds(spans, mark)]
            for role, members in roles.items()
        }
        found = different(free, people)
        if found is not None:
            yield mark, found
