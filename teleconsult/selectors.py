"""Reads of exams, always within what the caller may see."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from django.db.models import QuerySet

from devices.fleet import selectors as fleet
from hospital.access.principals import Principal
from hospital.access.reach import reached
from hospital.access.scopes import within
from hospital.common.clock import SHANGHAI, now
from hospital.common.errors import NotFound
from hospital.common.prebuilt import Value
from hospital.people import licences
from hospital.people import selectors as people
from hospital.people.scopes import of_readable
from hospital.scheduling.exam_times import Procedure

from . import rules, turnover
from .models import Exam, LinkQuality, Presence
from .states import PREPARING, State

PRESENT_WITHIN = timedelta(seconds=6)  # the page's socket marks itself every second
LINK_VALID_FOR = timedelta(minutes=5)  # design value: a measurement older than this says nothing
EARLIER_MAX = 50  # design value: exams looked through for earlier reports
_RELATED = (
    "patient",
    "exam_type",
    "remote_physician",
    "bedside_physician",
    "robot",
    "room",
    "assistant",
    "probe",
    "requesting_institution",
    "performing_institution",
    "checklist",
)


def exams(
    principal: Principal, action: str = "exam.read", *, moment: datetime | None = None
) -> QuerySet[Exam]:
    """Exams with which the caller may do this, by the permission table's scope.

    Nobody, the system included, sees exams of a patient whose record is only stored.
    """
    return Exam.objects.select_related(*_RELATED).filter(within(principal, action, "exam", moment=moment))


@reached
def _exam(principal: Principal, action: str, *, exam_id: Value, moment: Value) -> QuerySet[Exam]:
    return exams(principal, action, moment=moment).filter(id=exam_id)


@reached
def _exam_ids(
    principal: Principal, action: str, *, exam_id: Value, moment: Value
) -> QuerySet[Exam, tuple[UUID]]:
    reach = within(principal, action, "exam", moment=moment)
    return Exam.objects.filter(reach, id=exam_id).values_list("id")


def exam_get(principal: Principal, exam_id: UUID, action: str = "exam.read") -> Exam:
    """NotFound for what is not there and for what is not yours."""
    exam = _exam.one(principal, action, exam_id=exam_id)
    if exam is None:
        raise NotFound()
    return exam


def reaches(principal: Principal, action: str, exam_id: UUID) -> bool:
    """Whether the caller's reach for this action includes the exam."""
    return bool(_exam_ids(principal, action, exam_id=exam_id))


def accession_of(exam_id: UUID | None) -> str:
    """The number of an exam on paper; empty for none."""
    if exam_id is None:
        return ""
    return Exam.objects.filter(id=exam_id).values_list("accession", flat=True).first() or ""


def may_join(principal: Principal, exam_id: UUID, role: str) -> bool:
    """Whether this person's page may be the exam's console or bedside."""
    return reaches(principal, f"exam.{role}_socket", exam_id)


def exams_on(
    principal: Principal,
    *,
    span: tuple[datetime, datetime] | None,
    state: str | None,
    action: str = "exam.read",
) -> QuerySet[Exam]:
    """In their order, those that start within [start, end): a day, or what is at hand (`hospital.common.clock`)."""
    found = exams(principal, action).order_by("starts_at", "id")
    if span is not None:
        found = found.filter(starts_at__gte=span[0], starts_at__lt=span[1])
    return found.filter(state=state) if state else found


def exams_preparing(principal: Principal, patient_id: UUID) -> QuerySet[Exam]:
    """The patient's exams in which the caller may take a consent now."""
    found = exams(principal, "exam.consent").filter(patient_id=patient_id)
    return found.filter(state__in=[str(state) for state in PREPARING]).order_by("starts_at", "id")


def exams_of_account(principal: Principal) -> QuerySet[Exam]:
    """Exams of the patients whom this phone account was proven to speak for."""
    return exams(principal, "me.exams").order_by("-starts_at")


