"""REST doors of the requests inbox, the waiting list, its offers, and of emergencies that take a planned time."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, ClassVar
from uuid import UUID

from drf_spectacular.utils import OpenApiTypes, extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from hospital.access.authentication import principal_of
from hospital.common.api import PUBLIC, Door, checked, page_of, parsed

from . import inputs_requests as inputs
from . import selectors, services
from . import selectors_requests as found
from .inputs import Nothing, Reason
from .representations import exam_booked, exam_for_patient
from .views_requests import (
    offer_for_patient,
    offers_shown,
    request_json,
    request_shown,
    requests_shown,
)


class ExamRequestsDoor(Door):
    """The inbox as it is served: who gave way to an emergency, then by priority, then by the time asked."""

    actions: ClassVar = {"GET": "request.read", "POST": "request.add"}

    @extend_schema(parameters=[inputs.ExamRequestList], responses=OpenApiTypes.OBJECT)
    def get(self, request: Request) -> Response:
        asked = checked(inputs.ExamRequestList, request.query_params)
        return page_of(
            found.inbox(principal_of(request), state=asked["state"]),
            request,
            request_json,
            shown=lambda rows: self.shown(requests_shown(rows)),
        )

    @extend_schema(request=inputs.ExamRequestNew, responses={201: OpenApiTypes.OBJECT})
    def post(self, request: Request) -> Response:
        row = services.request_add(principal=principal_of(request), **parsed(inputs.ExamRequestNew, request))
        return Response(
            request_json(found.request_get(principal_of(request), row.id), texts=True), status=201
        )


class ExamRequestDoor(Door):
    actions: ClassVar = {"GET": "request.read"}

    @extend_schema(responses=OpenApiTypes.OBJECT)
    def get(self, request: Request, exam_request_id: UUID) -> Response:
        row = found.request_get(principal_of(request), exam_request_id)
        self.shown(request_shown(row))
        return Response(request_json(row, texts=True))


def request_door(
    name: str, action: str, service: Callable[..., Any], body: type[serializers.Serializer[Any]]
) -> type[Door]:
    """One POST door that gives one command to one request and answers with the request as it then is."""

    class ExamRequestCommandDoor(Door):
        actions: ClassVar = {"POST": action}

        @extend_schema(operation_id=f"exam_request_{name}", request=body, responses=OpenApiTypes.OBJECT)
        def post(self, request: Request, exam_request_id: UUID) -> Response:
            principal = principal_of(request)
            service(principal=principal, request_id=exam_request_id, **parsed(body, request))
            return Response(request_json(found.request_get(principal, exam_request_id), texts=True))

    return ExamRequestCommandDoor


REQUEST_COMMANDS: dict[str, type[Door]] = {
    "book": request_door("book", "request.keep", services.request_book, inputs.ExamRequestBook),
    "fee": request_door("fee", "request.keep", services.request_fee, inputs.ExamRequestFee),
    "decline": request_door("decline", "request.keep", services.request_decline, Reason),
    "withdraw": request_door("withdraw", "request.withdraw", services.request_withdraw, Reason),
    "wait": request_door("wait", "waiting.keep", services.waiting_add, inputs.Waiting),
}


class DisplaceDoor(Door):
    """Book an emergency in the place of planned exams, which go to the front of the waiting list."""

    actions: ClassVar = {"POST": "exam.displace"}

    @extend_schema(request=inputs.Displace, responses={201: OpenApiTypes.OBJECT})
    def post(self, request: Request) -> Response:
        principal = principal_of(request)
        exam = services.exam_displace(principal=principal, **parsed(inputs.Displace, request))
        fresh = selectors.exam_get(principal, exam.id)
        return Response(exam_booked(fresh, principal), status=201)


class OfferAcceptDoor(Door):
    """The desk says yes for a patient who called."""

    actions: ClassVar = {"POST": "waiting.keep"}

    @extend_schema(request=Nothing, responses=OpenApiTypes.OBJECT)
    def post(self, request: Request, offer_id: UUID) -> Response:
        principal = principal_of(request)
        exam = services.offer_accept(principal=principal, offer_id=offer_id)
        return Response(exam_booked(selectors.exam_get(principal, exam.id), principal))


class OfferRefuseDoor(Door):
    actions: ClassVar = {"POST": "waiting.keep"}

    @extend_schema(request=Nothing, responses={204: None})
    def post(self, request: Request, offer_id: UUID) -> Response:
        services.offer_refuse(principal=principal_of(request), offer_id=offer_id)
        return Response(status=204)


class MyOffersDoor(Door):
    """Times on offer to the account's patients."""

    actions: ClassVar = {"GET": "me.book"}

    @extend_schema(responses=OpenApiTypes.OBJECT)
    def get(self, request: Request) -> Response:
        return page_of(
            found.offers_open(principal_of(request), "me.book"),
            request,
            offer_for_patient,
            shown=lambda rows: self.shown(offers_shown(rows)),
        )


class MyOfferAcceptDoor(Door):
    actions: ClassVar = {"POST": "me.book"}

    @extend_schema(request=Nothing, responses=OpenApiTypes.OBJECT)
    def post(self, request: Request, offer_id: UUID) -> Response:
        principal = principal_of(request)
        exam = services.offer_accept(principal=principal, offer_id=offer_id, action="me.book")
        return Response(exam_for_patient(selectors.exam_get(principal, exam.id, "me.book")))


class MyOfferRefuseDoor(Door):
    actions: ClassVar = {"POST": "me.book"}

    @extend_schema(request=Nothing, responses={204: None})
    def post(self, request: Request, offer_id: UUID) -> Response:
        services.offer_refuse(principal=principal_of(request), offer_id=offer_id, action="me.book")
        return Response(status=204)


class OfferLinkDoor(Door):
    """What the link in the message names: nobody signs in, the link is the proof. Looking changes nothing."""

    actions: ClassVar = {"POST": PUBLIC}
    also: ClassVar = (404,)

    @extend_schema(request=inputs.OfferLink, responses=OpenApiTypes.OBJECT)
    def post(self, request: Request) -> Response:
        return Response(offer_for_patient(found.offer_by_link(parsed(inputs.OfferLink, request)["token"])))


class OfferLinkAcceptDoor(Door):
    actions: ClassVar = {"POST": PUBLIC}
    also: ClassVar = (404, 409)

    @extend_schema(request=inputs.OfferLink, responses=OpenApiTypes.OBJECT)
    def post(self, request: Request) -> Response:
        token = parsed(inputs.OfferLink, request)["token"]
        services.offer_accept_by_link(token=token)
        return Response(offer_for_patient(found.offer_by_link(token)))


class OfferLinkRefuseDoor(Door):
    actions: ClassVar = {"POST": PUBLIC}
    also: ClassVar = (404, 409)

    @extend_schema(request=inputs.OfferLink, responses=OpenApiTypes.OBJECT)
    def post(self, request: Request) -> Response:
        token = parsed(inputs.OfferLink, request)["token"]
        services.offer_refuse_by_link(token=token)
        return Response(offer_for_patient(found.offer_by_link(token)))
