"""A version of a report: written, signed, perhaps superseded by its amendment. A trigger holds the same in PostgreSQL."""

from __future__ import annotations

DRAFT, SIGNED, SUPERSEDED = "draft", "signed", "superseded"
STATUSES = (DRAFT, SIGNED, SUPERSEDED)
COMMANDS = ("save", "sign", "amend", "supersede")
TABLE: dict[tuple[str, str], str] = {
    (DRAFT, "save"): DRAFT,
    (DRAFT, "sign"): SIGNED,
    (SIGNED, "amend"): SIGNED,  # opens the next version; this one stays in force until that one is signed
    (SIGNED, "supersede"): SUPERSEDED,
}


class IllegalStep(ValueError):
    """The report's status does not allow the command."""


def advance(status: str, command: str) -> str:
    """The next status; IllegalStep for every pair without a row."""
    try:
        return TABLE[status, command]
    except KeyError:
        raise IllegalStep(f"{command} of a {status} report") from None
