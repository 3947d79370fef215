"""REST doors of the robot's box: lossless frames and DICOM objects, over HTTPS and never on the control connection."""

from __future__ import annotations

from typing import Any, ClassVar
from uuid import UUID

from drf_spectacular.utils import OpenApiTypes, extend_schema
from rest_framework.parsers import MultiPartParser
from rest_framework.request import Request
from rest_framework.response import Response

from devices.fleet.authentication import RobotAuthentication
from hospital.access.authentication import principal_of
from hospital.common.api import Door
from hospital.common.errors import Invalid
from hospital.common.parsers import strict_json

from . import live
from .report_views import image_json

FILE_MAX_BYTES = 200 * 1024 * 1024  # design value: 3 s of 800x600 uncompressed are about 45 MB


def upload_of(request: Request) -> tuple[dict[str, Any], bytes]:
    """(meta, bytes) of a multipart upload with a JSON `meta` part and one `file`."""
    file = request.FILES.get("file")
    try:
        meta = strict_json(request._request.POST.get("meta", ""))
    except ValueError:
        meta = None
    if file is None or not isinstance(meta, dict):
        raise Invalid("invalid", field="file and meta")
    if file.size is None or file.size > FILE_MAX_BYTES:
        raise Invalid("too_large", max_bytes=FILE_MAX_BYTES)
    return meta, file.read()


class RobotFrozenDoor(Door):
    authentication_classes = (RobotAuthentication,)
    parser_classes = (MultiPartParser,)
    actions: ClassVar = {"PUT": "robot.upload"}

    @extend_schema(request=OpenApiTypes.BINARY, responses={204: None})
    def put(self, request: Request, exam_id: UUID) -> Response:
        meta, data = upload_of(request)
        live.frozen_received(principal=principal_of(request), exam_id=exam_id, meta=meta, data=data)
        return Response(status=204)


class RobotImagesDoor(Door):
    authentication_classes = (RobotAuthentication,)
    parser_classes = (MultiPartParser,)
    actions: ClassVar = {"POST": "robot.upload"}

    @extend_schema(
        request=OpenApiTypes.BINARY, responses={201: OpenApiTypes.OBJECT, 200: OpenApiTypes.OBJECT}
    )
    def post(self, request: Request, exam_id: UUID) -> Response:
        meta, data = upload_of(request)
        image, new = live.image_received(
            principal=principal_of(request), exam_id=exam_id, meta=meta, data=data
        )
        return Response(image_json(image), status=201 if new else 200)
