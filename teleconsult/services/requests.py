"""The requests inbox: asking, deciding, and turning a request into a booking in one step."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from django.db import transaction

from devices.fleet.push import push_desk
from hospital.access.principals import Principal
from hospital.access.table import places
from hospital.audit.services import audit_record
from hospital.common.clock import now
from hospital.common.errors import Conflict, NotFound
from hospital.common.rows import only
from hospital.people import selectors as people
from hospital.scheduling import selectors as scheduling
from hospital.scheduling import services as scheduling_services

from .. import selectors_requests as selectors
from ..models import Exam, ExamRequest, SlotOffer
from ..states import IllegalTransition
from ..states_requests import OPEN, UNPAID, offer_advance, request_advance
from ..telling import requester_told
from .booking import exam_book
from .steps import reason_checked


def noted(row: ExamRequest, principal: Principal, action: str, reason: str = "") -> None:
    """The deed is on record, and the desk hears of it after commit."""
    audit_record(
        principal=principal,
        action=action,
        object_kind="exam_request",
        object_id=row.id,
        institution_id=row.institution_id,
        reason=reason,
        patient_ids=(row.patient_id,),
    )
    push_desk(row.institution_id, None)


def request_locked(principal: Principal, request_id: UUID, action: str) -> ExamRequest:
    """The request within the caller's reach, with its row locked: of two who decide, the second sees the first."""
    selectors.request_get(principal, request_id, action)
    if only(ExamRequest.objects.select_for_update().filter(id=request_id)) is None:
        raise NotFound()
    return selectors.request_get(principal, request_id, action)


def request_step(row: ExamRequest, command: str, principal: Principal, reason: str = "") -> None:
    """One row of the table. Conflict `request_closed` when it has none."""
    try:
        row.state = request_advance(row.state, command)
    except IllegalTransition:
        raise Conflict("request_closed", state=row.state) from None
    row.reason, row.decided_by_id, row.decided_at = reason, principal.id, now()
    row.save(update_fields=["state", "reason", "decided_by_id", "decided_at", "exam"])
    noted(row, principal, f"request.{command}", reason)
    if command in ("book", "decline"):
        requester_told(row, principal.id)


@transaction.atomic
def request_add(
    *,
    principal: Principal,
    patient_id: UUID,
    exam_type: str,
    institution_id: UUID,
    clinical_question: str,
    priority: str,
    history: str = "",
    fee: str = UNPAID,
) -> ExamRequest:
    """Ask an institution's desk, where one works, for an exam. NotFound for another place or its patients; Invalid
    `unknown_exam_type`; Conflict `patient_restricted`."""
    if institution_id not in places(principal, "request.add"):
        raise NotFound()
    patient = people.patient_for_exam(principal=principal, patient_id=patient_id, action="request.add")
    row = ExamRequest.objects.create(
        patient=patient,
        exam_type=scheduling.exam_type_get(exam_type),
        institution_id=institution_id,
        requested_by_id=principal.id,
        priority=priority,
        clinical_question=clinical_question,
        history=history,
        fee=fee,
    )
    noted(row, principal, "request.add")
    return row


@transaction.atomic
def request_fee(*, principal: Principal, request_id: UUID, fee: str) -> ExamRequest:
    """What the cash desk said. Nothing is paid here, and an unpaid request can be booked."""
    row = request_locked(principal, request_id, "request.keep")
    row.fee = fee
    row.save(update_fields=["fee"])
    noted(row, principal, "request.fee", fee)
    return row


@transaction.atomic
def request_decline(*, principal: Principal, request_id: UUID, reason: str) -> ExamRequest:
    """Invalid `reason_required`; Conflict `request_closed`."""
    return _ended(principal, request_id, "request.keep", "decline", reason)


@transaction.atomic
def request_withdraw(*, principal: Principal, request_id: UUID, reason: str) -> ExamRequest:
    """By who asked, or by the desk for them."""
    return _ended(principal, request_id, "request.withdraw", "withdraw", reason)


def _ended(principal: Principal, request_id: UUID, action: str, command: str, reason: str) -> ExamRequest:
    row = request_locked(principal, request_id, action)
    offers_revoke(row)
    request_step(row, command, principal, reason_checked(reason))
    return row


@transaction.atomic
def request_book(*, principal: Principal, request_id: UUID, **booking: Any) -> Exam:
    """Turn the request into a booking; `booking` as in `exam_book`, without what the request says itself.

    Of two who book one request at once, one books and the other gets Conflict `request_closed`.
    """
    row = request_locked(principal, request_id, "request.keep")
    offers_revoke(row)
    return request_booked(row, principal, booker=principal, **booking)


def request_booked(row: ExamRequest, principal: Principal, *, booker: Principal, **booking: Any) -> Exam:
    """The locked request gets its exam. `booker` is whose reach the booking uses, `principal` who decided."""
    try:
        request_advance(row.state, "book")
    except IllegalTransition:
        raise Conflict("request_closed", state=row.state) from None
    row.exam = exam_book(
        principal=booker,
        patient_id=row.patient_id,
        exam_type=row.exam_type_id,
        clinical_question=row.clinical_question,
        history=row.history,
        priority=row.priority,
        **booking,
    )
    request_step(row, "book", principal)
    return row.exam


def offers_revoke(row: ExamRequest) -> None:
    """What is on offer to a locked request is given back: it is booked otherwise, or no longer wanted."""
    for offer in SlotOffer.objects.select_for_update().filter(request=row, state=OPEN):
        offer_step(offer, "revoke", "staff")
        scheduling_services.hold_release(hold_id=offer.hold_id)


def offer_step(offer: SlotOffer, command: str, kind: str) -> None:
    """One row of the table. Conflict `offer_over` when it has none."""
    try:
        offer.state = offer_advance(offer.state, command)
    except IllegalTransition:
        raise Conflict("offer_over", state=offer.state) from None
    offer.answered_at, offer.answered_by_kind = now(), kind
    offer.save(update_fields=["state", "answered_at", "answered_by_kind"])
