"""Identity documents and names, as plain functions. Rule ids: standards ID-01..ID-07; ID-08 is in access."""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass
from datetime import date

CITIZEN, OTHER = "01", "99"
# CV02.01.101 (WS 364): 01 identity card ... 06 Hong Kong and Macao permit, 07 Taiwan permit, 99 other
DOCUMENT_TYPES = ("01", "02", "03", "04", "05", "06", "07", "99")
SEXES = ("0", "1", "2", "9")  # GB/T 2261.1
OLDEST_YEARS = 150
WEIGHTS = (7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2)  # GB 11643-1999
CHECK_DIGITS = "10X98765432"
_CITIZEN = re.compile(r"^[1-9][0-9]{16}[0-9X]\Z")
_HONG_KONG_MACAO = re.compile(r"^[HM][0-9]{8}(?:[0-9]{2})?\Z")  # ID-06
_TAIWAN = re.compile(r"^[0-9]{8}\Z|^[0-9]{10}[A-Z]\Z")  # ID-07
_PASSPORT = re.compile(r"^[0-9A-Z]{5,9}\Z")  # ICAO 9303: at most nine characters
# Household books, officers' cards and the rest may carry Chinese characters.
_OTHER = re.compile(r"^[0-9A-Z\u4e00-\u9fff][0-9A-Z\u4e00-\u9fff()/-]{3,29}\Z")
_FORMS = {"03": _PASSPORT, "06": _HONG_KONG_MACAO, "07": _TAIWAN}
# ID-07: cards of 18 digits with the citizens' check digit, for residents from Hong Kong, Macao and Taiwan (81, 82, 83)
# and for foreigners (9, since 2023). Whoever registers them as "other" gets the same check.
_PERMIT = re.compile(r"^(?:8[123]0000|9[0-9]{5})[0-9]{11}[0-9X]\Z")
GUARDIAN_BELOW_YEARS = 14  # PI-01, PIPL 31
# What a patient consents to, each apart (PI-01, PI-02). `recording` covers films of the exam longer than a loop, and
# whatever else would record the room; stills and loops are the exam's own findings, under its own consent.
REMOTE_EXAM, RECORDING, WRISTBAND, TRANSFER = "remote_exam", "recording", "wristband_monitoring", "transfer"
CONSENT_KINDS = (REMOTE_EXAM, RECORDING, WRISTBAND, TRANSFER)
EXAM_KINDS = (REMOTE_EXAM, RECORDING)
NAME_MAX = 80
MIDDLE_DOT = "\N{MIDDLE DOT}"
# What keyboards, typewriters and other systems put between the parts of a name.
DOTS = "\u00b7\u0387\u2022\u2027\u2024\u2219\u22c5\u25cf\u26ab\u30fb\uff65\uff0e\u16eb\u2e31\u2e33"
PRACTICE_YEARS = 3  # LAW-08, LAW-24


class DocumentInvalid(ValueError):
    """The number can't be one of its type."""


@dataclass(frozen=True)
class Citizen:
    birth_date: date
    sex: str


def document_normal(number: str) -> str:
    """NFKC (full-width digits become ASCII), no blanks, upper case (ID-01, ID-02); the same when done again.

    One pass is not enough: NFKC makes a blank and a mark of a lone accent, and without the blank the mark joins
    the letter before it.
    """
    plain = re.sub(r"\s", "", unicodedata.normalize("NFKC", number)).upper()
    return plain if plain == number else document_normal(plain)


def citizen_check_digit(first17: str) -> str:
    return CHECK_DIGITS[sum(int(d) * w for d, w in zip(first17, WEIGHTS, strict=True)) % 11]


def citizen_from_15(number: str) -> str:
    """The 18-digit form of a legacy 15-digit number; for matching only, never stored (ID-02)."""
    if not re.fullmatch(r"[0-9]{15}", number):
        raise DocumentInvalid("not a 15-digit number")
    first17 = number[:6] + "19" + number[6:]
    return first17 + citizen_check_digit(first17)


