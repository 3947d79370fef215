"""Writes of an exam's life. Each is one transaction; each state change goes through the table."""

from __future__ import annotations

import json
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from django.db import connection, transaction

from devices.fleet import selectors as fleet
from devices.fleet import services as fleet_services
from devices.fleet.push import push_exam, push_exam_changed, push_robot
from hospital.access.models import Membership
from hospital.access.principals import SYSTEM, Principal
from hospital.audit.services import audit_record
from hospital.common.clock import now
from hospital.common.errors import Conflict, Forbidden, Invalid
from hospital.people import selectors as people
from hospital.people import services as people_services
from hospital.scheduling import selectors as scheduling
from hospital.scheduling import services as scheduling_services

from . import rules, selectors
from .models import Checklist, Exam, ExamTransition, IdentifierCheck
from .representations import COMMAND_PEOPLE, parts_of
from .states import Command, IllegalTransition, State, advance
from .worklist import worklist_item

BOOKING_GRACE = timedelta(minutes=5)  # a start a few minutes ago still means "now"


def _locked(principal: Principal, exam_id: UUID) -> Exam:
    """The exam, visible to the caller, with its row locked."""
    selectors.exam_get(principal, exam_id)
    Exam.objects.select_for_update().get(id=exam_id)
    return selectors.exam_get(principal, exam_id)


def _step(exam: Exam, command: Command, principal: Principal, reason: str = "") -> None:
    """Apply one row of the table: state, history, audit, news. The caller saves further fields before."""
    before = State(exam.state)
    try:
        after = advance(before, command)
    except IllegalTransition:
        raise Conflict("illegal_transition", state=exam.state, command=str(command)) from None
    exam.state = after
    exam.save()
    ExamTransition.objects.create(
        exam=exam,
        command=command,
        before=before,
        after=after,
        by_id=principal.id,
        by_kind=principal.kind,
        reason=reason,
    )
    audit_record(
        principal=principal,
        action=f"exam.{command}",
        object_kind="exam",
        object_id=exam.id,
        institution_id=exam.requesting_institution_id,
        reason=reason,
    )
    push_exam_changed(exam.id)


def _part(principal: Principal, exam: Exam, command: Command) -> None:
    """The person must have a part in this exam that may give the command."""
    if principal.kind != "system" and not parts_of(principal, exam).intersection(COMMAND_PEOPLE[command][1]):
        raise Forbidden("not_permitted")


def _refuse_if_missing(exam: Exam, **which: frozenset[str]) -> None:
    codes = rules.missing(selectors.gates(exam), **which)
    if codes:
        raise Conflict(codes[0], missing=codes)


def _reason(text: str) -> str:
    if not text.strip():
        raise Invalid("reason_required")
    return text.strip()


