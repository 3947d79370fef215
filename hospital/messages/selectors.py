from __future__ import annotations

from uuid import UUID

from django.db.models import Q

from hospital.common.clock import now

from .models import Message
from .services import IN_APP, recipient_index


def mailbox(*, to: str | None = None, limit: int = 50) -> list[Message]:
    """Sent messages, newest first; of one recipient when named."""
    rows = Message.objects.filter(status="sent").order_by("-created_at")
    if to is not None:
        rows = rows.filter(to_index=recipient_index(to))
    return list(rows[:limit])


def on_its_way(*, to: str) -> bool:
    """A message to this recipient is written but not sent yet, and no quiet hours keep it."""
    now_due = Q(not_before=None) | Q(not_before__lte=now())
    return Message.objects.filter(now_due, to_index=recipient_index(to), status="queued").exists()


def notices_of(user_id: UUID, *, limit: int = 50) -> list[Message]:
    """What the pages tell one member of staff, the newest first."""
    mine = Message.objects.filter(channel=IN_APP, to_index=recipient_index(str(user_id)), status="sent")
    return list(mine.order_by("-created_at")[:limit])
