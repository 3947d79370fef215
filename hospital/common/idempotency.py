"""Every POST may be repeated with an `Idempotency-Key`: same key and request, same answer; another request, 422.

Answers that ask for another try (409, 429, 5xx) are not kept.
"""

from __future__ import annotations

import hashlib
import json
from datetime import timedelta
from typing import Any
from uuid import UUID

from django.db import transaction

from .clock import now
from .errors import Conflict, Invalid
from .models import IdempotentRequest

ABANDONED_AFTER = timedelta(seconds=60)  # design value: a request that runs longer died
NOT_KEPT = {401, 403, 409, 429}


def request_sha256(method: str, path: str, body: bytes) -> str:
    return hashlib.sha256(f"{method} {path}\n".encode() + body).hexdigest()


def begin(*, principal_id: UUID, key: str, sha256: str) -> IdempotentRequest | tuple[int, Any]:
    """The new row, or the kept answer (status, JSON). Conflict while the first one still runs."""
    if not 1 <= len(key) <= 200:
        raise Invalid("invalid", field="Idempotency-Key")
    with transaction.atomic():
        row, created = IdempotentRequest.objects.select_for_update().get_or_create(
            principal_id=principal_id, key=key, defaults={"request_sha256": sha256}
        )
        if created:
            return row
        if row.request_sha256 != sha256:
            raise Invalid("idempotency_mismatch")
        if row.status is not None:
            return row.status, json.loads(row.answer or "null")
        if row.started_at > now() - ABANDONED_AFTER:
            raise Conflict("idempotency_running", retry_after_s=5)
        row.started_at = now()
        row.save(update_fields=["started_at"])
        return row


def finish(*, row: IdempotentRequest, status: int, answer: str) -> None:
    if status in NOT_KEPT or status >= 500:
        row.delete()
        return
    row.status, row.answer = status, answer
    row.save(update_fields=["status", "answer"])