def _accession() -> str:
    """At most 16 characters (DICOM SH): `E` and a number from a sequence."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT nextval('teleconsult_accession')")
        row = cursor.fetchone()
    assert row is not None
    return f"E{row[0]:09d}"


def _institution_of(user_id: UUID, role: str, *, within: tuple[UUID, ...] | None = None) -> UUID:
    memberships = Membership.objects.filter(user_id=user_id, role=role, user__is_active=True)
    if within is not None:
        memberships = memberships.filter(institution_id__in=within)
    membership = memberships.order_by("institution_id").first()
    if membership is None:
        raise Invalid("wrong_role", role=role)
    return membership.institution_id


def _resource_ids(*, remote_id: UUID, bedside_id: UUID, robot: Any, room_id: UUID) -> list[UUID]:
    """The four things an exam needs, as schedulable resources, all active."""
    found = scheduling.person_resources([remote_id, bedside_id])
    wanted = [found.get(remote_id), found.get(bedside_id), robot.resource_id, room_id]
    ids = [resource for resource in wanted if resource is not None]
    if len(ids) < 4 or not scheduling.all_active(ids):
        raise Invalid("unknown_resource")
    return ids


@transaction.atomic
def exam_book(
    *,
    principal: Principal,
    patient_id: UUID,
    exam_type: str,
    clinical_question: str,
    history: str,
    remote_physician_id: UUID,
    bedside_physician_id: UUID,
    robot_id: UUID,
    room_id: UUID,
    starts_at: datetime,
) -> Exam:
    """Book physician, physician, robot and room for one time in one transaction.

    Conflict `taken` names all that is taken; Conflict `agreement_missing` or `licence_invalid` when the exam could
    never start; Invalid for people, rooms or times that can't be right.
    """
    desks = tuple(i for i, role in principal.memberships if role in selectors.DESK_ROLES)
    if starts_at < now() - BOOKING_GRACE:
        raise Invalid("in_the_past")
    if remote_physician_id == bedside_physician_id:
        raise Invalid("same_person")
    patient = people.patient_get(principal=principal, patient_id=patient_id)
    kind = scheduling.exam_type_get(exam_type)
    robot = (
        fleet.robot_of_institution(robot_id, desks)
        if principal.kind != "system"
        else fleet.robot_get(robot_id)
    )
    requesting = _institution_of(bedside_physician_id, "bedside_physician", within=(robot.institution_id,))
    performing = _institution_of(remote_physician_id, "remote_physician")
    if requesting == performing:
        raise Invalid("same_institution")
    if scheduling.room_institution(room_id) != requesting:
        raise Invalid("unknown_resource")
    ends_at = starts_at + timedelta(minutes=kind.minutes)
    appointment = scheduling_services.appointment_book(
        resource_ids=_resource_ids(
            remote_id=remote_physician_id, bedside_id=bedside_physician_id, robot=robot, room_id=room_id
        ),
        starts_at=starts_at,
        ends_at=ends_at,
        by=principal.id,
    )
    exam = Exam.objects.create(
        accession=_accession(),
        starts_at=starts_at,
        ends_at=ends_at,
        patient=patient,
        exam_type=kind,
        appointment=appointment,
        remote_physician_id=remote_physician_id,
        bedside_physician_id=bedside_physician_id,
        robot=robot,
        room_id=room_id,
        requesting_institution_id=requesting,
        performing_institution_id=performing,
        clinical_question=clinical_question,
        history=history,
        booked_by_id=None if principal.kind == "system" else principal.id,
    )
    _refuse_if_missing(exam, only=frozenset({"agreement_missing", "licence_invalid"}))
    audit_record(
        principal=principal,
        action="exam.book",
        object_kind="exam",
        object_id=exam.id,
        institution_id=requesting,
    )
    return selectors.exam_get(SYSTEM, exam.id)


@transaction.atomic
def exam_move(*, principal: Principal, exam_id: UUID, starts_at: datetime, **changes: UUID | None) -> Exam:
    """Another time, and other people, robot or room where named; the old time is kept until the new one is sure."""
    exam = _locked(principal, exam_id)
    _part(principal, exam, Command.MOVE)
    if starts_at < now() - BOOKING_GRACE:
        raise Invalid("in_the_past")
    for name in ("remote_physician_id", "bedside_physician_id", "robot_id", "room_id"):
        if changes.get(name) is not None:
            setattr(exam, name, changes[name])
    robot = fleet.robot_of_institution(exam.robot_id, (exam.requesting_institution_id,))
    _institution_of(exam.bedside_physician_id, "bedside_physician", within=(exam.requesting_institution_id,))
    exam.performing_institution_id = _institution_of(exam.remote_physician_id, "remote_physician")
    if exam.performing_institution_id == exam.requesting_institution_id:
        raise Invalid("same_institution")
    if scheduling.room_institution(exam.room_id) != exam.requesting_institution_id:
        raise Invalid("unknown_resource")
    exam.starts_at, exam.ends_at = (
        starts_at,
        starts_at + (exam.ends_at - selectors.exam_get(principal, exam_id).starts_at),
    )
    scheduling_services.appointment_move(
        appointment_id=exam.appointment_id,
        resource_ids=_resource_ids(
            remote_id=exam.remote_physician_id,
            bedside_id=exam.bedside_physician_id,
            robot=robot,
            room_id=exam.room_id,
        ),
        starts_at=exam.starts_at,
        ends_at=exam.ends_at,
        by=principal.id,
    )
    _step(exam, Command.MOVE, principal)
    _refuse_if_missing(exam, only=frozenset({"agreement_missing", "licence_invalid"}))
    return selectors.exam_get(SYSTEM, exam_id)


@transaction.atomic
def exam_cancel(*, principal: Principal, exam_id: UUID, reason: str) -> Exam:
    exam = _locked(principal, exam_id)
    _part(principal, exam, Command.CANCEL)
    exam.end_code, exam.end_reason = "cancelled", _reason(reason)
    _step(exam, Command.CANCEL, principal, reason)
    scheduling_services.appointment_cancel(appointment_id=exam.appointment_id, reason=reason, by=principal.id)
    return exam


@transaction.atomic
def exam_no_show(*, principal: Principal, exam_id: UUID) -> Exam:
    exam = _locked(principal, exam_id)
    _part(principal, exam, Command.NO_SHOW)
    _step(exam, Command.NO_SHOW, principal)
    scheduling_services.appointment_close(appointment_id=exam.appointment_id, status="noshow")
    return exam


@transaction.atomic
def exam_check_in(*, principal: Principal, exam_id: UUID) -> Exam:
    exam = _locked(principal, exam_id)
    _part(principal, exam, Command.CHECK_IN)
    exam.checked_in_at = now()
    _step(exam, Command.CHECK_IN, principal)
    return exam


def _end_of(principal: Principal, exam: Exam) -> str:
    """bedside or remote, from who you are in this exam."""
    parts = parts_of(principal, exam)
    for end in ("bedside", "remote"):
        if end in parts:
            return end
    raise Forbidden("not_permitted")


@transaction.atomic
def exam_identify(*, principal: Principal, exam_id: UUID, confirmed: list[str]) -> Exam:
    """Two identifiers confirmed with the patient at one end. Asking again replaces that end's check."""
    exam = _locked(principal, exam_id)
    end = _end_of(principal, exam)
    if State(exam.state) not in {State.CHECKED_IN, State.READY, State.LIVE, State.PAUSED}:
        raise Conflict("illegal_transition", state=exam.state, command="identify")
    if not set(confirmed) <= set(rules.IDENTIFIERS):
        raise Invalid("identifiers_unknown", known=list(rules.IDENTIFIERS))
    if len(set(confirmed)) < rules.IDENTIFIERS_NEEDED:
        raise Invalid("identifiers_too_few")
    IdentifierCheck.objects.update_or_create(
        exam=exam, end=end, defaults={"confirmed": sorted(set(confirmed)), "by_id": principal.id, "at": now()}
    )
    _noted(exam, principal, "exam.identify", end)
    return exam


