"""What a message says is asked when it is sent, of the app that knows: a reminder of a moved exam says the new time.

Upper apps register one composer for each kind of thing their messages speak of.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from uuid import UUID


@dataclass(frozen=True, kw_only=True)
class Said:
    """Reader, template and the values that fill it, as things are now. `urgent`: the night does not hold it back."""

    to: str
    template: str
    context: dict[str, str]
    urgent: bool = False


@dataclass(frozen=True)
class Moot:
    """Nothing to say any more; the reason is kept with the message."""

    reason: str


@dataclass(frozen=True, kw_only=True)
class About:
    """Which message wants words: its template, channel and values as they were queued, and what it speaks of."""

    template: str
    channel: str
    id: UUID
    context: dict[str, str]


Composer = Callable[[About], Said | Moot]
_composers: dict[str, Composer] = {}


def composer_register(kind: str, composer: Composer) -> None:
    """Each app names its own in `ready()`; a second time replaces the first."""
    _composers[kind] = composer


def compose(kind: str, about: About) -> Said | Moot:
    """KeyError for a kind that nobody registered: the message waits until somebody does."""
    return _composers[kind](about)
