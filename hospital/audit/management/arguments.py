"""What the audit commands read from their command line."""

from __future__ import annotations

import argparse
from datetime import datetime

from hospital.common.clock import SHANGHAI


def moment(text: str) -> datetime:
    """An ISO date or time; without a zone it is Shanghai's."""
    try:
        found = datetime.fromisoformat(text)
    except ValueError:
        raise argparse.ArgumentTypeError(f"{text} is no ISO date or time") from None
    return found if found.tzinfo else found.replace(tzinfo=SHANGHAI)


def head(text: str) -> tuple[int, str]:
    number, _, digest = text.partition(":")
    if not number.isdigit() or len(digest) != 64:
        raise argparse.ArgumentTypeError("a head is NUMBER:SHA256, as audit_verify prints it")
    return int(number), digest
