"""What the house tells one member of staff in the pages."""

from __future__ import annotations

from typing import Any, ClassVar

from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import extend_schema
from rest_framework.request import Request
from rest_framework.response import Response

from hospital.access.authentication import principal_of
from hospital.common.api import Door, parsed
from hospital.common.reads import Shown
from hospital.messages.selectors import notices_of
from hospital.messages.services import notices_read

from .inputs import NoticesSeen


class NoticesDoor(Door):
    """One's own, the newest first, at most 50: `{results: [{id, text, at, read}], next}`; exams by number, nobody's
    name."""

    actions: ClassVar = {"GET": "notice.read"}

    @extend_schema(responses=OpenApiTypes.OBJECT)
    def get(self, request: Request) -> Response:
        principal = principal_of(request)
        rows: list[dict[str, Any]] = [
            {
                "id": str(row.id),
                "text": row.text,
                "at": row.created_at.isoformat(),
                "read": row.read_at is not None,
            }
            for row in notices_of(principal.id)
        ]
        self.shown(Shown(kind="notices", object_id=principal.id, why="own"))
        return Response({"results": rows, "next": None})


class NoticesReadDoor(Door):
    """The caller has seen these of their own: `{read}`, how many were new. Every open page of theirs hears `notice`."""

    actions: ClassVar = {"POST": "notice.read"}

    @extend_schema(request=NoticesSeen, responses=OpenApiTypes.OBJECT)
    def post(self, request: Request) -> Response:
        given = parsed(NoticesSeen, request)
        return Response({"read": notices_read(user_id=principal_of(request).id, ids=given["ids"])})
