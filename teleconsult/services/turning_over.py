"""Between two exams: who did what, item by item. What was signed wrongly is taken back by a further row."""

from __future__ import annotations

from uuid import UUID

from django.db import transaction

from devices.fleet.push import push_desk, push_exam_changed
from hospital.access.principals import Principal
from hospital.audit.services import audit_record
from hospital.common.clock import now
from hospital.common.errors import Conflict, Invalid

from .. import turnover as turnovers
from ..models import Exam, Turnover, TurnoverTick
from ..turnover_rules import BY_CODE, means_fit
from .steps import reason_checked

SIGN = "turnover.sign"


def turnover_owed(exam: Exam) -> None:
    """From the first moment on the skin, in the transaction that lets the exam go live; for one that went live before
    this house knew turnovers, in the one that ends it."""
    Turnover.objects.get_or_create(
        exam=exam,
        defaults={
            "institution_id": exam.requesting_institution_id,
            "robot_id": exam.robot_id,
            "room_id": exam.room_id,
            "probe_id": exam.probe_id,
            "begun_at": exam.started_at or now(),
        },
    )


def _locked(principal: Principal, turnover_id: UUID) -> Turnover:
    """Within the caller's reach, its row locked, read after the lock. Conflict `turnover_not_due` before its time."""
    turnovers.turnover_get(principal, turnover_id, SIGN)
    Turnover.objects.select_for_update().filter(id=turnover_id).first()
    row = turnovers.turnover_get(principal, turnover_id, SIGN)
    if not turnovers.is_due(row):
        raise Conflict("turnover_not_due")
    return row


def _ticked(
    principal: Principal, row: Turnover, *, done: bool, item: str, means: str, reason: str
) -> Turnover:
    last = turnovers.newest_ticks(row).get(item)
    TurnoverTick.objects.create(
        turnover=row,
        item=item,
        step=last.step + 1 if last else 1,
        done=done,
        means=means,
        reason=reason,
        by_id=principal.id,
    )
    audit_record(
        principal=principal,
        action=SIGN if done else "turnover.take_back",
        object_kind="turnover",
        object_id=row.id,
        institution_id=row.institution_id,
        reason=f"{item}: {reason or means}" if reason or means else item,
    )
    push_desk(row.institution_id, None)
    for exam_id in turnovers.waiting_exams(row):
        push_exam_changed(exam_id)
    return turnovers.turnover_get(principal, row.id, SIGN)


def _item_known(item: str) -> None:
    if item not in BY_CODE:
        raise Invalid("invalid", field="item")


@transaction.atomic
def turnover_sign(*, principal: Principal, turnover_id: UUID, item: str, means: str = "") -> Turnover:
    """The caller did this item. Invalid `turnover_means` without, or with a needless, means; Conflict
    `turnover_signed` when somebody signed it already: two people can't both have done it."""
    _item_known(item)
    if not means_fit(BY_CODE[item], means):
        raise Invalid("turnover_means", field="means")
    row = _locked(principal, turnover_id)
    last = turnovers.newest_ticks(row).get(item)
    if last is not None and last.done:
        raise Conflict("turnover_signed", by=last.by.name, at=last.at.isoformat())
    return _ticked(principal, row, done=True, item=item, means=means, reason="")


@transaction.atomic
def turnover_take_back(*, principal: Principal, turnover_id: UUID, item: str, reason: str) -> Turnover:
    """A signature was wrong: the item is open again, both rows stay. Conflict `turnover_not_signed`."""
    _item_known(item)
    row = _locked(principal, turnover_id)
    last = turnovers.newest_ticks(row).get(item)
    if last is None or not last.done:
        raise Conflict("turnover_not_signed")
    return _ticked(principal, row, done=False, item=item, means="", reason=reason_checked(reason))
