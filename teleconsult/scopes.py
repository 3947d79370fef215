"""What own, care relation and institution mean for exams. Registered at start."""

from __future__ import annotations

from datetime import datetime, timedelta

from django.db.models import DateField, Exists, F, Func, OuterRef, Q

from hospital.access.models import Peer
from hospital.access.scopes import NOTHING, Asked, limit_register, scope_register
from hospital.access.table import (
    AGREEMENT,
    BREAK_GLASS,
    CARE,
    DELEGATE,
    INSTITUTION,
    OWN,
    PATIENT,
    ROBOT,
    B,
    R,
    UnknownScope,
)
from hospital.common.clock import SHANGHAI, day_of
from hospital.people import break_glass
from hospital.people import selectors as people
from hospital.people.models import Agreement, Patient
from hospital.people.scopes import of_readable, patients_own

from .models import ExamTransition
from .states import FINAL, PREPARING, SCANNING

CARE_GRACE = timedelta(days=30)  # design value: time to look back at a case, to amend, to answer a question

SHANGHAI_DATE = f"((%(expressions)s) AT TIME ZONE '{SHANGHAI.key}')::date"  # TruncDate takes no outer column


def care_relation(moment: datetime) -> Q:
    """An expert of another hospital sees a patient because of this exam: under an agreement that covers its day and
    was not ended before it, from the booking until the exam is over plus a grace, and no longer.

    Once the patient is there the physician keeps the page whatever the papers say: the gates refuse and name them.
    """
    long_over = ExamTransition.objects.filter(
        exam_id=OuterRef("pk"), after__in=[str(state) for state in FINAL], at__lt=moment - CARE_GRACE
    )
    day = Func(OuterRef("starts_at"), template=SHANGHAI_DATE, output_field=DateField())
    covered = Agreement.objects.filter(
        Q(ended_at=None) | Q(ended_at__gt=OuterRef("starts_at")),
        inviting_id=OuterRef("requesting_institution_id"),
        invited_id=OuterRef("performing_institution_id"),
        services__contains=Func(
            OuterRef("exam_type__service"), function="ARRAY", template="ARRAY[%(expressions)s]::varchar[]"
        ),
        valid_from__lte=day,
        valid_to__gte=day,
        signed_by_inviting_at__isnull=False,
        signed_by_invited_at__isnull=False,
    )
    present = Q(state__in=[str(state) for state in PREPARING | SCANNING])
    related = present | Q(Exists(covered)) & ~Q(Exists(long_over))
    return Q(performing_institution=F("requesting_institution")) | related


def _room(asked: Asked) -> Q:
    """After a change of person on a bedside tablet: the tablet's room and nothing else."""
    seat = asked.principal.seat
    return Q(room_id=seat.room_id) if seat is not None and seat.bedside_only else Q()


def _own(asked: Asked) -> Q:
    """The bedside physician's exams, the exams of an account's patients, the exams on a robot."""
    if asked.role == B:
        return Q(bedside_physician_id=asked.principal.id) & _room(asked)
    if asked.role == ROBOT:
        return Q(robot_id=asked.principal.id)
    if asked.role in (PATIENT, DELEGATE):
        return Q(patient_id__in=Patient.objects.filter(patients_own(asked)).values("id"))
    raise UnknownScope(f"{asked.action}: {asked.role} has no exams of its own")


def _care(asked: Asked) -> Q:
    """The remote physician while the relation lasts; who broke the glass, for that patient."""
    if asked.role == BREAK_GLASS:
        return Q(patient_id__in=break_glass.patients_opened(asked.principal, asked.moment))
    if asked.role == R:
        return Q(remote_physician_id=asked.principal.id) & care_relation(asked.moment)
    raise UnknownScope(f"{asked.action}: {asked.role} has no care relation by an exam")


def _institution(asked: Asked) -> Q:
    """What the institution asked for."""
    return Q(requesting_institution_id__in=asked.institutions) & _room(asked)


def _agreement(asked: Asked) -> Q:
    """Another institution's key: exams of the hospital that registered it, of patients whose active consent names the
    key's institution as receiver, while an agreement between the two is in force today, in either direction."""
    key = Peer.objects.filter(id=asked.principal.id, revoked_at=None, expires_at__gt=asked.moment).first()
    if key is None:
        return NOTHING
    parties = Q(inviting=key.keeper_id, invited=key.institution_id)
    parties |= Q(inviting=key.institution_id, invited=key.keeper_id)
    if not people.agreements_in_force(day_of(asked.moment)).filter(parties).exists():
        return NOTHING
    consented = people.transfer_permitted(key.institution_id).values("patient_id")
    return Q(requesting_institution_id=key.keeper_id, patient_id__in=consented)


def _request_own(asked: Asked) -> Q:
    """What a physician asked for; what is asked for an account's patients."""
    if asked.role == B:
        return Q(requested_by_id=asked.principal.id)
    if asked.role in (PATIENT, DELEGATE):
        return Q(patient_id__in=Patient.objects.filter(patients_own(asked)).values("id"))
    raise UnknownScope(f"{asked.action}: {asked.role} has no requests of its own")


def _request_institution(asked: Asked) -> Q:
    return Q(institution_id__in=asked.institutions)


def _turnover_institution(asked: Asked) -> Q:
    """Where the robot stands. On a bedside tablet the tablet's hospital, not its room alone: what the next exam waits
    for may be owed by a robot or a probe that came from another room."""
    seat = asked.principal.seat
    here = Q(institution_id=seat.institution_id) if seat is not None and seat.bedside_only else Q()
    return Q(institution_id__in=asked.institutions) & here


def register() -> None:
    scope_register("exam", OWN, _own)
    scope_register("exam", CARE, _care)
    scope_register("exam", INSTITUTION, _institution)
    scope_register("exam", AGREEMENT, _agreement)
    scope_register("exam_request", OWN, _request_own)
    scope_register("exam_request", INSTITUTION, _request_institution)
    scope_register("turnover", INSTITUTION, _turnover_institution)
    limit_register("exam_request", of_readable)
    # What a robot brings late belongs to the record, whoever may read it by then.
    limit_register("exam", of_readable, but=["robot.upload"])
