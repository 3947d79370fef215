"""When two registrations are one person, and when somebody must look (ID-12). Plain functions, no framework."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import date

from .rules import MIDDLE_DOT, document_key

Readings = tuple[frozenset[str], ...]


@dataclass(frozen=True, kw_only=True)
class Identity:
    """What is compared; everything in normal form. `readings` are the syllables each character may have."""

    document_type: str
    number: str
    name: str
    birth_date: date
    phone: str
    readings: Readings = ()


def name_key(name: str) -> str:
    """A name however it was typed: blanks, dots and case don't matter."""
    return re.sub(rf"[ {MIDDLE_DOT}]", "", name).casefold()


def same_person(a: Identity, b: Identity) -> bool:
    """Type and number, name and birth date, all three: only this links without a person's decision."""
    same_document = document_key(a.document_type, a.number) == document_key(b.document_type, b.number)
    return same_document and same_name_and_birth(a, b)


def same_name_and_birth(a: Identity, b: Identity) -> bool:
    return name_key(a.name) == name_key(b.name) and a.birth_date == b.birth_date


def sounds_alike(a: Readings, b: Readings) -> bool:
    """Names of as many characters, each of which may be read the same: 张 and 章, 单 (Shan) and 山."""
    return bool(a) and len(a) == len(b) and all(x & y for x, y in zip(a, b, strict=True))


def reasons(a: Identity, b: Identity) -> list[str]:
    """Why somebody should look at the two, the strongest first; empty: nothing speaks for one person."""
    same_name, same_birth = name_key(a.name) == name_key(b.name), a.birth_date == b.birth_date
    same_phone = a.phone == b.phone
    same_document = document_key(a.document_type, a.number) == document_key(b.document_type, b.number)
    found = {
        "document": same_document,
        "number": not same_document and a.number == b.number,
        "name_birth": same_name and same_birth,
        "sound_birth": not same_name and same_birth and sounds_alike(a.readings, b.readings),
        "phone_birth": same_phone and same_birth and not same_name,
        "name_phone": same_name and same_phone and not same_birth,
    }
    return [reason for reason, holds in found.items() if holds]
