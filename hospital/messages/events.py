"""What messages tell the apps above them, in the transaction in which it happened."""

from __future__ import annotations

from dataclasses import dataclass
from uuid import UUID

from hospital.common.events import Event


@dataclass(frozen=True, kw_only=True)
class NoticeGiven(Event):
    """A notice in the pages stands there now for this member of staff."""

    user_id: UUID


@dataclass(frozen=True, kw_only=True)
class NoticesRead(Event):
    """This member of staff has read notices: the pages they have open count fewer."""

    user_id: UUID


@dataclass(frozen=True, kw_only=True)
class MessageUndelivered(Event):
    """No carrier took this message: for good (`final`), or not yet after several tries. Else as in the message."""

    about_kind: str
    about_id: UUID
    template: str
    context: dict[str, str]
    final: bool
    code: str