def _noted(exam: Exam, principal: Principal, action: str, reason: str = "") -> None:
    """A deed that changes no state: audit and news."""
    audit_record(
        principal=principal,
        action=action,
        object_kind="exam",
        object_id=exam.id,
        institution_id=exam.requesting_institution_id,
        reason=reason,
    )
    push_exam_changed(exam.id)


def _preparing(exam: Exam, principal: Principal, what: str) -> None:
    if State(exam.state) not in {State.CHECKED_IN, State.READY}:
        raise Conflict("illegal_transition", state=exam.state, command=what)
    if principal.id != exam.bedside_physician_id:
        raise Forbidden("not_permitted")


@transaction.atomic
def checklist_answer(*, principal: Principal, exam_id: UUID, answers: dict[str, Any]) -> Exam:
    """All questions at once. Concerns ask for both physicians' agreement; new answers ask for it again."""
    exam = _locked(principal, exam_id)
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
    _noted(exam, principal, "exam.checklist")
    return exam


@transaction.atomic
def checklist_agree(*, principal: Principal, exam_id: UUID) -> Exam:
    """One physician's decision to go on in spite of the concerns; both are needed."""
    exam = _locked(principal, exam_id)
    end = _end_of(principal, exam)
    checklist = getattr(exam, "checklist", None)
    if checklist is None:
        raise Conflict("checklist_missing")
    if not checklist.concerns:
        raise Conflict("checklist_no_concerns")
    setattr(checklist, f"agreed_{end}_at", now())
    checklist.save()
    _noted(exam, principal, "exam.checklist_agree", end)
    return exam


