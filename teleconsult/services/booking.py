"""Booking, moving, cancelling: four calendars at once or nothing."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from django.db import connection, transaction

from devices.fleet import selectors as fleet
from devices.fleet.push import push_desk
from hospital.access.principals import SYSTEM, Principal
from hospital.access.table import PATIENT
from hospital.audit.services import audit_record
from hospital.common.clock import now
from hospital.common.errors import Conflict, NotFound
from hospital.people import selectors as people
from hospital.scheduling import selectors as scheduling
from hospital.scheduling import services as scheduling_services
from hospital.scheduling.rules import HOLD_FOR

from .. import later, selectors
from ..models import BOOKED_WITH, Exam
from ..states import Command
from ..states_requests import ROUTINE
from ..telling import patient_told, team_of, team_told, when
from .steps import (
    exam_locked,
    next_checked,
    noted,
    part_checked,
    reason_checked,
    refuse_if_papers_missing,
    step,
)
from .team import procedures_of, team_checked

HOLDS_MAX = 5  # design value: times one person may keep at once


def _accession() -> str:
    """At most 16 characters (DICOM SH): `E` and a number from a sequence."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT nextval('teleconsult_accession')")
        row = cursor.fetchone()
    assert row is not None
    return f"E{row[0]:09d}"


def _robot(principal: Principal, robot_id: UUID) -> Any:
    """A robot of the caller's own desk."""
    return fleet.robot_within(principal, "exam.book", robot_id)


def _told(other_procedures: Sequence[dict[str, Any]]) -> list[dict[str, Any]]:
    """As the exam keeps it: JSON has no times."""
    return [{"procedure": row["procedure"], "at": row["at"].isoformat()} for row in other_procedures]


def _heard(exam: Exam) -> list[dict[str, Any]]:
    return [row | {"at": datetime.fromisoformat(row["at"])} for row in exam.other_procedures]


@transaction.atomic
def exam_hold(
    *,
    principal: Principal,
    exam_type: str,
    remote_physician_id: UUID,
    bedside_physician_id: UUID,
    robot_id: UUID,
    room_id: UUID,
    starts_at: datetime,
    assistant_id: UUID | None = None,
) -> tuple[UUID, datetime]:
    """Keep the time of everybody and everything for somebody who is deciding; the hold and when it ends.

    Conflict `too_many_holds`; else errors as in `exam_book`. Papers and order rules are asked when it is booked.
    """
    kind = scheduling.exam_type_get(exam_type)
    robot = _robot(principal, robot_id)
    if scheduling.holds_of(principal.id) >= HOLDS_MAX:
        raise Conflict("too_many_holds", most=HOLDS_MAX)
    team = team_checked(
        kind,
        remote_id=remote_physician_id,
        bedside_id=bedside_physician_id,
        assistant_id=assistant_id,
        robot=robot,
        room_id=room_id,
        starts_at=starts_at,
        procedures=(),
    )
    expires_at = now() + HOLD_FOR
    hold_id = scheduling_services.hold_place(
        resource_ids=team.resource_ids,
        starts_at=starts_at,
        ends_at=team.ends_at,
        expires_at=expires_at,
        by=principal.id,
        place_id=team.requesting_id,
    )
    _hold_noted(principal, "exam.hold", hold_id, team.requesting_id)
    return hold_id, expires_at


@transaction.atomic
def exam_hold_release(*, principal: Principal, hold_id: UUID) -> None:
    """Give a time back before its hold ends. NotFound when it is over, or another person's."""
    if not scheduling_services.hold_release(hold_id=hold_id, by=principal.id):
        raise NotFound()
    _hold_noted(principal, "exam.hold_release", hold_id, None)


def _hold_noted(principal: Principal, action: str, hold_id: UUID, institution_id: UUID | None) -> None:
    audit_record(
        principal=principal,
        action=action,
        object_kind="hold",
        object_id=hold_id,
        institution_id=institution_id,
    )
    if institution_id is not None:
        push_desk(institution_id, None)


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
    assistant_id: UUID | None = None,
    other_procedures: Sequence[dict[str, Any]] = (),
    hold_id: UUID | None = None,
    priority: str = ROUTINE,
) -> Exam:
    """Book physicians, robot and room, and an assistant and a probe where needed, in one transaction.

    `other_procedures` `[{procedure, at}]` is what the patient has before it. With `hold_id`, in the place of the
    caller's own hold. Conflict `taken` names all that is taken, `resource_closed` and `not_released` all that is not
    open; Conflict with the first code of `rules.paper_gates` when the exam could never start, `patient_restricted`
    for a record that is only stored; the exam type's own refusals as in `exam_rules`; Invalid for people, rooms or
    times that can't be right.
    """
    patient = people.patient_for_exam(principal=principal, patient_id=patient_id, action="exam.book")
    kind, robot = scheduling.exam_type_get(exam_type), _robot(principal, robot_id)
    team = team_checked(
        kind,
        remote_id=remote_physician_id,
        bedside_id=bedside_physician_id,
        assistant_id=assistant_id,
        robot=robot,
        room_id=room_id,
        starts_at=starts_at,
        procedures=procedures_of(kind, patient.id, other_procedures),
    )
    appointment = scheduling_services.appointment_book(
        resource_ids=team.resource_ids,
        starts_at=starts_at,
        ends_at=team.ends_at,
        by=principal.id,
        hold_id=hold_id,
        place_id=team.requesting_id,
    )
    exam = Exam.objects.create(
        accession=_accession(), starts_at=starts_at, ends_at=team.ends_at, patient=patient, exam_type=kind,
        appointment=appointment, remote_physician_id=remote_physician_id, bedside_physician_id=bedside_physician_id,
        robot=robot, room_id=room_id, assistant_id=assistant_id, probe_id=team.probe_id,
        other_procedures=_told(other_procedures), requesting_institution_id=team.requesting_id,
        performing_institution_id=team.performing_id, clinical_question=clinical_question, history=history,
        priority=priority, booked_by_id=None if principal.kind == "system" else principal.id,
    )  # fmt: skip
    refuse_if_papers_missing(exam)
    noted(exam, principal, "exam.book")
    later.watch(exam)
    fresh = selectors.exam_get(SYSTEM, exam.id)
    patient_told(fresh, "exam_booked")
    return fresh


