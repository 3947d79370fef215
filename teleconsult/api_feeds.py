"""REST doors of calendars to subscribe to, and of one exam as a calendar file."""

from __future__ import annotations

from typing import Any, ClassVar
from uuid import UUID

from django.http import HttpResponse
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import extend_schema
from rest_framework.request import Request
from rest_framework.response import Response

from hospital.access.authentication import principal_of
from hospital.common.api import PUBLIC, Door

from . import feeds, selectors
from .models import CalendarFeed
from .shown import exam_shown


def feed_json(feed: CalendarFeed) -> dict[str, Any]:
    return {
        "id": str(feed.id),
        "resource": {
            "id": str(feed.resource_id),
            "kind": feed.resource.kind,
            "name": feed.resource.name,
        },
        "made_at": feed.made_at.isoformat(),
        "read_at": feed.read_at.isoformat() if feed.read_at else None,
    }


def _ics(data: bytes, name: str) -> HttpResponse:
    answer = HttpResponse(data, content_type="text/calendar; charset=utf-8")
    answer["Content-Disposition"] = f'inline; filename="{name}.ics"'
    answer["Cache-Control"] = "private, no-store"
    return answer


class FeedsDoor(Door):
    """One's own calendar addresses, which calendars there can be one of, and a new one of
    oneself: its address is said once."""

    actions: ClassVar = {"GET": "feed.own", "POST": "feed.own"}
    catalogue = True

    @extend_schema(responses=OpenApiTypes.OBJECT)
    def get(self, request: Request) -> Response:
        principal = principal_of(request)
        calendars = [
            {"id": str(row.id), "kind": row.kind, "name": row.name, "own": row.user_id == principal.id}
            for row in feeds.reachable(principal)
        ]
        rows = [feed_json(feed) for feed in feeds.feeds_of(principal)]
        return Response({"results": rows, "next": None, "calendars": calendars})

    @extend_schema(request=None, responses={201: OpenApiTypes.OBJECT})
    def post(self, request: Request) -> Response:
        feed, url = feeds.feed_make(principal=principal_of(request), resource_id=None)
        return Response(feed_json(feed) | {"url": url}, status=201)


class RoomFeedDoor(Door):
    """An address for the calendar of a room of one's desk, said once."""

    actions: ClassVar = {"POST": "feed.room"}

    @extend_schema(request=None, responses={201: OpenApiTypes.OBJECT})
    def post(self, request: Request, resource_id: UUID) -> Response:
        feed, url = feeds.feed_make(principal=principal_of(request), resource_id=resource_id)
        return Response(feed_json(feed) | {"url": url}, status=201)


class FeedDoor(Door):
    actions: ClassVar = {"DELETE": "feed.own"}

    @extend_schema(responses={204: None})
    def delete(self, request: Request, feed_id: UUID) -> Response:
        feeds.feed_revoke(principal=principal_of(request), feed_id=feed_id)
        return Response(status=204)


class FeedFileDoor(Door):
    """The calendar itself, for a calendar program: who has the address reads it. It names no patient."""

    authentication_classes = ()
    actions: ClassVar = {"GET": PUBLIC}
    also: ClassVar = (404,)

    @extend_schema(responses={(200, "text/calendar"): OpenApiTypes.BINARY})
    def get(self, request: Request, feed_secret: str) -> HttpResponse:
        return _ics(feeds.feed_read(feed_secret), "calendar")


class LinkedCalendarDoor(Door):
    """A booking as a calendar file, for who has the link in the message. It names no patient."""

    authentication_classes = ()
    actions: ClassVar = {"GET": PUBLIC}
    also: ClassVar = (404,)

    @extend_schema(responses={(200, "text/calendar"): OpenApiTypes.BINARY})
    def get(self, request: Request, booking_token: str) -> HttpResponse:
        return _ics(feeds.linked_calendar(booking_token), "booking")


class MyExamCalendarDoor(Door):
    """A patient's booking as a file for their own calendar."""

    actions: ClassVar = {"GET": "me.exams"}

    @extend_schema(responses={(200, "text/calendar"): OpenApiTypes.BINARY})
    def get(self, request: Request, exam_id: UUID) -> HttpResponse:
        principal = principal_of(request)
        exam = selectors.exam_get(principal, exam_id, "me.exams")
        self.shown(exam_shown(principal, exam))
        return _ics(feeds.exam_calendar(exam.id), exam.accession)
