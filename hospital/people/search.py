"""How names, phones and documents are found without being readable: one keyed index per kind."""

from __future__ import annotations

from pypinyin import Style, lazy_pinyin

from hospital.common.crypto import blind_index

from .rules import document_key


def name_index(name: str) -> bytes:
    return blind_index("name", name.replace(" ", ""))


def document_index(document_type: str, plain: str) -> bytes:
    return blind_index("document", document_key(document_type, plain))


def document_tail_index(tail: str) -> bytes:
    return blind_index("document_tail", tail.upper())


def phone_tail_index(tail: str) -> bytes:
    return blind_index("phone_tail", tail)


def syllables(name: str) -> list[str]:
    """`王小东` -> wang, xiao, dong, w, x, d: full syllables and initials."""
    full = [part.lower() for part in lazy_pinyin(name, style=Style.NORMAL, errors="ignore") if part.isascii()]
    return list(dict.fromkeys([*full, *(part[0] for part in full if part)]))


def syllable_index(syllable: str) -> bytes:
    return blind_index("syllable", syllable.lower())
