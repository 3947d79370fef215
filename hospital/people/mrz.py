"""The machine-readable line of a passport (ICAO 9303 part 4, TD3, second line): read and checked, as plain functions."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import date

from .rules import DocumentInvalid

WEIGHTS = (7, 3, 1)
LENGTH = 44
_LINE = re.compile(r"[A-Z0-9<]{44}\Z", re.ASCII)
_SEX = {"M": "1", "F": "2", "<": "0"}


@dataclass(frozen=True)
class Passport:
    """`sex` by GB/T 2261.1; dates of a century near `on`."""

    number: str
    nationality: str
    birth_date: date
    sex: str
    expires_on: date


def check_digit(field: str) -> str:
    """Digits count themselves, letters 10 to 35, the filler nothing; weights 7 3 1, modulo 10 (ICAO 9303 part 3)."""
    total = sum(
        (0 if char == "<" else int(char, 36)) * WEIGHTS[place % 3] for place, char in enumerate(field)
    )
    return str(total % 10)


def passport(line: str, *, on: date) -> Passport:
    """The second line of a passport's zone. DocumentInvalid for a wrong form, check digit or date."""
    plain = re.sub(r"\s", "", line).upper()
    if not _LINE.match(plain):
        raise DocumentInvalid("not a passport's second line")
    for field, digit in ((plain[:9], plain[9]), (plain[13:19], plain[19]), (plain[21:27], plain[27])):
        if check_digit(field) != digit:
            raise DocumentInvalid("check digit")
    if plain[42] != "<" and check_digit(plain[28:42]) != plain[42]:
        raise DocumentInvalid("check digit")
    if check_digit(plain[:10] + plain[13:20] + plain[21:43]) != plain[43]:
        raise DocumentInvalid("check digit")
    if plain[20] not in _SEX:
        raise DocumentInvalid("sex")
    born, ends = _date(plain[13:19], latest=on), _date(plain[21:27], latest=date(on.year + 50, 12, 31))
    return Passport(plain[:9].rstrip("<"), plain[10:13].rstrip("<"), born, _SEX[plain[20]], ends)


def _date(digits: str, *, latest: date) -> date:
    """YYMMDD in the newest century that is not after `latest`."""
    try:
        year, month, day = int(digits[:2]), int(digits[2:4]), int(digits[4:])
        century = latest.year - latest.year % 100
        found = date(century + year, month, day)
        return found if found <= latest else date(century - 100 + year, month, day)
    except ValueError as error:
        raise DocumentInvalid("no such day") from error
