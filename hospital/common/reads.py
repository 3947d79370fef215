"""Reads are recorded: what an answer shows is said by its door and written by the door's base class."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID


@dataclass(frozen=True, kw_only=True)
class Shown:
    """What an answer shows: the object, whose record it is, who keeps it, and why the reader may see it.

    `urgent` is for what a stop may need, the pages of a live exam: the answer does not wait for the log.
    """

    kind: str = "address"
    object_id: UUID | None = None
    patient_ids: tuple[UUID, ...] = ()
    institution_id: UUID | None = None
    why: str = ""
    details: dict[str, Any] = field(default_factory=dict)
    urgent: bool = False


ReadLog = Callable[[Any, str, Shown], None]
_logs: list[ReadLog] = []


def register_read_log(log: ReadLog) -> None:
    """`log(principal, action, shown)` writes or raises; audit registers the log's."""
    _logs[:] = [log]


def read_recorded(principal: Any, action: str, shown: Shown) -> None:
    """Default deny: without a registered log nothing is shown."""
    if not _logs:
        raise RuntimeError("no log of reads registered")
    _logs[0](principal, action, shown)
