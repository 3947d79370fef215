"""From the couch to *ready*: who, whether it may be done, consent, self-test."""

from __future__ import annotations

import json
from typing import Any
from uuid import UUID

from django.db import transaction

from devices.fleet import selectors as fleet
from devices.fleet import services as fleet_services
from devices.fleet.push import push_robot
from hospital.access.principals import Principal
from hospital.common.clock import now
from hospital.common.errors import Conflict, Forbidden, Invalid
from hospital.people import services as people_services
from hospital.people.rules import REMOTE_EXAM

from .. import rules, selectors
from ..models import Checklist, Exam, IdentifierCheck
from ..states import Command, State
from ..worklist import worklist_item
from .steps import end_of, exam_locked, noted, part_checked, reason_checked, refuse_if_missing, step


@transaction.atomic
def exam_identify(*, principal: Principal, exam_id: UUID, confirmed: list[str]) -> Exam:
    """Two identifiers confirmed with the patient at one end. Asking again replaces that end's check."""
    exam = exam_locked(principal, exam_id)
    end = end_of(principal, exam)
    if State(exam.state) not in {State.CHECKED_IN, State.READY, State.LIVE, State.PAUSED}:
        raise Conflict("illegal_transition", state=exam.state, command="identify")
    if not set(confirmed) <= set(rules.IDENTIFIERS):
        raise Invalid("identifiers_unknown", known=list(rules.IDENTIFIERS))
    if len(set(confirmed)) < rules.IDENTIFIERS_NEEDED:
        raise Invalid("identifiers_too_few")
    IdentifierCheck.objects.update_or_create(
        exam=exam, end=end, defaults={"confirmed": sorted(set(confirmed)), "by_id": principal.id, "at": now()}
    )
    noted(exam, principal, "exam.identify", end)
    return exam


def _preparing(exam: Exam, principal: Principal, what: str) -> None:
    if State(exam.state) not in {State.CHECKED_IN, State.READY}:
        raise Conflict("illegal_transition", state=exam.state, command=what)
    if principal.id != exam.bedside_physician_id:
        raise Forbidden("not_permitted")


@transaction.atomic
def checklist_answer(*, principal: Principal, exam_id: UUID, answers: dict[str, Any]) -> Exam:
    """All questions at once. Concerns ask for both physicians' agreement; new answers ask for it again."""
    exam = exam_locked(principal, exam_id)
    _preparing(exam, principal, "checklist")
    absent = [name for name in rules.CHECKLIST if answers.get(name) in (None, "")]
    if absent:
        raise Invalid("checklist_incomplete", absent=absent)
    Checklist.objects.update_or_create(
        exam=exam,
        defaults={
            "answers": json.dumps({name: answers[name] for name in rules.CHECKLIST}, ensure_ascii=False),
            "concerns": list(rules.concerns_of(answers)),
            "answered_by_id": principal.id,
            "answered_at": now(),
            "agreed_bedside_at": None,
            "agreed_remote_at": None,
        },
    )
    noted(exam, principal, "exam.checklist")
    return exam


@transaction.atomic
def checklist_agree(*, principal: Principal, exam_id: UUID) -> Exam:
    """One physician's decision to go on in spite of the concerns; both are needed."""
    exam = exam_locked(principal, exam_id)
    end = end_of(principal, exam)
    checklist = getattr(exam, "checklist", None)
    if checklist is None:
        raise Conflict("checklist_missing")
    if not checklist.concerns:
        raise Conflict("checklist_no_concerns")
    setattr(checklist, f"agreed_{end}_at", now())
    checklist.save()
    noted(exam, principal, "exam.checklist_agree", end)
    return exam


@transaction.atomic
def exam_consent(*, principal: Principal, exam_id: UUID, kind: str = "remote_exam", **given: Any) -> Exam:
    """Record the written consent for this exam or its recording; fields as `people_services.consent_record`."""
    exam = exam_locked(principal, exam_id)
    _preparing(exam, principal, "consents")
    people_services.consent_record(
        principal=principal, patient_id=exam.patient_id, kind=kind, exam_id=exam.id, **given
    )
    noted(exam, principal, "exam.consent")
    return exam


@transaction.atomic
def exam_consent_withdraw(
    *, principal: Principal, exam_id: UUID, reason: str, kind: str = "remote_exam"
) -> Exam:
    """Withdrawal acts at once, see `consent_gone`."""
    exam = exam_locked(principal, exam_id)
    if principal.id != exam.bedside_physician_id:
        raise Forbidden("not_permitted")
    people_services.consent_withdraw(
        principal=principal, exam_id=exam.id, kind=kind, reason=reason_checked(reason)
    )
    return selectors.exam_get(principal, exam.id)


@transaction.atomic
def consent_gone(*, principal: Principal, exam_id: UUID, kind: str, reason: str) -> None:
    """Whoever withdrew, at the bedside or by app: a live exam is paused, the lease ends, the next start is refused.
    Without a consent to recording the exam itself goes on."""
    exam = Exam.objects.select_for_update().filter(id=exam_id).first()
    if exam is None:
        return
    if kind == REMOTE_EXAM:
        fleet_services.lease_release(exam_id=exam.id, code="consent_withdrawn")
        if exam.state == State.LIVE:
            step(exam, Command.PAUSE, principal, "consent_withdrawn")
    noted(exam, principal, "exam.consent_withdraw", reason)


@transaction.atomic
def exam_self_test(*, principal: Principal, exam_id: UUID) -> Exam:
    """Ask the robot for its self-test; the answer arrives on its own socket. Conflict while the robot is away."""
    exam = exam_locked(principal, exam_id)
    _preparing(exam, principal, "self_test")
    if not fleet.is_online(exam.robot):
        raise Conflict("robot_offline")
    fleet_services.self_test_ask(robot_id=exam.robot_id, exam_id=exam.id, by_id=principal.id)
    noted(exam, principal, "exam.self_test")
    return exam


@transaction.atomic
def exam_ready(*, principal: Principal, exam_id: UUID) -> Exam:
    """The bedside's part is done: its gates are checked, the robot gets the worklist item."""
    exam = exam_locked(principal, exam_id)
    part_checked(principal, exam, Command.READY)
    if exam.state == State.CHECKED_IN:
        refuse_if_missing(exam, only=rules.READY_GATES)
    exam.ready_at = now()
    step(exam, Command.READY, principal)
    push_robot(exam.robot_id, {"type": "worklist", **worklist_item(exam)})
    return exam
