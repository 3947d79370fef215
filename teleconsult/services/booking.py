"""Booking, moving, cancelling: four calendars at once or nothing."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from django.db import connection, transaction

from devices.fleet import selectors as fleet
from hospital.access.models import Membership
from hospital.access.principals import SYSTEM, Principal
from hospital.common.clock import now
from hospital.common.errors import Invalid
from hospital.people import selectors as people
from hospital.scheduling import selectors as scheduling
from hospital.scheduling import services as scheduling_services

from .. import rules, selectors
from ..models import Exam
from ..states import Command
from .steps import exam_locked, noted, part_checked, reason_checked, refuse_if_missing, step

BOOKING_GRACE = timedelta(minutes=5)  # a start a few minutes ago still means "now"


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


def _robot(principal: Principal, robot_id: UUID) -> Any:
    """A robot of the caller's own desk."""
    return fleet.robot_within(principal, "exam.book", robot_id)


def _team_checked(
    *, remote_id: UUID, bedside_id: UUID, home_id: UUID, room_id: UUID, starts_at: datetime
) -> tuple[UUID, UUID]:
    """(requesting, performing) institution of a team that can be right; Invalid with what is wrong."""
    if starts_at < now() - BOOKING_GRACE:
        raise Invalid("in_the_past")
    if remote_id == bedside_id:
        raise Invalid("same_person")
    requesting = _institution_of(bedside_id, "bedside_physician", within=(home_id,))
    performing = _institution_of(remote_id, "remote_physician")
    if requesting == performing:
        raise Invalid("same_institution")
    if scheduling.room_institution(room_id) != requesting:
        raise Invalid("unknown_resource")
    return requesting, performing


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

    Conflict `taken` names all that is taken; Conflict with the first code of `rules.BOOKABLE_GATES` when the exam
    could never start, `patient_restricted` for a record that is only stored; Invalid for people, rooms or times that
    can't be right.
    """
    people.restriction_checked(principal=principal, patient_id=patient_id)
    patient = people.patient_for_writing(principal=principal, patient_id=patient_id, action="exam.book")
    kind = scheduling.exam_type_get(exam_type)
    robot = _robot(principal, robot_id)
    requesting, performing = _team_checked(
        remote_id=remote_physician_id,
        bedside_id=bedside_physician_id,
        home_id=robot.institution_id,
        room_id=room_id,
        starts_at=starts_at,
    )
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
    refuse_if_missing(exam, only=rules.BOOKABLE_GATES)
    noted(exam, principal, "exam.book")
    return selectors.exam_get(SYSTEM, exam.id)


@transaction.atomic
def exam_move(*, principal: Principal, exam_id: UUID, starts_at: datetime, **changes: UUID | None) -> Exam:
    """Another time, and other people, robot or room where named; the old time is kept until the new one is sure."""
    exam = exam_locked(principal, exam_id)
    part_checked(principal, exam, Command.MOVE)
    for name in ("remote_physician_id", "bedside_physician_id", "robot_id", "room_id"):
        if changes.get(name) is not None:
            setattr(exam, name, changes[name])
    robot = fleet.robot_of_institution(exam.robot_id, (exam.requesting_institution_id,))
    _, exam.performing_institution_id = _team_checked(
        remote_id=exam.remote_physician_id,
        bedside_id=exam.bedside_physician_id,
        home_id=exam.requesting_institution_id,
        room_id=exam.room_id,
        starts_at=starts_at,
    )
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
    step(exam, Command.MOVE, principal)
    refuse_if_missing(exam, only=rules.BOOKABLE_GATES)
    return selectors.exam_get(SYSTEM, exam_id)


@transaction.atomic
def exam_cancel(*, principal: Principal, exam_id: UUID, reason: str) -> Exam:
    exam = exam_locked(principal, exam_id)
    part_checked(principal, exam, Command.CANCEL)
    exam.end_code, exam.end_reason = "cancelled", reason_checked(reason)
    step(exam, Command.CANCEL, principal, reason)
    scheduling_services.appointment_cancel(appointment_id=exam.appointment_id, reason=reason, by=principal.id)
    return exam


@transaction.atomic
def exam_no_show(*, principal: Principal, exam_id: UUID) -> Exam:
    exam = exam_locked(principal, exam_id)
    part_checked(principal, exam, Command.NO_SHOW)
    step(exam, Command.NO_SHOW, principal)
    scheduling_services.appointment_close(appointment_id=exam.appointment_id, status="noshow")
    return exam
