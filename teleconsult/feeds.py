"""Calendars to subscribe to (RFC 5545, RFC 7986): a person's or a room's exams, under a secret address, without names.

An event keeps its UID through every move and cancellation, so that a reader's calendar changes it instead of adding one.
"""

from __future__ import annotations

import secrets
from collections.abc import Iterable
from datetime import datetime, timedelta
from typing import Any
from urllib.parse import urlsplit
from uuid import UUID

from django.conf import settings
from django.db import transaction
from django.db.models import Count, Max, Q, QuerySet
from icalendar import Calendar, Event

from hospital.access.principals import Principal
from hospital.access.selectors import principal_of_user
from hospital.access.services import digest_of
from hospital.access.table import allowed, places
from hospital.audit.services import audit_record
from hospital.common.clock import SHANGHAI, now
from hospital.common.errors import NotFound
from hospital.people.scopes import of_readable
from hospital.scheduling.models import Resource

from . import slip
from .models import CalendarFeed, Exam
from .states import Command, State

PAST, AHEAD = timedelta(days=31), timedelta(days=184)  # design values
REFRESH = timedelta(minutes=15)  # design value; readers ask as often as they like
OFF = frozenset({State.CANCELLED, State.NO_SHOW})
PRODID = "-//Yangtze Delta Internet Hospital//exams//ZH"
OWN, ROOM = "feed.own", "feed.room"


def reachable(principal: Principal) -> QuerySet[Resource]:
    """Whose calendar this person may subscribe to: their own, and the rooms of the desks they work at."""
    mine = Q(user_id=principal.id) if allowed(principal, OWN) else Q(pk=None)
    rooms = Q(kind="room", institution_id__in=places(principal, ROOM))
    return Resource.objects.filter(mine | rooms, active=True).order_by("kind", "name")


def feeds_of(principal: Principal) -> QuerySet[CalendarFeed]:
    """One's own that still answer."""
    return (
        CalendarFeed.objects.select_related("resource")
        .filter(made_by_id=principal.id, revoked_at=None)
        .order_by("made_at")
    )


@transaction.atomic
def feed_make(*, principal: Principal, resource_id: UUID | None) -> tuple[CalendarFeed, str]:
    """A new address, shown this once; one's earlier address of the same calendar ends. None: one's own calendar.

    NotFound for a calendar that is not theirs to see.
    """
    which = Q(user_id=principal.id) if resource_id is None else Q(id=resource_id, kind="room")
    resource = reachable(principal).filter(which).select_for_update(of=("self",)).first()
    if resource is None:
        raise NotFound()
    feeds_of(principal).filter(resource=resource).update(revoked_at=now())
    secret = secrets.token_urlsafe(32)
    feed = CalendarFeed.objects.create(resource=resource, made_by_id=principal.id, digest=digest_of(secret))
    _noted(principal, "feed.make", feed)
    return feed, f"{settings.BASE_URL.rstrip('/')}/api/v1/feeds/{secret}.ics"


@transaction.atomic
def feed_revoke(*, principal: Principal, feed_id: UUID) -> None:
    """From now on the address answers as one that never was. NotFound for anybody else's."""
    feed = feeds_of(principal).select_for_update(of=("self",)).filter(id=feed_id).first()
    if feed is None:
        raise NotFound()
    feed.revoked_at = now()
    feed.save(update_fields=["revoked_at"])
    _noted(principal, "feed.revoke", feed)


def _noted(principal: Principal, action: str, feed: CalendarFeed) -> None:
    audit_record(
        principal=principal,
        action=action,
        object_kind="feed",
        object_id=feed.id,
        institution_id=feed.resource.institution_id,
        details={"resource_id": str(feed.resource_id)},
    )


