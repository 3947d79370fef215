"""How names, phones and documents are found without being readable: one keyed index per kind.

Sound: every reading of every character and its first letter are indexed without their order; the order is checked
on the decrypted names of the few who have them.
"""

from __future__ import annotations

import functools
import re
import unicodedata

from pypinyin import Style, pinyin

from hospital.common.crypto import blind_index

from .rules import document_key, name_plain

PREFIX_MAX = 20  # letters; no pinyin syllable has more than six, a Latin word may
Readings = list[frozenset[str]]


def name_index(name: str) -> bytes:
    """Of a name however it was typed: blanks, dots and case don't matter."""
    return blind_index("name", re.sub(r"[ \N{MIDDLE DOT}]", "", name_plain(name)).casefold())


def document_index(document_type: str, plain: str) -> bytes:
    return blind_index("document", document_key(document_type, plain))


def document_tail_index(tail: str) -> bytes:
    return blind_index("document_tail", tail.upper())


def phone_tail_index(tail: str) -> bytes:
    return blind_index("phone_tail", tail)


def claim_index(text: str) -> bytes:
    """Of all that a desk read from a document, so that the same reading is reviewed once."""
    return blind_index("claim", text)


def syllable_index(syllable: str) -> bytes:
    return blind_index("syllable", syllable.lower())


def letters_of(text: str) -> str:
    """Only a-z: tone marks fall away, `ü` is `v` as on a keyboard."""
    plain = unicodedata.normalize("NFD", text.lower().replace("ü", "v"))
    return "".join(char for char in plain if "a" <= char <= "z")


@functools.lru_cache(maxsize=4096)
def _of_character(char: str) -> frozenset[str]:
    """All readings of one character; none for those that no dictionary has."""
    found = pinyin(char, style=Style.NORMAL, heteronym=True, errors="ignore")
    return frozenset(letters_of(reading) for readings in found for reading in readings if letters_of(reading))


def readings(name: str) -> Readings:
    """`单晓` -> [{dan, shan, chan}, {xiao}]; a Latin word is one reading."""
    parts = re.findall(r"[A-Za-z\u00c0-\u024f']+|\S", name_plain(name))
    found = [_of_character(part) or frozenset(filter(None, [letters_of(part)])) for part in parts]
    return [one for one in found if one]


def unread(name: str) -> list[str]:
    """Characters whose sound no dictionary here knows: they stand for themselves."""
    return [
        char
        for char in name_plain(name)
        if char.isalpha() and not letters_of(char) and not _of_character(char)
    ]


def syllables(name: str) -> list[str]:
    """What is indexed of a name: full readings and first letters, and characters that have no reading."""
    full = [reading for one in readings(name) for reading in sorted(one)]
    return list(dict.fromkeys([*full, *(reading[0] for reading in full), *unread(name)]))


def first_syllables(letters: str) -> tuple[list[bytes], list[bytes]]:
    """Indexes with which a name that sounds like `letters` must begin: (as a syllable, as a first letter)."""
    prefixes = [letters[:n] for n in range(2, min(PREFIX_MAX, len(letters)) + 1)]
    return [syllable_index(prefix) for prefix in prefixes], [syllable_index(letters[:1])]


def sounds_like(letters: str, of: Readings) -> bool:
    """Whether `letters` are full syllables or first letters of neighbouring characters: wangxd, wxd, xiaodong."""

    def fits(at: int, place: int) -> bool:
        if at == len(letters):
            return True
        if place == len(of):
            return False
        full = any(letters.startswith(one, at) and fits(at + len(one), place + 1) for one in of[place])
        return full or (any(one[0] == letters[at] for one in of[place]) and fits(at + 1, place + 1))

    return bool(letters) and any(fits(0, start) for start in range(len(of)))
