"""Messages to sockets after commit. Only news rides here: whoever misses one re-reads the database."""

from __future__ import annotations

from typing import Any
from uuid import UUID

import redis
import structlog
from channels.layers import get_channel_layer

from hospital.common.after_commit import after_commit, waiting
from hospital.common.valkey import client

log = structlog.get_logger()
Event = dict[str, Any]
GROUP_CHANNEL = "asgi__group__"  # as the channel layer names the channel of a group (a test asks it)


def robot_group(robot_id: UUID | str) -> str:
    return f"robot.{robot_id}"


def exam_group(exam_id: UUID | str) -> str:
    return f"exam.{exam_id}"


def peer_group(peer_id: str) -> str:
    return f"peer.{''.join(c for c in peer_id if c.isalnum())[:40] or 'none'}"


def desk_group(institution_id: UUID | str) -> str:
    return f"desk.{institution_id}"


def person_group(user_id: UUID | str) -> str:
    return f"person.{user_id}"


def _send(events: list[tuple[str, Event]]) -> None:
    """Published as the layer would, but from this thread: a way to the sockets' loop and back costs ten times as much."""
    layer: Any = get_channel_layer()
    try:
        told = client().pipeline(transaction=False)
        for group, event in events:
            told.publish(GROUP_CHANNEL + group, layer.serialize(event))
        told.execute()
    except redis.RedisError as error:  # Valkey away: the deed stands, the news is lost
        log.warning("push_failed", groups=len(events), error=type(error).__name__)


class _News:
    """All that one transaction tells: Valkey is asked once."""

    def __init__(self, group: str, event: Event) -> None:
        self.events = [(group, event)]

    def do(self) -> None:
        _send(self.events)


def _tell(group: str, event: Event) -> None:
    news = waiting(_News)
    if news is None:
        after_commit(_News(group, event))
    elif next((told for where, told in reversed(news.events) if where == group), None) != event:
        news.events.append((group, event))


def push_robot(robot_id: UUID, message: dict[str, Any]) -> None:
    _tell(robot_group(robot_id), {"type": "push", "message": message})


def push_exam(exam_id: UUID, message: dict[str, Any], *, to: str = "") -> None:
    """To every page of the exam, or to one role's."""
    event = {"type": "push", "message": message, "to": to}
    _tell(exam_group(exam_id), event)


def push_exam_changed(exam_id: UUID) -> None:
    _tell(exam_group(exam_id), {"type": "exam_changed"})


def push_desk(institution_id: UUID, exam_id: UUID | None) -> None:
    """To the booking desks of an institution: something on their board is another now. No patient rides along."""
    event = {"type": "exam_changed", "exam_id": str(exam_id) if exam_id else None}
    _tell(desk_group(institution_id), event)


def push_notice(user_id: UUID) -> None:
    """To every open page of one member of staff: there is a notice to read, or some were read. No words ride along."""
    _tell(person_group(user_id), {"type": "notice"})
