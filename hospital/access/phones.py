"""Phone numbers in one form, and their keyed index."""

from __future__ import annotations

import re

from hospital.common.crypto import blind_index
from hospital.common.errors import Invalid
from hospital.messages.services import phone_plain

_MOBILE = re.compile(r"1[3-9][0-9]{9}")


def phone_normal(phone: str) -> str:
    """A mainland mobile number, 11 digits. Invalid `phone_invalid` for anything else."""
    plain = phone_plain(phone)
    if not _MOBILE.fullmatch(plain):
        raise Invalid("phone_invalid", field="phone")
    return plain


def phone_index(phone: str) -> bytes:
    """Of a number in normal form; equal for a patient's phone and an account's."""
    return blind_index("phone", phone)
