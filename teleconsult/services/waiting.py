"""The waiting list: a time that becomes free is held for the next who fits, and offered until it ends.

Offers are made by due work that is written in the transaction that freed the time, and expire by due work that is
written with the offer: a worker that dies leaves the row for the next one, and a hold and its offer are one
transaction, so none is lost and none made twice.
"""

from __future__ import annotations

import secrets
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from math import ceil
from typing import Any
from uuid import UUID

from django.conf import settings
from django.db import transaction

from devices.fleet import selectors as fleet
from devices.fleet.push import push_desk
from hospital.access.principals import SYSTEM, Principal
from hospital.access.services import digest_of
from hospital.common.clock import now, shanghai_day, today
from hospital.common.errors import Conflict, DomainError, Invalid
from hospital.common.ids import uuid7
from hospital.common.rows import only
from hospital.common.work import work_add
from hospital.messages.services import message_send
from hospital.scheduling import selectors as scheduling
from hospital.scheduling import services as scheduling_services
from hospital.scheduling.models import ExamType

from .. import finding, rules_waiting
from .. import selectors_requests as selectors
from ..choosing import team_chosen
from ..models import Exam, ExamRequest, SlotOffer, WaitingEntry
from ..states_requests import EXPIRED, OPEN, REFUSED
from ..telling import when
from .requests import offer_step, offers_revoke, request_booked, request_locked, request_step
from .team import procedures_of, team_checked

SERVE, EXPIRE = "waiting.serve", "waiting.expire"
SERVED_MAX = 60  # design value: who is looked at in one turn, then the next; a turn must end within a minute
TIMES_MAX = 10  # design value: free times tried for one patient
BY_LINK = "link"


@dataclass(frozen=True)
class Time:
    """A free time with its team, as the fields of a booking."""

    starts_at: datetime
    team: dict[str, UUID]


def serve_later(
    starts_at: datetime, ends_at: datetime, *, due_at: datetime | None = None, behind: UUID | None = None
) -> None:
    """Written in the transaction that freed the time: whoever waits, or waits behind that request, is looked at after
    it commits.

    Without `due_at` a worker is nudged at once.
    """
    payload = {"starts_at": starts_at.isoformat(), "ends_at": ends_at.isoformat()}
    if behind is not None:
        payload["behind"] = str(behind)
    work_add(kind=SERVE, key=str(uuid7()), payload=payload, due_at=due_at)


@transaction.atomic
def waiting_add(
    *,
    principal: Principal,
    request_id: UUID,
    earliest: date | None = None,
    latest: date | None = None,
    parts_of_day: list[str] | None = None,
    person_id: UUID | None = None,
) -> ExamRequest:
    """Put a request on the waiting list, or change what it can take. A time that is free already is offered at once.

    Shanghai days, both included; from today, and two months, where nothing is said. Invalid `bad_days`; Conflict
    `request_closed`.
    """
    first = earliest or today()
    last = latest or first + timedelta(days=rules_waiting.WAIT_DAYS_MAX - 1)
    if last < first or last < today() or (last - today()).days > 366:
        raise Invalid("bad_days", field="latest")
    row = request_locked(principal, request_id, "waiting.keep")
    offers_revoke(row)
    request_step(row, "wait", principal)
    entry_write(row, earliest=first, latest=last, parts_of_day=parts_of_day or [], person_id=person_id)
    return row


def entry_write(row: ExamRequest, *, earliest: date, latest: date, **fields: Any) -> None:
    """What a waiting request can take; a worker looks for it after commit."""
    entry, _ = WaitingEntry.objects.update_or_create(
        request=row, defaults={"earliest": earliest, "latest": latest, **fields}
    )
    _look_for(entry)


def _look_for(entry: WaitingEntry) -> None:
    """All that one who waits can take: what became free while another time was on offer to them was not theirs."""
    serve_later(shanghai_day(entry.earliest)[0], shanghai_day(entry.latest)[1])


