from __future__ import annotations

from typing import Any
from uuid import UUID

from hospital.common.work import worker

from . import services, services_calendars


@worker(services.HOLD_EXPIRE)
def hold_expire(payload: dict[str, Any]) -> None:
    services.hold_expire_due()


@worker(services_calendars.RELEASE_RETURNS)
def release_returns(payload: dict[str, Any]) -> None:
    services_calendars.release_returned(released_id=UUID(payload["released_id"]))
