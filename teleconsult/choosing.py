"""One team out of those who are free: who was there before stays where they can. Pure."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence


def team_chosen(
    free: Mapping[str, Sequence[str]], *, kept: Mapping[str, str], people: Collection[str]
) -> dict[str, str] | None:
    """Role -> id, the one in `kept` first, else as listed; `people` are different persons. None when nobody is left."""
    return _chosen(list(free), free, kept, frozenset(people), frozenset())


def _chosen(
    roles: Sequence[str],
    free: Mapping[str, Sequence[str]],
    kept: Mapping[str, str],
    people: frozenset[str],
    used: frozenset[str],
) -> dict[str, str] | None:
    if not roles:
        return {}
    role, *rest = roles
    for one in sorted(free[role], key=lambda ident: ident != kept.get(role)):
        if role in people and one in used:
            continue
        others = _chosen(rest, free, kept, people, used | {one} if role in people else used)
        if others is not None:
            return {role: one, **others}
    return None