@transaction.atomic
def exam_consent(*, principal: Principal, exam_id: UUID, **given: Any) -> Exam:
    """Record the written consent for this exam; fields as `people_services.consent_record`."""
    exam = _locked(principal, exam_id)
    _preparing(exam, principal, "consents")
    people_services.consent_record(
        principal=principal, patient_id=exam.patient_id, kind="remote_exam", exam_id=exam.id, **given
    )
    _noted(exam, principal, "exam.consent")
    return exam


@transaction.atomic
def exam_consent_withdraw(*, principal: Principal, exam_id: UUID, reason: str) -> Exam:
    """Withdrawal acts at once: a live exam is paused, the lease ends, the next start is refused."""
    exam = _locked(principal, exam_id)
    if principal.id != exam.bedside_physician_id:
        raise Forbidden("not_permitted")
    people_services.consent_withdraw(
        principal=principal, exam_id=exam.id, kind="remote_exam", reason=_reason(reason)
    )
    fleet_services.lease_release(exam_id=exam.id, code="consent_withdrawn")
    if exam.state == State.LIVE:
        _step(exam, Command.PAUSE, principal, "consent_withdrawn")
    _noted(exam, principal, "exam.consent_withdraw", reason)
    return exam


@transaction.atomic
def exam_self_test(*, principal: Principal, exam_id: UUID) -> Exam:
    """Ask the robot for its self-test; the answer arrives on its own socket. Conflict while the robot is away."""
    exam = _locked(principal, exam_id)
    _preparing(exam, principal, "self_test")
    if not fleet.is_online(exam.robot):
        raise Conflict("robot_offline")
    fleet_services.self_test_ask(robot_id=exam.robot_id, exam_id=exam.id, by_id=principal.id)
    _noted(exam, principal, "exam.self_test")
    return exam


@transaction.atomic
def exam_ready(*, principal: Principal, exam_id: UUID) -> Exam:
    """The bedside's part is done: its gates are checked, the robot gets the worklist item."""
    exam = _locked(principal, exam_id)
    _part(principal, exam, Command.READY)
    if exam.state == State.CHECKED_IN:
        _refuse_if_missing(exam, only=rules.READY_GATES)
    exam.ready_at = now()
    _step(exam, Command.READY, principal)
    push_robot(exam.robot_id, {"type": "worklist", **worklist_item(exam)})
    return exam


@transaction.atomic
def lease_take(*, principal: Principal, exam_id: UUID) -> Exam:
    """Control for the remote physician's connected page. Motion still needs `start` and the edge's own checks."""
    exam = _locked(principal, exam_id)
    if principal.id != exam.remote_physician_id:
        raise Forbidden("not_permitted")
    if State(exam.state) not in {State.READY, State.LIVE, State.PAUSED}:
        raise Conflict("illegal_transition", state=exam.state, command="lease")
    _refuse_if_missing(exam, but=rules.NOT_FOR_LEASE)
    page = selectors.presence(exam.id, "console")
    if page is None or page.user_id != principal.id or not page.fingerprint:
        raise Conflict("console_absent")
    fleet_services.lease_take(
        robot_id=exam.robot_id,
        holder_id=principal.id,
        exam_id=exam.id,
        peer_id=page.peer_id,
        fingerprint=page.fingerprint,
    )
    fleet_services.lease_renew(exam_id=exam.id, peer_id=page.peer_id, live=exam.state == State.LIVE)
    _noted(exam, principal, "exam.lease")
    return exam


