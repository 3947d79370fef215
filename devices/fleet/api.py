from __future__ import annotations

from typing import ClassVar
from uuid import UUID

from django.conf import settings
from drf_spectacular.utils import OpenApiTypes, extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from hospital.access.authentication import principal_of
from hospital.common.api import PUBLIC, Door, parsed

from . import selectors, services, tokens


class PairInput(serializers.Serializer[None]):
    code = serializers.CharField(max_length=60)
    public_key_pem = serializers.CharField(max_length=2000)
    agent_version = serializers.CharField(max_length=40, required=False, default="")


class PairDoor(Door):
    """A robot's box exchanges its one-time code for the right to use its own key."""

    authentication_classes = ()
    actions: ClassVar = {"POST": PUBLIC}
    also: ClassVar = (401, 403)

    @extend_schema(request=PairInput, responses={201: OpenApiTypes.OBJECT})
    def post(self, request: Request) -> Response:
        given = parsed(PairInput, request)
        robot = services.robot_pair(code=given["code"], public_key_pem=given["public_key_pem"])
        base = settings.BASE_URL.replace("http", "ws", 1)
        body = {"robot_id": str(robot.id), "name": robot.name, "server_keys": tokens.server_keys()}
        return Response(body | {"ws_url": f"{base}/ws/robot/"}, status=201)


class RetireInput(serializers.Serializer[None]):
    reason = serializers.CharField(max_length=500)


class RetireDoor(Door):
    """The end of a robot's life, once and for ever."""

    actions: ClassVar = {"POST": "robot.retire"}

    @extend_schema(request=RetireInput, responses=OpenApiTypes.OBJECT)
    def post(self, request: Request, robot_id: UUID) -> Response:
        robot = services.robot_retire(
            principal=principal_of(request), robot_id=robot_id, **parsed(RetireInput, request)
        )
        return Response({"id": str(robot.id), "retired_at": robot.retired_at})


class RobotsDoor(Door):
    actions: ClassVar = {"GET": "robot.list"}
    catalogue = True

    @extend_schema(responses=OpenApiTypes.OBJECT)
    def get(self, request: Request) -> Response:
        found = selectors.robots(principal_of(request))
        results = [
            {
                "id": str(robot.id),
                "name": robot.name,
                "name_en": robot.name_en,
                "institution": robot.institution.name,
                "online": selectors.is_online(robot),
                "calibration_due_on": robot.calibration_due_on,
                "maintenance_due_on": robot.maintenance_due_on,
            }
            for robot in found
        ]
        return Response({"results": results, "next": None})


class PairingCodeDoor(Door):
    actions: ClassVar = {"POST": "robot.pair_code"}

    @extend_schema(request=None, responses={201: OpenApiTypes.OBJECT})
    def post(self, request: Request, robot_id: UUID) -> Response:
        robot = selectors.robot_within(principal_of(request), "robot.pair_code", robot_id)
        return Response({"code": services.robot_pairing_code(robot_id=robot.id)}, status=201)
