"""Every POST may be repeated with an `Idempotency-Key`: same key and request, same answer; another request, 422.

Key, deed and answer are one transaction: a program that dies between deed and answer has done neither, and the next
try finds no half of it. Answers that ask for another try (409, 429, 5xx) are not kept.
"""

from __future__ import annotations

import hashlib
import json
from typing import Any
from uuid import UUID

from django.db import OperationalError, transaction

from .errors import Conflict, Invalid
from .locks import LOCK_NOT_AVAILABLE, forget_lock_limit, limit_lock_wait, sqlstate_of
from .models import IdempotentRequest

RETRY_AFTER_S = 5  # design value
NOT_KEPT = {401, 403, 409, 429}


def request_sha256(method: str, path: str, body: bytes) -> str:
    return hashlib.sha256(f"{method} {path}\n".encode() + body).hexdigest()


def begin(*, principal_id: UUID, key: str, sha256: str) -> IdempotentRequest | tuple[int, Any]:
    """In the deed's transaction: the new row, or the kept answer (status, JSON).

    A second one with the key waits for the first; Conflict `idempotency_running` when that takes longer than 3 s.
    """
    if not 1 <= len(key) <= 200:
        raise Invalid("invalid", field="Idempotency-Key")
    row = _row(principal_id, key, sha256)
    if row.request_sha256 != sha256:
        raise Invalid("idempotency_mismatch")
    # Without an answer: just made, or left by a program of an earlier release that died.
    return row if row.status is None else (row.status, json.loads(row.answer or "null"))


def _row(principal_id: UUID, key: str, sha256: str) -> IdempotentRequest:
    limit_lock_wait()
    try:
        with transaction.atomic():
            row, _ = IdempotentRequest.objects.select_for_update().get_or_create(
                principal_id=principal_id, key=key, defaults={"request_sha256": sha256}
            )
    except OperationalError as error:
        if sqlstate_of(error) != LOCK_NOT_AVAILABLE:
            raise
        raise Conflict("idempotency_running", retry_after_s=RETRY_AFTER_S) from error
    forget_lock_limit()
    return row


def finish(*, row: IdempotentRequest, status: int, answer: str) -> None:
    """The answer beside its key. One that asks for another try leaves no key; of a failure nothing is kept at all."""
    if status >= 500:
        transaction.set_rollback(True)
        return
    if status in NOT_KEPT:
        row.delete()
        return
    row.status, row.answer = status, answer
    row.save(update_fields=["status", "answer"])