def exams_of_people(patient_ids: Sequence[UUID]) -> QuerySet[Exam]:
    """All exams of these patients, for what is built about them; scope is decided by who asked."""
    rows = Exam.objects.select_related(*_RELATED).filter(of_readable(), patient_id__in=patient_ids)
    return rows.order_by("starts_at", "id")


def earlier_exams(exam: Exam) -> list[Exam]:
    """Other exams of the same patient, newest first: for who reads this exam, by whatever part they read it."""
    others = Exam.objects.select_related(*_RELATED).filter(of_readable(), patient_id=exam.patient_id)
    return list(others.exclude(id=exam.id).order_by("-starts_at", "-id")[:EARLIER_MAX])


def exams_as_procedures(patient_id: UUID, codes: Iterable[str], *, but: UUID | None) -> list[Procedure]:
    """The patient's exams of these types that take or took place, as order rules see them."""
    rows = Exam.objects.filter(patient_id=patient_id, exam_type_id__in=list(codes))
    others = rows.exclude(id=but) if but else rows
    there = others.exclude(
        state__in=[str(state) for state in (State.CANCELLED, State.NO_SHOW, State.ABORTED)]
    )
    return [Procedure(code, at) for code, at in there.values_list("exam_type_id", "starts_at")]


def presence(exam_id: UUID, role: str) -> Presence | None:
    """The role's page, when it was heard within 6 s."""
    fresh = now() - PRESENT_WITHIN
    return Presence.objects.filter(exam_id=exam_id, role=role, last_seen_at__gte=fresh).first()


def link_quality(exam_id: UUID) -> LinkQuality | None:
    fresh = now() - LINK_VALID_FOR
    return LinkQuality.objects.filter(exam_id=exam_id, at__gte=fresh).order_by("-at").first()


def papers(exam: Exam) -> rules.Papers:
    """What the hospitals and the remote physician hold on the exam's day."""
    on = exam.starts_at.astimezone(SHANGHAI).date()
    parties: dict[str, Any] = {"service": exam.exam_type.service, "on": on}
    agreement = people.agreement_covering(
        inviting_id=exam.requesting_institution_id, invited_id=exam.performing_institution_id, **parties
    )
    problems = licences.practice_problems(
        user_id=exam.remote_physician_id,
        requesting_id=exam.requesting_institution_id,
        performing_id=exam.performing_institution_id,
        **parties,
    )
    return rules.Papers(agreement=agreement is not None, practice_problems=problems)


def facts(exam: Exam, owed: list[turnover.Owed]) -> rules.Facts:
    """What the gates are decided on, read now; `owed`: `turnover.owed_before` of this exam."""
    on = exam.starts_at.astimezone(SHANGHAI).date()
    checks = set(exam.identifier_checks.values_list("end", flat=True))
    checklist = getattr(exam, "checklist", None)
    test = fleet.self_test_of(exam.id)
    quality, held = link_quality(exam.id), papers(exam)
    return rules.Facts(
        agreement=held.agreement,
        practice_problems=held.practice_problems,
        consent=people.consent_active(exam_id=exam.id, kind="remote_exam") is not None,
        bedside_present=presence(exam.id, "bedside") is not None,
        identified_bedside="bedside" in checks,
        identified_remote="remote" in checks,
        checklist_answered=checklist is not None,
        concerns=tuple(checklist.concerns) if checklist else (),
        concerns_agreed=bool(checklist and checklist.agreed_bedside_at and checklist.agreed_remote_at),
        robot_overdue=fleet.is_overdue(exam.robot, on),
        robot_online=fleet.is_online(exam.robot),
        self_test=fleet.self_test_state(test) if test else "none",
        link_good=quality is not None and quality.good,
        lease_held=fleet.lease_of(exam.id) is not None,
        turned_over=not owed,
    )


def gates(exam: Exam, owed: list[turnover.Owed] | None = None) -> list[rules.Gate]:
    return rules.gates(facts(exam, turnover.owed_before(exam) if owed is None else owed))
