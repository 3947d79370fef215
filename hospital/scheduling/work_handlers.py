from __future__ import annotations

from typing import Any

from hospital.common.work import worker

from . import services


@worker(services.HOLD_EXPIRE)
def hold_expire(payload: dict[str, Any]) -> None:
    services.hold_expire_due()
