"""Checks of access that need no framework."""

from __future__ import annotations

from itertools import pairwise

# GB 32100-2015: digits and letters without I, O, S, V, Z; weights are the powers of 3 modulo 31.
USCC_ALPHABET = "0123456789ABCDEFGHJKLMNPQRTUWXY"
USCC_WEIGHTS = (1, 3, 9, 27, 19, 26, 16, 17, 20, 29, 25, 13, 8, 24, 10, 30, 28)


def uscc_valid(code: str) -> bool:
    """Whether this is a unified social credit code: 18 characters with a right check character (ID-08)."""
    if len(code) != 18 or any(char not in USCC_ALPHABET for char in code):
        return False
    total = sum(USCC_ALPHABET.index(char) * weight for char, weight in zip(code, USCC_WEIGHTS, strict=False))
    return USCC_ALPHABET[-total % 31] == code[17]


# RFC 8176: what proves possession of a key. `otp` is TOTP or HOTP; `sms`, `tel` and a bare `mfa` prove none.
CRYPTOGRAPHIC_AMR = frozenset({"fido", "hwk", "otp", "pop", "sc", "swk"})
KNOWLEDGE_AMR = frozenset({"pwd", "pin", "fpt", "face"})


def second_factor_shown(*, amr: object, acr: object, trusted_acr: list[str]) -> bool:
    """Whether an identity provider says that it saw two factors, one of them cryptographic (SEC-04)."""
    if isinstance(acr, str) and acr in trusted_acr:
        return True
    if not isinstance(amr, list):
        return False
    seen = {one for one in amr if isinstance(one, str)}
    return bool(seen & CRYPTOGRAPHIC_AMR) and bool(seen & KNOWLEDGE_AMR)


# Who stands at the couch; what a change of person on a paired tablet can bring in.
BEDSIDE_ROLES = frozenset({"bedside_physician", "assistant", "nurse"})
PIN_LEN = 6


def pin_weak(pin: str) -> bool:
    """Not six digits, or six that anybody tries first: one digit, a run up or down, pairs or triples repeated."""
    if len(pin) != PIN_LEN or not (pin.isascii() and pin.isdigit()):
        return True
    steps = {(int(after) - int(before)) % 10 for before, after in pairwise(pin)}
    return len(steps) == 1 or pin == pin[:2] * 3 or pin == pin[:3] * 2


def name_masked(name: str) -> str:
    """Enough for a colleague to find the own tile, less for who walks by: the family name and the last character."""
    return name if len(name) < 3 else f"{name[0]}{'*' * (len(name) - 2)}{name[-1]}"
