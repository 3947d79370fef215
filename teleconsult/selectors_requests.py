"""Reads of requests, of who waits, and of offers, always within what the caller may see."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from uuid import UUID

from django.db.models import Case, F, IntegerField, Q, QuerySet, When

from hospital.access.principals import Principal
from hospital.access.scopes import within
from hospital.access.services import digest_of
from hospital.common.clock import now
from hospital.common.errors import NotFound
from hospital.common.rows import only

from .models import ExamRequest, SlotOffer
from .states_requests import OPEN, OPEN_REQUESTS, PRIORITIES, WAITING

Place = tuple[int, int, datetime, UUID]  # at the front or not, rank of the priority, when it was asked, which

_RELATED = (
    "patient__institution",
    "exam_type",
    "institution",
    "requested_by",
    "waiting",
    "waiting__person",
    "exam",
)


def requests(principal: Principal, action: str = "request.read") -> QuerySet[ExamRequest]:
    """Requests with which the caller may do this, by the permission table's scope."""
    rows = ExamRequest.objects.select_related(*_RELATED).prefetch_related("offers")
    return rows.filter(within(principal, action, "exam_request"))


def request_get(principal: Principal, request_id: UUID, action: str = "request.read") -> ExamRequest:
    """NotFound for what is not there and for what is not yours."""
    found = only(requests(principal, action).filter(id=request_id))
    if found is None:
        raise NotFound()
    return found


def in_order(rows: QuerySet[ExamRequest]) -> QuerySet[ExamRequest]:
    """Who gave way to an emergency first, then by priority, then by the time asked."""
    rank = Case(
        *(When(priority=one, then=number) for number, one in enumerate(PRIORITIES)),
        output_field=IntegerField(),
    )
    front = Case(When(waiting__front=True, then=0), default=1, output_field=IntegerField())
    return rows.alias(front=front, rank=rank).order_by("front", "rank", "asked_at", "id")


def inbox(principal: Principal, *, state: str = "") -> QuerySet[ExamRequest]:
    """The open requests, or those in one state, as they are served."""
    rows = requests(principal)
    return in_order(rows.filter(state=state) if state else rows.filter(state__in=OPEN_REQUESTS))


def waiting_ids(request_ids: Iterable[UUID] | None = None) -> QuerySet[ExamRequest, UUID]:
    """Who waits and has no time on offer, as they are served."""
    rows = ExamRequest.objects.filter(state=WAITING).exclude(offers__state=OPEN)
    if request_ids is not None:
        rows = rows.filter(id__in=list(request_ids))
    return in_order(rows).values_list("id", flat=True)


def place_of(request_id: UUID) -> Place | None:
    """Where one stands among all who wait or waited: what `waiting_ids` is ordered by."""
    rows = in_order(ExamRequest.objects.filter(id=request_id)).annotate(
        at_front=F("front"), at_rank=F("rank")
    )
    return rows.values_list("at_front", "at_rank", "asked_at", "id").first()


def waiting_after(place: Place | None, *, size: int) -> list[UUID]:
    """The next who wait behind that place; from the beginning without one."""
    rows = waiting_ids()
    if place is not None:
        front, rank, asked_at, ident = place
        later = Q(asked_at__gt=asked_at) | Q(asked_at=asked_at, id__gt=ident)
        rows = rows.filter(
            Q(front__gt=front) | Q(front=front, rank__gt=rank) | Q(later, front=front, rank=rank)
        )
    return list(rows[:size])


def offers_open(principal: Principal, action: str) -> QuerySet[SlotOffer]:
    """Times on offer for requests within the caller's reach."""
    reach = ExamRequest.objects.filter(within(principal, action, "exam_request"))
    rows = SlotOffer.objects.select_related("request", "request__institution", "request__exam_type")
    return rows.filter(Q(request__in=reach), state=OPEN, expires_at__gt=now()).order_by("expires_at", "id")


def offer_request_id(principal: Principal, offer_id: UUID, action: str) -> UUID:
    """Whose offer it is. NotFound for what is not there and for what is not yours."""
    reach = ExamRequest.objects.filter(within(principal, action, "exam_request"))
    found = SlotOffer.objects.filter(request__in=reach, id=offer_id).values_list("request_id", flat=True)
    if (ident := found.first()) is None:
        raise NotFound()
    return ident


def offer_by_link(token: str) -> SlotOffer:
    """The offer that a message's link names, open or not. NotFound for no such link."""
    rows = SlotOffer.objects.select_related("request", "request__institution", "request__exam_type")
    found = rows.filter(digest=digest_of(token)).first()
    if found is None:
        raise NotFound()
    return found
