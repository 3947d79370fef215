"""What a patient's account does with its bookings: the same services as the desk's, with a team found for it."""

from __future__ import annotations

from datetime import datetime
from typing import Any
from uuid import UUID

from django.db import transaction

from hospital.access.principals import SYSTEM, Principal
from hospital.common.clock import now
from hospital.common.errors import Conflict

from .. import finding, selectors
from ..choosing import team_chosen
from ..models import Exam
from .booking import exam_move
from .steps import exam_locked

BOOK = "me.book"


def wish_of(exam: Exam, *, starts_from: datetime | None, days: int, part_of_day: str = "") -> finding.Wish:
    """The same exam at the same place at another time."""
    return finding.Wish(
        exam_type=exam.exam_type_id,
        starts_from=max(starts_from or now(), now()),
        days=days,
        place_ids=frozenset({exam.requesting_institution_id}),
        part_of_day=part_of_day,
    )


def own_times(principal: Principal, exam_id: UUID, *, page: int, **when: Any) -> finding.Found:
    """When the patient's booking could be instead. NotFound for another's."""
    exam = selectors.exam_get(principal, exam_id, BOOK)
    return finding.times_find(SYSTEM, wish_of(exam, **when), page=page)


def team_at(wish: finding.Wish, kept: dict[str, str]) -> dict[str, UUID] | None:
    """A team that is free when the wish begins, as the fields of a booking; who is in `kept` first."""
    found = finding.times_find(SYSTEM, wish, size=1).results
    if not found or datetime.fromisoformat(found[0]["starts_at"]) != wish.starts_from:
        return None
    free = {role: ids for role, ids in found[0]["free"].items() if role != finding.PROBE}
    team = team_chosen(free, kept=kept, people=finding.PEOPLE)
    return {f"{role}_id": UUID(one) for role, one in team.items()} if team else None


def _kept(exam: Exam) -> dict[str, str]:
    names = (finding.REMOTE, finding.BEDSIDE, finding.ASSISTANT, finding.ROBOT, finding.ROOM)
    return {name: str(getattr(exam, f"{name}_id")) for name in names}


@transaction.atomic
def own_move(
    *,
    principal: Principal,
    exam_id: UUID,
    starts_at: datetime,
    expected_starts_at: datetime | None = None,
) -> Exam:
    """As `exam_move`, with who was booked as far as they are free then. Conflict `taken` when no team is."""
    exam = exam_locked(principal, exam_id, BOOK)
    team = team_at(wish_of(exam, starts_from=starts_at, days=1), _kept(exam))
    if team is None:
        raise Conflict("taken", taken=[])
    changes: dict[str, Any] = dict(team)
    return exam_move(
        principal=principal,
        exam_id=exam_id,
        starts_at=starts_at,
        expected_starts_at=expected_starts_at,
        **changes,
    )
