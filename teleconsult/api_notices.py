"""What the house tells one member of staff in the pages."""

from __future__ import annotations

from typing import Any, ClassVar

from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import extend_schema
from rest_framework.request import Request
from rest_framework.response import Response

from hospital.access.authentication import principal_of
from hospital.common.api import Door
from hospital.common.reads import Shown
from hospital.messages.selectors import notices_of


class NoticesDoor(Door):
    """One's own, the newest first, at most 50: `{results: [{id, text, at}], next}`; exams by number, nobody's name."""

    actions: ClassVar = {"GET": "notice.read"}

    @extend_schema(responses=OpenApiTypes.OBJECT)
    def get(self, request: Request) -> Response:
        principal = principal_of(request)
        rows: list[dict[str, Any]] = [
            {"id": str(row.id), "text": row.text, "at": row.created_at.isoformat()}
            for row in notices_of(principal.id)
        ]
        self.shown(Shown(kind="notices", object_id=principal.id, why="own"))
        return Response({"results": rows, "next": None})
