"""REST doors of arrival and queue."""

from __future__ import annotations

from typing import Any, ClassVar
from uuid import UUID

from drf_spectacular.utils import OpenApiTypes, extend_schema
from rest_framework.request import Request
from rest_framework.response import Response

from hospital.access.authentication import principal_of
from hospital.common.api import Door, parsed

from . import inputs, queue, services
from .models import Exam
from .queue_views import arrived_json, room_json, room_shown


def _answer(exam: Exam, request: Request, status: int = 200) -> Response:
    return Response(arrived_json(queue.place_of(exam), principal_of(request)), status=status)


class ArrivalsDoor(Door):
    """Somebody stands at the desk: `said` is what was scanned or typed (slip, document, or phone tail and name)."""

    actions: ClassVar = {"POST": "arrival.check_in"}
    also: ClassVar = (404,)

    @extend_schema(request=inputs.Arrival, responses={200: OpenApiTypes.OBJECT, 409: OpenApiTypes.OBJECT})
    def post(self, request: Request) -> Response:
        exam = services.arrival_check_in(principal=principal_of(request), **parsed(inputs.Arrival, request))
        return _answer(exam, request)


class WalkInsDoor(Door):
    """Book the next free time of today for who stands at the desk, and check them in."""

    actions: ClassVar = {"POST": "exam.book"}

    @extend_schema(request=inputs.WalkIn, responses={201: OpenApiTypes.OBJECT, 409: OpenApiTypes.OBJECT})
    def post(self, request: Request) -> Response:
        exam = services.walk_in(principal=principal_of(request), **parsed(inputs.WalkIn, request))
        return _answer(exam, request, 201)


class RoomQueueDoor(Door):
    """Today's queue of a room, with when each will begin as far as recent exams say. POST calls the next number."""

    actions: ClassVar = {"GET": "queue.read", "POST": "queue.call"}

    @extend_schema(responses=OpenApiTypes.OBJECT)
    def get(self, request: Request, room_id: UUID) -> Response:
        principal = principal_of(request)
        room = queue.room_queue(principal, room_id)
        self.shown(room_shown(principal, room))
        return Response(room_json(room))

    @extend_schema(request=inputs.Nothing, responses={200: OpenApiTypes.OBJECT, 409: OpenApiTypes.OBJECT})
    def post(self, request: Request, room_id: UUID) -> Response:
        exam = services.queue_call_next(principal=principal_of(request), room_id=room_id)
        return _answer(exam, request)


def _deed(name: str, service: Any) -> type[Door]:
    class QueueDeedDoor(Door):
        actions: ClassVar = {"POST": "queue.call"}

        @extend_schema(
            operation_id=f"queue_{name}",
            request=inputs.Nothing,
            responses={200: OpenApiTypes.OBJECT, 409: OpenApiTypes.OBJECT},
        )
        def post(self, request: Request, exam_id: UUID) -> Response:
            return _answer(service(principal=principal_of(request), exam_id=exam_id), request)

    QueueDeedDoor.__name__ = QueueDeedDoor.__qualname__ = f"Queue{name.title()}Door"
    return QueueDeedDoor


CallDoor = _deed("call", services.queue_call)
PassDoor = _deed("pass", services.queue_pass)