def citizen(number: str, *, on: date) -> Citizen:
    """Birth date and sex in an 18-digit number. The region is no reason to refuse: codes change (ID-03).

    DocumentInvalid for a wrong form, check digit or calendar date, a birth in the future or over 150 years ago.
    """
    if not _CITIZEN.match(number) or citizen_check_digit(number[:17]) != number[17]:
        raise DocumentInvalid("form or check digit")
    try:
        born = date(int(number[6:10]), int(number[10:12]), int(number[12:14]))
    except ValueError as error:
        raise DocumentInvalid("no such day") from error
    if born > on or age_on(born, on) > OLDEST_YEARS:
        raise DocumentInvalid("birth date out of range")
    return Citizen(born, "1" if int(number[16]) % 2 else "2")


def document_checked(document_type: str, number: str, *, on: date) -> str:
    """The normal form of a valid number of that type; DocumentInvalid otherwise."""
    plain = document_normal(number)
    if document_type == CITIZEN or (document_type == OTHER and _PERMIT.match(plain)):
        citizen(plain, on=on)
        return plain
    pattern = _FORMS.get(document_type, _OTHER)
    if document_type not in DOCUMENT_TYPES or not pattern.match(plain):
        raise DocumentInvalid("form")
    return plain


def document_keys_for(number: str) -> list[tuple[str, str]]:
    """(type, normal form) under which a number without a type may be on file; a 15-digit one as its 18 (ID-02)."""
    plain = document_normal(number)
    keys = [(kind, plain) for kind in DOCUMENT_TYPES]
    if re.fullmatch(r"[0-9]{15}", plain):
        keys.append((CITIZEN, citizen_from_15(plain)))
    return keys


def document_key(document_type: str, plain: str) -> str:
    """What makes two documents the same person's: the permit's issue number does not (ID-06)."""
    return f"{document_type}:{plain[:9] if document_type == '06' else plain}"


def name_plain(name: str) -> str:
    """NFC, trimmed, single inner blanks, one form of the middle dot. No NFKC: it would turn rare family names into
    other characters."""
    plain = re.sub(r"\s+", " ", unicodedata.normalize("NFC", name).strip())
    return re.sub(rf" ?[{DOTS}] ?", MIDDLE_DOT, plain)


def _is_letter(char: str) -> bool:
    """Planes 2 and 3 hold nothing but CJK; this Python may not know their newest extensions yet. 〇 is a number to
    Unicode and a character of names to people."""
    return unicodedata.category(char).startswith("L") or 0x20000 <= ord(char) <= 0x3FFFD or char == "〇"


def name_checked(name: str) -> str:
    """The plain form of a name of any CJK extension, Latin letters, dots, hyphens and inner blanks; ValueError."""
    plain = name_plain(name)
    rest = f"{MIDDLE_DOT} -'."
    good = all(_is_letter(char) or char in rest or unicodedata.category(char) == "Mn" for char in plain)
    if (
        not plain
        or len(plain) > NAME_MAX
        or not good
        or not _is_letter(plain[0])
        or plain[-1] in f"{MIDDLE_DOT}-'"
    ):
        raise ValueError("not a name")
    return plain


def masked_name(name: str) -> str:
    """`王小东` -> `王*东`, `沈梅` -> `沈*`: for lists and namesakes (PI-12)."""
    if len(name) <= 1:
        return "*"
    return name[0] + "*" * max(1, len(name) - 2) + (name[-1] if len(name) > 2 else "")


def masked_number(number: str) -> str:
    """Of a document or phone: the last four, and the first three when that leaves enough hidden (PI-12)."""
    head, tail = (3 if len(number) >= 11 else 0), (4 if len(number) >= 8 else 2)
    return number[:head] + "*" * (len(number) - head - tail) + number[-tail:]


def age_on(born: date, on: date) -> int:
    """Full years; a birthday of 29 February counts from 1 March in other years."""
    return on.year - born.year - ((on.month, on.day) < (born.month, born.day))


def practitioner_problem(
    *, licence_expires_on: date, practice_started_on: date, standing: str, on: date
) -> str | None:
    """Why this physician may not practise remotely on that day, or None. LAW-08, LAW-24: three years at least."""
    if standing != "active":
        return "licence_suspended"
    if licence_expires_on < on:
        return "licence_expired"
    return None if age_on(practice_started_on, on) >= PRACTICE_YEARS else "practice_too_short"