def feed_read(secret: str) -> bytes:
    """The calendar behind an address. NotFound for none, a revoked one, and one whose maker may no longer see it."""
    feed = (
        CalendarFeed.objects.select_related("resource", "made_by")
        .filter(digest=digest_of(secret), revoked_at=None, made_by__is_active=True)
        .first()
    )
    if feed is None or not reachable(principal_of_user(feed.made_by)).filter(id=feed.resource_id).exists():
        raise NotFound()
    CalendarFeed.objects.filter(id=feed.id).update(read_at=now())
    return calendar_of(feed.resource.name, exams_of(feed.resource))


def exams_of(resource: Resource) -> QuerySet[Exam]:
    """Exams in this calendar, cancelled ones too, from a month ago to half a year ahead."""
    person = Q(remote_physician_id=resource.user_id) | Q(bedside_physician_id=resource.user_id)
    which = person | Q(assistant_id=resource.user_id) if resource.user_id else Q(room=resource)
    near = Q(starts_at__gt=now() - PAST, starts_at__lt=now() + AHEAD)
    return Exam.objects.filter(of_readable(), which, near)


def calendar_of(name: str, exams: QuerySet[Exam]) -> bytes:
    """RFC 5545 text: one event an exam, with Shanghai's zone in it."""
    calendar = Calendar()
    calendar.add("PRODID", PRODID)
    calendar.add("VERSION", "2.0")
    calendar.add("METHOD", "PUBLISH")
    calendar.add("NAME", name)
    calendar.add("X-WR-CALNAME", name)
    calendar.add("REFRESH-INTERVAL", REFRESH, parameters={"VALUE": "DURATION"})
    calendar.add("X-PUBLISHED-TTL", REFRESH)
    for event in _events(exams):
        calendar.add_component(event)
    calendar.add_missing_timezones()
    return bytes(calendar.to_ical())


def _events(exams: QuerySet[Exam]) -> Iterable[Event]:
    rows = exams.select_related("room", "requesting_institution").annotate(
        changed_at=Max("transitions__at"),
        moves=Count("transitions", filter=Q(transitions__command__in=[Command.MOVE, Command.CANCEL])),
    )
    for exam in rows.order_by("starts_at", "id"):
        yield _event(exam)


def _event(exam: Any) -> Event:
    """No name, no reason, no kind of exam: a calendar is read over shoulders and kept by strangers' servers."""
    event = Event()
    changed: datetime = exam.changed_at or exam.created_at
    event.add("UID", f"{exam.id}@{urlsplit(settings.BASE_URL).hostname or 'hospital'}")
    event.add("DTSTAMP", changed)
    event.add("LAST-MODIFIED", changed)
    event.add("SEQUENCE", exam.moves)
    event.add("DTSTART", exam.starts_at.astimezone(SHANGHAI))
    event.add("DTEND", exam.ends_at.astimezone(SHANGHAI))
    event.add("SUMMARY", f"远程检查 Remote exam {exam.accession}")
    event.add("LOCATION", f"{exam.requesting_institution.name} {exam.room.name}")
    event.add("STATUS", "CANCELLED" if State(exam.state) in OFF else "CONFIRMED")
    event.add("TRANSP", "TRANSPARENT" if State(exam.state) in OFF else "OPAQUE")
    event.add("CLASS", "PRIVATE")
    return event


def exam_calendar(exam_id: UUID) -> bytes:
    """One exam as a file for the patient's own calendar."""
    return calendar_of("远程检查 Remote exam", Exam.objects.filter(id=exam_id))


def link_of(exam_id: UUID) -> str:
    """The address of that file for who has the message: no sign-in, no name in it."""
    return f"{settings.BASE_URL.rstrip('/')}/api/v1/bookings/{slip.token_of(exam_id, slip.CALENDAR)}.ics"


def linked_calendar(token: str) -> bytes:
    """The file that a message's link names, until a month after the exam. NotFound for every other text."""
    exam_id = slip.exam_of(token, slip.CALENDAR)
    if exam_id is None:
        raise NotFound()
    if not Exam.objects.filter(of_readable(), id=exam_id, starts_at__gt=now() - PAST).exists():
        raise NotFound()
    return exam_calendar(exam_id)