@transaction.atomic
def lease_give_back(*, principal: Principal, exam_id: UUID) -> Exam:
    exam = _locked(principal, exam_id)
    if principal.id != exam.remote_physician_id:
        raise Forbidden("not_permitted")
    if not fleet_services.lease_release(exam_id=exam.id, code="given_back"):
        raise Conflict("lease_not_held")
    return exam


def _renew_as(exam: Exam, *, live: bool) -> None:
    """Tell the edge at once that the exam went live or stopped being so, not at the next renewal."""
    lease = fleet.lease_of(exam.id)
    if lease is not None:
        fleet_services.lease_renew(exam_id=exam.id, peer_id=lease.peer_id, live=live)


@transaction.atomic
def exam_start(*, principal: Principal, exam_id: UUID) -> Exam:
    """ready -> live, when every gate is open. Conflict carries the first missing gate's code and all of them."""
    return _go_live(principal, exam_id, Command.START)


@transaction.atomic
def exam_resume(*, principal: Principal, exam_id: UUID) -> Exam:
    return _go_live(principal, exam_id, Command.RESUME)


def _go_live(principal: Principal, exam_id: UUID, command: Command) -> Exam:
    exam = _locked(principal, exam_id)
    _part(principal, exam, command)
    source = State.READY if command is Command.START else State.PAUSED
    if exam.state == source:
        _refuse_if_missing(exam)
    exam.started_at = exam.started_at or now()
    _step(exam, command, principal)
    _renew_as(exam, live=True)
    return exam


@transaction.atomic
def exam_pause(*, principal: Principal, exam_id: UUID, reason: str) -> Exam:
    exam = _locked(principal, exam_id)
    _part(principal, exam, Command.PAUSE)
    _step(exam, Command.PAUSE, principal, reason)
    _renew_as(exam, live=False)
    return exam


@transaction.atomic
def exam_end(*, principal: Principal, exam_id: UUID) -> Exam:
    exam = _locked(principal, exam_id)
    _part(principal, exam, Command.END)
    exam.ended_at = now()
    _step(exam, Command.END, principal)
    _finish(exam, "fulfilled")
    return exam


@transaction.atomic
def exam_abort(*, principal: Principal, exam_id: UUID, code: str, reason: str) -> Exam:
    exam = _locked(principal, exam_id)
    _part(principal, exam, Command.ABORT)
    exam.ended_at, exam.end_code, exam.end_reason = now(), code, _reason(reason)
    _step(exam, Command.ABORT, principal, f"{code}: {reason}")
    _finish(exam, "aborted")
    return exam


def _finish(exam: Exam, status: str) -> None:
    fleet_services.lease_release(exam_id=exam.id, code="exam_over")
    scheduling_services.appointment_close(appointment_id=exam.appointment_id, status=status)
    push_robot(exam.robot_id, {"type": "worklist_clear", "exam_id": str(exam.id)})


@transaction.atomic
def exam_pause_by_system(*, exam_id: UUID, reason: str) -> bool:
    """Pause a live exam whose bedside or console went away. False when it is not live."""
    exam = Exam.objects.select_for_update().filter(id=exam_id, state=State.LIVE).first()
    if exam is None:
        return False
    _step(exam, Command.PAUSE, SYSTEM, reason)
    _renew_as(exam, live=False)
    push_exam(exam.id, {"type": "paused", "reason": reason})
    return True


@transaction.atomic
def exam_reported(*, principal: Principal, exam_id: UUID) -> None:
    """The first signed version closes the exam; amendments leave the state alone."""
    exam = Exam.objects.select_for_update().get(id=exam_id)
    if exam.state == State.ENDED:
        _step(exam, Command.REPORT, principal)
