from __future__ import annotations

from uuid import UUID

from django.db.models import Q, QuerySet

from hospital.access.principals import Principal
from hospital.access.table import places
from hospital.common import retention
from hospital.common.clock import today
from hospital.common.errors import NotFound

from .models import ErasureRequest, LegalHold, Restriction


def restricted() -> QuerySet[Restriction, UUID]:
    """Ids of the patients whose record is only stored: what every scope leaves out."""
    return Restriction.objects.filter(lifted_at=None).values_list("patient_id", flat=True)


def is_restricted(patient_id: UUID) -> bool:
    return Restriction.objects.filter(patient_id=patient_id, lifted_at=None).exists()


def standing_holds() -> QuerySet[LegalHold]:
    """Set, not lifted, not run out: the day named is the last."""
    return LegalHold.objects.filter(Q(until=None) | Q(until__gte=today()), lifted_at=None)


def held(kind: str, subject_id: UUID) -> bool:
    """Under this id or one that was merged into it."""
    ids = [subject_id, *retention.subject(kind).aliases(subject_id)]
    return standing_holds().filter(subject_kind=kind, subject_id__in=ids).exists()


def holds(principal: Principal) -> QuerySet[LegalHold]:
    """Of the caller's institutions, the newest first."""
    rows = LegalHold.objects.select_related("set_by", "lifted_by")
    return rows.filter(institution_id__in=places(principal, "hold.read")).order_by("-set_at")


def requests_of_account(principal: Principal) -> QuerySet[ErasureRequest]:
    """What this phone asked for: the answer stays readable when the record is not."""
    if principal.kind != "patient":
        return ErasureRequest.objects.none()
    mine = ErasureRequest.objects.filter(by_kind="patient", by_id=principal.id)
    return mine.order_by("-received_at")


def requests(principal: Principal) -> QuerySet[ErasureRequest]:
    """Of the caller's institutions, the newest first."""
    found = ErasureRequest.objects.filter(institution_id__in=places(principal, "erasure.read"))
    return found.order_by("-received_at")


def request_get(*, principal: Principal, request_id: UUID) -> ErasureRequest:
    found = requests(principal).filter(id=request_id).first()
    if found is None:
        raise NotFound()
    return found
