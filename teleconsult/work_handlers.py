"""What the worker does for the waiting list."""

from __future__ import annotations

from datetime import datetime
from typing import Any
from uuid import UUID

from hospital.common.work import worker

from .services import waiting


@worker(waiting.SERVE)
def serve(payload: dict[str, Any]) -> None:
    waiting.waiting_serve(
        starts_at=datetime.fromisoformat(payload["starts_at"]),
        ends_at=datetime.fromisoformat(payload["ends_at"]),
        behind=UUID(payload["behind"]) if "behind" in payload else None,
    )


@worker(waiting.EXPIRE)
def expire(payload: dict[str, Any]) -> None:
    waiting.offer_expire(offer_id=UUID(payload["offer_id"]))
