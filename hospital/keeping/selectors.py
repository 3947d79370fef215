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


def holds(principal: Principal, *, standing: bool = False) -> QuerySet[LegalHold]:
    """Of the caller's institutions, the newest first; `standing`: without those that are over."""
    rows = standing_holds() if standing else LegalHold.objects.all()
    mine = rows.filter(institution_id__in=places(principal, "hold.read"))
    return mine.select_related("set_by", "lifted_by").order_by("-set_at", "-id")


def requests_of_account(principal: Principal) -> QuerySet[ErasureRequest]:
    """What this phone asked for: the answer stays readable when the record is not."""
    if principal.kind != "patient":
        return ErasureRequest.objects.none()
    mine = ErasureRequest.objects.filter(by_kind="patient", by_id=principal.id)
    return mine.order_by("-received_at")


def requests(
    principal: Principal, *, waiting: bool = False, action: str = "erasure.read"
) -> QuerySet[ErasureRequest]:
    """Of the caller's institutions or entered by the caller; the newest first, `waiting` ones by their day.

    A patient may be known at this desk and registered in another hospital: who took the paper hands over the answer.
    """
    mine = Q(institution_id__in=places(principal, action)) | Q(by_kind="staff", by_id=principal.id)
    found = ErasureRequest.objects.filter(mine)
    if waiting:
        return found.filter(answered_at=None).order_by("due_at", "id")
    return found.order_by("-received_at", "-id")


def request_get(*, principal: Principal, request_id: UUID, action: str = "erasure.read") -> ErasureRequest:
    found = requests(principal, action=action).select_related("institution").filter(id=request_id).first()
    if found is None:
        raise NotFound()
    return found
