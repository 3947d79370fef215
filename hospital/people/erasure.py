"""A patient asks to be erased, on the phone or on paper, and may come back later with a paper in hand."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from django.db.models import Q

from hospital.access.principals import Principal
from hospital.access.table import places
from hospital.common.errors import NotFound
from hospital.keeping import answers
from hospital.keeping import selectors as keeping
from hospital.keeping import services as keeping_services
from hospital.keeping.models import ErasureRequest

from . import delegates, selectors
from .models import BreakGlass, Patient


def erasure_ask_own(*, principal: Principal, patient_id: UUID) -> ErasureRequest:
    """By the phone that is the patient's own; a delegate can't ask. NotFound for anybody else."""
    patient = delegates.own_patient(principal, patient_id)
    return keeping_services.erasure_ask(
        principal=principal, patient_id=patient.id, institution_id=patient.institution_id
    )


def erasure_foreseen(*, principal: Principal, patient_id: UUID) -> tuple[Patient, dict[str, Any]]:
    """What the desk can tell before the paper is signed. NotFound for patients of other desks."""
    patient = selectors.patient_get(principal=principal, patient_id=patient_id, action="erasure.ask")
    return patient, answers.foreseen(patient.id)


def erasure_ask_on_paper(*, principal: Principal, patient_id: UUID, paper: str) -> ErasureRequest:
    """By a desk that holds the patient's signed paper."""
    patient = selectors.patient_get(principal=principal, patient_id=patient_id, action="erasure.ask")
    return keeping_services.erasure_ask(
        principal=principal, patient_id=patient.id, institution_id=patient.institution_id, paper=paper
    )


def record_reopen(*, principal: Principal, document_number: str, paper: str) -> Patient:
    """The patient stands at the desk again: their document opens the record that nobody could find.

    NotFound for documents that are not on file here, or not restricted.
    """
    keys = selectors.document_indexes(document_number)
    found = Patient.objects.filter(
        Q(document_index__in=keys) | Q(aliases__document_index__in=keys),
        selectors.known_in(places(principal, "restriction.lift")),
        id__in=keeping.restricted(),
    ).first()
    if found is None:
        raise NotFound()
    keeping_services.restriction_lift(
        principal=principal, patient_id=found.id, institution_id=found.institution_id, paper=paper
    )
    return found


def review_open(patient_id: UUID) -> str:
    """An emergency access is reviewed before the record is closed: within a day anyway."""
    waiting = BreakGlass.objects.filter(patient_id=patient_id, reviewed_at=None)
    return "review_open" if waiting.exists() else ""
