"""Questions within a caller's reach that come again and again: built once for each form of caller, not for each caller.

    @reached
    def _exam(principal: Principal, action: str, *, exam_id: Value, moment: Value) -> QuerySet[Exam]:
        return Exam.objects.filter(within(principal, action, "exam", moment=moment), id=exam_id)

    found = _exam(principal, "exam.read", exam_id=exam_id)

While it is built, a stand-in asks: the caller's kind and roles, with places for the ids. Scopes may decide by the former
and put the latter into conditions, not compare them.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable
from dataclasses import dataclass
from typing import Any, Generic

from django.db.models import QuerySet

from hospital.common.clock import now
from hospital.common.prebuilt import Prebuilt, Row, Value, each

from .principals import Kind, Principal, Seat
from .table import PEER


@dataclass(frozen=True)
class Form:
    """All that scopes may decide by. `seated`: on a paired tablet, for the bedside only or not; None for elsewhere."""

    kind: Kind
    roles: tuple[str, ...]
    seated: bool | None


def form_of(principal: Principal) -> Form:
    seat = principal.seat
    return Form(
        kind=principal.kind,
        roles=tuple([role for _, role in principal.memberships]),
        seated=None if seat is None else seat.bedside_only,
    )


def ids_of(principal: Principal) -> dict[str, Any]:
    seat = principal.seat
    return {
        "me": principal.id,
        "held": tuple([place for place, _ in principal.memberships]),
        "seat": () if seat is None else (seat.tablet_id, seat.institution_id, seat.room_id),
    }


def stand_in(form: Form, *, me: Value, held: Value, seat: Value) -> Principal:
    """A caller of this form whose ids are places."""
    places, at = each(held), each(seat)
    return Principal(
        kind=form.kind,
        id=me,
        name="",
        memberships=tuple(zip(places, form.roles, strict=True)),
        token_id=None,
        seat=None
        if form.seated is None
        else Seat(tablet_id=at[0], institution_id=at[1], room_id=at[2], bedside_only=form.seated),
    )


class Reached(Generic[Row]):
    """A question that is prebuilt for each form of caller."""

    def __init__(self, build: Callable[..., QuerySet[Any, Row]]) -> None:
        self.build, self.__doc__ = build, build.__doc__
        self.prebuilt: Prebuilt[Row] = Prebuilt(self._stood_in_for)

    def __call__(self, principal: Principal, *shape: Hashable, **values: Any) -> list[Row]:
        values["moment"] = now()
        if principal.kind == PEER:  # its scope reads the key first
            return list(self.build(principal, *shape, **values))
        return self.prebuilt(form_of(principal), *shape, **ids_of(principal), **values)

    def one(self, principal: Principal, *shape: Hashable, **values: Any) -> Row | None:
        """What is asked for by something unique."""
        return next(iter(self(principal, *shape, **values)), None)

    def _stood_in_for(
        self, form: Form, *shape: Hashable, me: Value, held: Value, seat: Value, **values: Value
    ) -> QuerySet[Any, Row]:
        return self.build(stand_in(form, me=me, held=held, seat=seat), *shape, **values)


def reached(build: Callable[..., QuerySet[Any, Row]]) -> Reached[Row]:
    """Decorator of a function that builds a queryset within somebody's reach; see above."""
    return Reached(build)