@transaction.atomic
def waiting_serve(*, starts_at: datetime, ends_at: datetime, behind: UUID | None = None) -> int:
    """Offer what is free between these moments to who waits, in order; how many offers were made.

    Rows are locked in that order, then looked at again: who was served meanwhile has an offer by now. Whoever waits
    behind the first `SERVED_MAX` is the next turn's.
    """
    ids = selectors.waiting_after(selectors.place_of(behind) if behind else None, size=SERVED_MAX)
    if len(ids) == SERVED_MAX:
        serve_later(starts_at, ends_at, behind=ids[-1])
    locked = ExamRequest.objects.select_for_update(of=("self",)).filter(id__in=ids).order_by("id")
    here = list(locked.values_list("id", flat=True))
    made = 0
    for ident in selectors.waiting_ids(here):
        row = only(selectors.requests(SYSTEM, "waiting.keep").filter(id=ident))
        if row is not None and _served(row, starts_at, ends_at):
            made += 1
    return made


def _served(row: ExamRequest, starts_at: datetime, ends_at: datetime) -> bool:
    return any(_offered(row, time) for time in _times(row, starts_at, ends_at))


def _times(row: ExamRequest, starts_at: datetime, ends_at: datetime) -> Iterator[Time]:
    """Free times between the moments that the patient can take, earliest first."""
    kind = scheduling.exam_type_get(row.exam_type_id)
    entry = row.waiting
    first = max(
        starts_at - timedelta(minutes=kind.minutes), shanghai_day(entry.earliest)[0], now()
    )  # fmt: skip
    last = min(ends_at, shanghai_day(entry.latest)[1])
    if first >= last:
        return
    refused = [
        (offer.starts_at, offer.ends_at) for offer in row.offers.all() if offer.state in (REFUSED, EXPIRED)
    ]
    for found in _found(row, kind, first, last):
        begin = datetime.fromisoformat(found["starts_at"])
        fits = begin < last and rules_waiting.not_refused(
            begin, datetime.fromisoformat(found["ends_at"]), refused
        )
        free = {role: ids for role, ids in found["free"].items() if role != finding.PROBE}
        team = team_chosen(free, kept={}, people=finding.PEOPLE) if fits else None
        if team:
            yield Time(begin, {f"{role}_id": UUID(one) for role, one in team.items()})


def _found(row: ExamRequest, kind: ExamType, first: datetime, last: datetime) -> list[dict[str, Any]]:
    results: list[dict[str, Any]] = []
    for part in row.waiting.parts_of_day or [""]:
        wish = finding.Wish(
            exam_type=kind.code,
            starts_from=first,
            days=min(ceil((last - first) / timedelta(days=1)), finding.DAYS_MAX),
            place_ids=frozenset({row.institution_id}),
            person_ids=frozenset({row.waiting.person_id} if row.waiting.person_id else ()),
            part_of_day=part,
            procedures=tuple(procedures_of(kind, row.patient_id, ())),
        )
        results += finding.times_find(SYSTEM, wish, size=TIMES_MAX).results
    return sorted(results, key=lambda found: datetime.fromisoformat(found["starts_at"]))


def _offered(row: ExamRequest, time: Time) -> bool:
    """Hold the time and tell the patient; False when it can't be had after all."""
    expires_at = rules_waiting.offer_ends(now(), time.starts_at)
    if expires_at is None:
        return False
    try:
        with transaction.atomic():
            _offer(row, time, expires_at)
    except DomainError:
        return False
    return True


def _offer(row: ExamRequest, time: Time, expires_at: datetime) -> None:
    kind = scheduling.exam_type_get(row.exam_type_id)
    team = team_checked(
        kind,
        remote_id=time.team["remote_physician_id"],
        bedside_id=time.team["bedside_physician_id"],
        assistant_id=time.team.get("assistant_id"),
        robot=fleet.robot_within(SYSTEM, "exam.book", time.team["robot_id"]),
        room_id=time.team["room_id"],
        starts_at=time.starts_at,
        procedures=procedures_of(kind, row.patient_id, ()),
    )
    hold_id = scheduling_services.hold_place(
        resource_ids=team.resource_ids,
        starts_at=time.starts_at,
        ends_at=team.ends_at,
        expires_at=expires_at,
        by=SYSTEM.id,
        place_id=team.requesting_id,
    )
    token = secrets.token_urlsafe(24)
    offer = SlotOffer.objects.create(
        request=row,
        hold_id=hold_id,
        starts_at=time.starts_at,
        ends_at=team.ends_at,
        team={name: str(one) for name, one in time.team.items()},
        digest=digest_of(token),
        expires_at=expires_at,
    )
    work_add(kind=EXPIRE, key=str(offer.id), payload={"offer_id": str(offer.id)}, due_at=expires_at)
    _told(row, offer, token)


