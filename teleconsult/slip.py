"""What a patient's slip says for a scanner: which exam, and that this house printed it. No name, no number of a person.

The code opens nothing by itself: it is read at a desk that may check the exam in.
"""

from __future__ import annotations

import base64
import binascii
import hmac
from uuid import UUID

from hospital.common.crypto import blind_index

from .queue_rules import SLIP

MAC_BYTES = 12  # design value: 96 bits, tried at a signed-in desk only


def _mac(exam_id: UUID) -> bytes:
    return blind_index("slip", str(exam_id))[:MAC_BYTES]


def token_of(exam_id: UUID) -> str:
    """38 characters of base64url."""
    return base64.urlsafe_b64encode(exam_id.bytes + _mac(exam_id)).decode().rstrip("=")


def scanned_of(exam_id: UUID) -> str:
    """The QR code's whole text."""
    return SLIP + token_of(exam_id)


def exam_of(token: str) -> UUID | None:
    """The exam of a token made here; None for every other text."""
    try:
        raw = base64.urlsafe_b64decode(token.encode("ascii") + b"=" * (-len(token) % 4))
    except (binascii.Error, ValueError):
        return None
    if len(raw) != 16 + MAC_BYTES:
        return None
    exam_id = UUID(bytes=raw[:16])
    return exam_id if hmac.compare_digest(_mac(exam_id), raw[16:]) else None
