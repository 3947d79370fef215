from __future__ import annotations

import json
import time
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError

from hospital.messages.models import Message
from hospital.messages.selectors import mailbox, on_its_way
from hospital.messages.services import phone_plain

WAIT_S = 5.0  # design value: a worker sends within a second or two


def _as_dict(message: Message) -> dict[str, Any]:
    sent_at = message.sent_at.isoformat() if message.sent_at else None
    return {
        "to": message.to,
        "channel": message.channel,
        "text": message.text,
        "code": message.code,
        "sent_at": sent_at,
    }


class Command(BaseCommand):
    help = (
        "Embedded default only: messages that would have gone to a phone. Waits for one that is on its way."
    )

    def add_arguments(self, parser: Any) -> None:
        parser.add_argument("--to", required=True)
        parser.add_argument("--last", action="store_true", help="only the newest one")
        parser.add_argument("--json", action="store_true")

    def handle(self, *args: Any, **options: Any) -> None:
        if not settings.EMBEDDED:
            raise CommandError("the mailbox belongs to the embedded default.")
        to = phone_plain(options["to"])
        deadline = time.monotonic() + WAIT_S
        while on_its_way(to=to) and time.monotonic() < deadline:
            time.sleep(0.1)
        rows = [_as_dict(row) for row in mailbox(to=to, limit=1 if options["last"] else 50)]
        if not rows:
            raise CommandError(f"no message to {to}.")
        if options["json"]:
            self.stdout.write(json.dumps(rows[0] if options["last"] else rows, ensure_ascii=False))
            return
        for row in rows:
            self.stdout.write(f"{row['sent_at']} {row['channel']} {row['to']}: {row['text']}")
