"""What the system administrator sees of the programs themselves."""

from __future__ import annotations

from typing import Any, ClassVar

import redis
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import extend_schema
from rest_framework.request import Request
from rest_framework.response import Response

from devices.fleet.selectors import robot_problems
from hospital.access.administration import work_json
from hospital.audit.selectors import audit_problems
from hospital.common.alive import ages
from hospital.common.api import Door

from .views import database_problem, redis_problem

LATE_S = 30.0  # design value: beat asks every second, a worker may be busy with something long


def _programs() -> dict[str, Any]:
    """worker and beat show themselves; a worker that is sent work and takes none is not well either."""
    names = ("worker", "beat", "drain", "seal")
    try:
        seen = ages(*names)
    except redis.RedisError:
        seen = dict.fromkeys(names)
    good = {name: age is not None and age < LATE_S for name, age in seen.items()}
    takes = good["drain"] or not good["beat"]
    return {
        "worker": {"ok": good["worker"] and takes, "seen_s": seen["worker"]},
        "beat": {"ok": good["beat"], "seen_s": seen["beat"]},
        "sealer": {"ok": good["seal"] and not audit_problems(), "seen_s": seen["seal"]},
    }


class HealthDoor(Door):
    actions: ClassVar = {"GET": "admin.health"}
    catalogue = True

    @extend_schema(responses=OpenApiTypes.OBJECT)
    def get(self, request: Request) -> Response:
        database, store = database_problem(), redis_problem()
        parts: dict[str, Any] = {
            "web": {"ok": True, "seen_s": 0.0},
            "database": {"ok": database is None, "problem": database},
            "redis": {"ok": store is None, "problem": store},
            **_programs(),
        }
        return Response({"parts": parts, "work": work_json(), "notes": robot_problems() + audit_problems()})
