"""Papers that end: the right people are told 30, 7 and 1 days before, in the house's own mailbox.

Each warning is a row of due work; when it is due it reads the paper again, and says nothing about one that was renewed,
ended or revoked meanwhile.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from datetime import date, timedelta
from typing import Any
from uuid import UUID

from hospital.access.models import Membership
from hospital.common.clock import shanghai_day, today
from hospital.common.work import work_add, worker
from hospital.messages.services import notices_give

from .models import Agreement, Practitioner, Privilege, Registration

DAYS_BEFORE = (30, 7, 1)
AT_HOUR = timedelta(hours=8)  # design value: the beginning of a working day in Shanghai
WARNING = "paper_ends"
# What ends -> (Chinese, English), as the message says it.
NAMES = {
    "agreement": ("远程医疗协议", "the telemedicine agreement"),
    "licence": ("医师执业证书", "a physician's licence"),
    "registration": ("医师执业注册或备案", "a physician's registration"),
    "privilege": ("超声机器人操作授权", "a privilege at the robot"),
}


def paper_watched(kind: str, paper_id: UUID, ends_on: date) -> None:
    """Due work for each warning of this paper; asking twice for the same end is asking once."""
    for days in DAYS_BEFORE:
        work_add(
            kind=WARNING,
            key=f"{kind}:{paper_id}:{ends_on}:{days}",
            payload={"kind": kind, "paper_id": str(paper_id), "ends_on": ends_on.isoformat(), "days": days},
            due_at=shanghai_day(ends_on - timedelta(days=days))[0] + AT_HOUR,
        )


def _agreement(paper_id: str, ends_on: date) -> tuple[str, list[UUID]] | None:
    row = Agreement.objects.filter(id=paper_id, valid_to=ends_on, ended_at=None).first()
    return (
        None
        if row is None
        else (
            f"{row.inviting.short_name} – {row.invited.short_name}",
            _people(["system_admin"], [row.inviting_id, row.invited_id]),
        )
    )


def _licence(paper_id: str, ends_on: date) -> tuple[str, list[UUID]] | None:
    row = Practitioner.objects.filter(user_id=paper_id, licence_expires_on=ends_on).first()
    return None if row is None else (row.user.name, [row.user_id, *_keepers(row.user_id, "system_admin")])


def _registration(paper_id: str, ends_on: date) -> tuple[str, list[UUID]] | None:
    row = Registration.objects.filter(id=paper_id, valid_to=ends_on, ended_at=None).first()
    return (
        None
        if row is None
        else (
            f"{row.user.name}, {row.institution.short_name}",
            [row.user_id, *_keepers(row.user_id, "system_admin")],
        )
    )


def _privilege(paper_id: str, ends_on: date) -> tuple[str, list[UUID]] | None:
    row = Privilege.objects.filter(id=paper_id, valid_to=ends_on, revoked_at=None).first()
    return (
        None
        if row is None
        else (
            row.user.name,
            [row.user_id, *_people(["quality_control"], [row.institution_id])],
        )
    )


_READ: dict[str, Callable[[str, date], tuple[str, list[UUID]] | None]] = {
    "agreement": _agreement,
    "licence": _licence,
    "registration": _registration,
    "privilege": _privilege,
}


def _people(roles: Iterable[str], institutions: Iterable[UUID]) -> list[UUID]:
    found = Membership.objects.filter(
        role__in=list(roles), institution_id__in=list(institutions), user__is_active=True
    )
    return list(found.values_list("user_id", flat=True))


def _keepers(user_id: UUID, role: str) -> list[UUID]:
    """Who keeps this physician's papers where they work."""
    mine = Membership.objects.filter(user_id=user_id).values_list("institution_id", flat=True)
    return _people([role], mine)


@worker(WARNING)
def _warn(payload: dict[str, Any]) -> None:
    """Nothing when the paper ends another day by now, when it is over, or when a nearer warning is due already."""
    ends_on = date.fromisoformat(payload["ends_on"])
    left = (ends_on - today()).days
    nearer = [days for days in DAYS_BEFORE if days < payload["days"]]
    if not 0 <= left <= payload["days"] or any(left <= days for days in nearer):
        return
    found = _READ[payload["kind"]](payload["paper_id"], ends_on)
    if found is None:
        return
    name, readers = found
    zh, en = NAMES[payload["kind"]]
    notices_give(
        user_ids=readers,
        template="paper_ends",
        context={"what": zh, "what_en": en, "name": name, "day": ends_on.isoformat(), "days": str(left)},
    )