def _changing(principal: Principal, exam_id: UUID, command: Command) -> Exam:
    """The locked exam, when the caller may give the command: the desk by the table's row, an account for its patient
    or with the delegation's `book`. What follows is the same for both."""
    own = principal.kind == PATIENT
    exam = exam_locked(principal, exam_id, "me.book" if own else "exam.read")
    if not own:
        part_checked(principal, exam, command)
    next_checked(exam, command)  # before anything is looked for: what is over is not "taken"
    return exam


def _refuse_changed(exam: Exam, starts_at: datetime | None, team: Sequence[UUID] | None) -> None:
    """Conflict `changed_meanwhile` when the caller saw another booking than this."""
    others = team is not None and set(team) != set(exam.booked_with)
    if others or (starts_at or exam.starts_at) != exam.starts_at:
        raise Conflict("changed_meanwhile", starts_at=exam.starts_at.isoformat())


@transaction.atomic
def exam_move(
    *,
    principal: Principal,
    exam_id: UUID,
    starts_at: datetime,
    hold_id: UUID | None = None,
    expected_starts_at: datetime | None = None,
    expected_team: Sequence[UUID] | None = None,
    **changes: UUID | None,
) -> Exam:
    """Another time, and other people, robot or room where named; the old time is kept until the new one is sure.

    With `hold_id`, into the caller's own hold. Conflict `changed_meanwhile` with `starts_at` when the exam no longer
    is at `expected_starts_at`, or its people, robot and room are others than `expected_team`; else errors as in
    `exam_book`. Patient and team are told; to where the exam is, nothing is written and nobody told.
    """
    exam = _changing(principal, exam_id, Command.MOVE)
    _refuse_changed(exam, expected_starts_at, expected_team)
    others = {
        name: to for name in BOOKED_WITH if (to := changes.get(name)) not in (None, getattr(exam, name))
    }
    if starts_at == exam.starts_at and not others:
        return exam  # it is there: nothing to write, nobody to tell
    before, team_before = exam.starts_at, team_of(exam)
    for name, to in others.items():
        setattr(exam, name, to)
    robot = fleet.robot_of_institution(exam.robot_id, (exam.requesting_institution_id,))
    team = team_checked(
        exam.exam_type,
        remote_id=exam.remote_physician_id,
        bedside_id=exam.bedside_physician_id,
        assistant_id=exam.assistant_id,
        robot=robot,
        room_id=exam.room_id,
        starts_at=starts_at,
        length=exam.ends_at - exam.starts_at,
        time_asked=starts_at != exam.starts_at,
        procedures=procedures_of(exam.exam_type, exam.patient_id, _heard(exam), but=exam.id),
    )
    exam.starts_at, exam.ends_at = starts_at, team.ends_at
    exam.performing_institution_id, exam.probe_id = team.performing_id, team.probe_id
    scheduling_services.appointment_move(
        appointment_id=exam.appointment_id,
        resource_ids=team.resource_ids,
        starts_at=exam.starts_at,
        ends_at=exam.ends_at,
        by=principal.id,
        hold_id=hold_id,
        place_id=exam.requesting_institution_id,
    )
    step(exam, Command.MOVE, principal)
    refuse_if_papers_missing(exam)
    if before != exam.starts_at:
        patient_told(exam, "exam_moved", before=when(before))
    team_told(exam, team_before | team_of(exam), "exam_moved_staff", before=when(before))
    return exam


@transaction.atomic
def exam_cancel(*, principal: Principal, exam_id: UUID, reason: str) -> Exam:
    """Frees its time at once. Patient and team are told."""
    exam = _changing(principal, exam_id, Command.CANCEL)
    exam_ended_unseen(exam, principal, code="cancelled", reason=reason_checked(reason))
    patient_told(exam, "exam_cancelled")
    return exam


def exam_ended_unseen(exam: Exam, principal: Principal, *, code: str, reason: str) -> None:
    """A locked exam is cancelled and its time free again; its team is told. In the caller's transaction."""
    exam.end_code, exam.end_reason = code, reason
    step(exam, Command.CANCEL, principal, reason)
    scheduling_services.appointment_cancel(appointment_id=exam.appointment_id, reason=reason, by=principal.id)
    team_told(exam, team_of(exam), "exam_cancelled_staff")


@transaction.atomic
def exam_no_show(*, principal: Principal, exam_id: UUID) -> Exam:
    """Nobody came. Conflict `not_due_yet` before the exam's time: they may still be on their way."""
    exam = exam_locked(principal, exam_id)
    part_checked(principal, exam, Command.NO_SHOW)
    next_checked(exam, Command.NO_SHOW)
    if exam.starts_at > now():
        raise Conflict("not_due_yet", starts_at=exam.starts_at.isoformat())
    step(exam, Command.NO_SHOW, principal)
    scheduling_services.appointment_close(appointment_id=exam.appointment_id, status="noshow")
    return exam
