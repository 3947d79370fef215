from __future__ import annotations

from .models import Message
from .services import recipient_index


def mailbox(*, to: str | None = None, limit: int = 50) -> list[Message]:
    """Sent messages, newest first; of one recipient when named."""
    rows = Message.objects.filter(status="sent").order_by("-created_at")
    if to is not None:
        rows = rows.filter(to_index=recipient_index(to))
    return list(rows[:limit])
