"""Which exam, and that this house said so: what a patient's slip says for a scanner, and a link in a message names.

No name, no number of a person. A slip's code opens nothing by itself, it is read at a desk that may check the exam in;
a link's opens the calendar file, which names nobody. Neither is good for the other.
"""

from __future__ import annotations

import base64
import binascii
import hmac
from uuid import UUID

from hospital.common.crypto import blind_index

from .queue_rules import SLIP

PAPER, CALENDAR = "slip", "calendar_link"
MAC_BYTES = 12  # design value: 96 bits, tried at a signed-in desk, or over the network


def _mac(exam_id: UUID, purpose: str) -> bytes:
    return blind_index(purpose, str(exam_id))[:MAC_BYTES]


def token_of(exam_id: UUID, purpose: str = PAPER) -> str:
    """38 characters of base64url."""
    return base64.urlsafe_b64encode(exam_id.bytes + _mac(exam_id, purpose)).decode().rstrip("=")


def scanned_of(exam_id: UUID) -> str:
    """The QR code's whole text."""
    return SLIP + token_of(exam_id)


def exam_of(token: str, purpose: str = PAPER) -> UUID | None:
    """The exam of a token made here for that; None for every other text."""
    try:
        raw = base64.urlsafe_b64decode(token.encode("ascii") + b"=" * (-len(token) % 4))
    except (binascii.Error, ValueError):
        return None
    if len(raw) != 16 + MAC_BYTES:
        return None
    exam_id = UUID(bytes=raw[:16])
    return exam_id if hmac.compare_digest(_mac(exam_id, purpose), raw[16:]) else None
