"""The doors of bedside tablets: pairing, who is here, the change of person. Those of a tablet are open to nobody in
particular: its key's signature is what opens them."""

from __future__ import annotations

from typing import Any, ClassVar
from uuid import UUID

from django.conf import settings
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from hospital.access import tablets
from hospital.access.authentication import principal_of
from hospital.access.selectors import institution_names
from hospital.access.table import places
from hospital.access.tablets import Person, Signed
from hospital.common.api import PUBLIC, Door, parsed
from hospital.common.problems import language_of
from hospital.common.qr import qr_rows
from hospital.common.reads import Shown
from hospital.scheduling import selectors as scheduling

from . import selectors, services
from .api import EXAM
from .representations import exam_json


class TabletInput(serializers.Serializer[Any]):
    room_id = serializers.UUIDField()
    name = serializers.CharField(max_length=60)


class TabletPairInput(serializers.Serializer[Any]):
    code = serializers.CharField(max_length=20)
    public_key = serializers.CharField(max_length=300)
    signature = serializers.CharField(max_length=120)


class SignedInput(serializers.Serializer[Any]):
    challenge_id = serializers.UUIDField()
    signature = serializers.CharField(max_length=120)


class TabletOpenInput(SignedInput):
    pin = serializers.CharField(max_length=6, required=False, default="", allow_blank=True)


class ChangeInput(SignedInput):
    user_id = serializers.UUIDField()
    pin = serializers.CharField(max_length=6, required=False, default="", allow_blank=True)
    credential = serializers.DictField(required=False, default=dict)
    exam_id = serializers.UUIDField(required=False, default=None, allow_null=True)


def _signed(tablet_id: UUID, given: dict[str, Any]) -> Signed:
    return Signed(
        tablet_id=tablet_id, challenge_id=given.pop("challenge_id"), signature=given.pop("signature")
    )


def _names(room_id: UUID, institution_id: UUID) -> dict[str, str]:
    room = scheduling.room_named(room_id)
    place = institution_names(ids=[institution_id]).get(institution_id, {})
    return {
        "room": room[0],
        "room_en": room[1],
        "institution": place.get("name", ""),
        "institution_en": place.get("name_en", ""),
    }


def _tablet_json(tablet: Any) -> dict[str, Any]:
    moments = ("created_at", "paired_at", "last_used_at", "revoked_at", "code_expires_at")
    times = {name: getattr(tablet, name) for name in moments}
    return {
        "id": str(tablet.id),
        "name": tablet.name,
        **_names(tablet.room_id, tablet.institution_id),
        **{name: at.isoformat() if at else None for name, at in times.items()},
    }


def _told(code: str) -> dict[str, Any]:
    """The code to type, where, and both as a QR code: behind the #, which a browser sends to no server."""
    address = f"{settings.BASE_URL.rstrip('/')}/console/tablet/"
    return {"code": code, "address": address, "qr": qr_rows(f"{address}#{code}")}


class TabletsDoor(Door):
    """Tablets of the caller's institutions and their rooms; a new one with its code, told once."""

    actions: ClassVar = {"GET": "tablet.manage", "POST": "tablet.manage"}

    @extend_schema(responses=OpenApiTypes.OBJECT)
    def get(self, request: Request) -> Response:
        principal = principal_of(request)
        self.shown(Shown(kind="tablets"))
        rooms = scheduling.resources(kind="room", institution_ids=places(principal, "tablet.manage"))
        return Response(
            {
                "results": [_tablet_json(row) for row in tablets.tablets_of(principal)],
                "rooms": [{"id": str(row.id), "name": row.name, "name_en": row.name_en} for row in rooms],
                "next": None,
            }
        )

    @extend_schema(request=TabletInput, responses={201: OpenApiTypes.OBJECT})
    def post(self, request: Request) -> Response:
        given = parsed(TabletInput, request)
        place = scheduling.room_institution(given["room_id"])
        tablet, code = tablets.tablet_offer(principal=principal_of(request), institution_id=place, **given)
        return Response(_tablet_json(tablet) | _told(code), status=201)


class TabletRevokeDoor(Door):
    actions: ClassVar = {"POST": "tablet.manage"}

    @extend_schema(request=None, responses={204: None})
    def post(self, request: Request, tablet_id: UUID) -> Response:
        tablets.tablet_revoke(principal=principal_of(request), tablet_id=tablet_id)
        return Response(status=204)


class TabletPairDoor(Door):
    """The code from the desk and the browser's new key, once."""

    authentication_classes = ()
    actions: ClassVar = {"POST": PUBLIC}
    also: ClassVar = (401,)

    @extend_schema(request=TabletPairInput, responses={201: OpenApiTypes.OBJECT})
    def post(self, request: Request) -> Response:
        return Response(_tablet_json(tablets.tablet_pair(**parsed(TabletPairInput, request))), status=201)


class TabletChallengeDoor(Door):
    authentication_classes = ()
    actions: ClassVar = {"POST": PUBLIC}
    also: ClassVar = (401, 429)

    @extend_schema(request=None, responses={201: OpenApiTypes.OBJECT})
    def post(self, request: Request, tablet_id: UUID) -> Response:
        return Response(tablets.challenge_issue(tablet_id=tablet_id), status=201)


class TabletRosterDoor(Door):
    """Who signed in on this tablet in this shift, told to the tablet itself."""

    authentication_classes = ()
    actions: ClassVar = {"POST": PUBLIC}
    also: ClassVar = (401,)

    @extend_schema(request=SignedInput, responses=OpenApiTypes.OBJECT)
    def post(self, request: Request, tablet_id: UUID) -> Response:
        tablet, people = tablets.roster(signed=_signed(tablet_id, parsed(SignedInput, request)))
        return Response({**_tablet_json(tablet), "people": people})


class TabletOpenDoor(Door):
    """The caller's sign-in with both factors counts on this tablet for the shift."""

    actions: ClassVar = {"POST": "tablet.open"}
    also: ClassVar = (401,)

    @extend_schema(request=TabletOpenInput, responses={204: None})
    def post(self, request: Request, tablet_id: UUID) -> Response:
        given = parsed(TabletOpenInput, request)
        tablets.tablet_open(
            principal=principal_of(request), signed=_signed(tablet_id, given), pin=given["pin"]
        )
        return Response(status=204)


class TabletChangeDoor(Door):
    """Another person stands here now: the browser's session is theirs; with `exam_id` also that exam's bedside."""

    authentication_classes = ()
    actions: ClassVar = {"POST": PUBLIC}
    also: ClassVar = (401, 403, 404, 409)

    @extend_schema(request=ChangeInput, responses=OpenApiTypes.OBJECT)
    def post(self, request: Request, tablet_id: UUID) -> Response:
        given = parsed(ChangeInput, request)
        signed, exam_id = _signed(tablet_id, given), given.pop("exam_id")
        principal = services.bedside_change(
            request=request._request,
            signed=signed,
            person=Person(**given),
            exam_id=exam_id,
            agent=request.headers.get("User-Agent", ""),
        )
        return Response({"id": str(principal.id), "name": principal.name})


class BedsideTakeDoor(Door):
    """The caller stands at this exam's bedside now, at the room's own tablet."""

    actions: ClassVar = {"POST": "exam.bedside_take"}

    @extend_schema(request=None, responses=EXAM)
    def post(self, request: Request, exam_id: UUID) -> Response:
        services.bedside_take(principal=principal_of(request), exam_id=exam_id)
        exam = selectors.exam_get(principal_of(request), exam_id)
        return Response(exam_json(exam, principal_of(request), language_of(request)))