def _told(row: ExamRequest, offer: SlotOffer, token: str) -> None:
    """The link's secret stands behind `#`: it reaches no server's log."""
    push_desk(row.institution_id, None)
    if not row.patient.phone:
        return
    message_send(
        to=row.patient.phone,
        channel="sms",
        template="waiting_offer",
        context={
            "when": when(offer.starts_at),
            "until": when(offer.expires_at),
            "place": row.institution.name,
            "place_en": row.institution.name_en or row.institution.name,
            "link": f"{settings.BASE_URL.rstrip('/')}/console/offer/#{token}",
        },
        expires_at=offer.expires_at,
    )


def _answered(offer_id: UUID, request_id: UUID) -> tuple[ExamRequest, SlotOffer]:
    """Both rows locked, the request first as everybody does. Conflict `offer_over` when it is too late."""
    row = request_locked(SYSTEM, request_id, "waiting.keep")
    offer = SlotOffer.objects.select_for_update().get(id=offer_id)
    if offer.state != OPEN or offer.expires_at <= now():
        raise Conflict("offer_over", state=offer.state if offer.state != OPEN else EXPIRED)
    return row, offer


@transaction.atomic
def offer_accept(*, principal: Principal, offer_id: UUID, action: str = "waiting.keep") -> Exam:
    """At the desk, or by the patient's account: the held time becomes the booking. NotFound for another's offer;
    Conflict `offer_over`; else as in `exam_book`."""
    request_id = selectors.offer_request_id(principal, offer_id, action)
    return _accepted(principal, offer_id, request_id, principal.kind)


@transaction.atomic
def offer_accept_by_link(*, token: str) -> Exam:
    """By who holds the link in the message. NotFound for no such link, Conflict `offer_over` the second time."""
    offer = selectors.offer_by_link(token)
    return _accepted(SYSTEM, offer.id, offer.request_id, BY_LINK)


def _accepted(principal: Principal, offer_id: UUID, request_id: UUID, kind: str) -> Exam:
    row, offer = _answered(offer_id, request_id)
    offer_step(offer, "accept", kind)
    team = {name: UUID(one) for name, one in offer.team.items()}
    return request_booked(
        row, principal, booker=SYSTEM, starts_at=offer.starts_at, hold_id=offer.hold_id, **team
    )


@transaction.atomic
def offer_refuse(*, principal: Principal, offer_id: UUID, action: str = "waiting.keep") -> None:
    """The patient keeps the place on the list, the time goes to the next. Errors as in `offer_accept`."""
    request_id = selectors.offer_request_id(principal, offer_id, action)
    _refused(offer_id, request_id, principal.kind)


@transaction.atomic
def offer_refuse_by_link(*, token: str) -> None:
    offer = selectors.offer_by_link(token)
    _refused(offer.id, offer.request_id, BY_LINK)


def _refused(offer_id: UUID, request_id: UUID, kind: str) -> None:
    row, offer = _answered(offer_id, request_id)
    offer_step(offer, "refuse", kind)
    scheduling_services.hold_release(hold_id=offer.hold_id)  # tells that its time is free
    _look_for(row.waiting)
    push_desk(row.institution_id, None)


@transaction.atomic
def offer_expire(*, offer_id: UUID) -> None:
    """Nobody answered: the time goes to the next. Does nothing the second time, or when it was answered."""
    found = SlotOffer.objects.filter(id=offer_id).values_list("request_id", flat=True).first()
    if found is None:
        return
    ExamRequest.objects.select_for_update().filter(id=found).first()
    offer = SlotOffer.objects.select_for_update().get(id=offer_id)
    if offer.state != OPEN:
        return
    offer_step(offer, "expire", "system")
    scheduling_services.hold_release(hold_id=offer.hold_id)
    serve_later(offer.starts_at, offer.ends_at)  # the hold may have ended by itself, and told it too early
    if (entry := WaitingEntry.objects.filter(request_id=found).first()) is not None:
        _look_for(entry)
    push_desk(offer.request.institution_id, None)
