"""E-mail through a real SMTP server on this machine."""

from __future__ import annotations

import email
from collections.abc import Iterator
from email import policy
from typing import Any

import pytest
from aiosmtpd.controller import Controller
from aiosmtpd.smtp import SMTP, Envelope, Session

from deploy.server.embedded import free_port
from hospital.common.clock import now
from hospital.common.models import Work
from hospital.common.work import work_drain
from hospital.messages.models import Message
from hospital.messages.services import message_send

pytestmark = pytest.mark.django_db
READER = "wang@example.com"


class Postbox:
    """Takes letters, or answers what it is told to."""

    def __init__(self) -> None:
        self.letters: list[Any] = []
        self.answers: list[str] = []

    async def handle_DATA(self, server: SMTP, session: Session, envelope: Envelope) -> str:
        if self.answers:
            return self.answers.pop(0)
        content = envelope.content
        assert isinstance(content, bytes)
        self.letters.append(email.message_from_bytes(content, policy=policy.default))
        return "250 OK"


@pytest.fixture
def postbox(settings: Any) -> Iterator[Postbox]:
    box = Postbox()
    server = Controller(box, hostname="127.0.0.1", port=free_port())
    server.start()
    ours = {"host": "127.0.0.1", "port": server.port, "sender": "desk@hospital.example"}
    settings.MESSAGES, settings.MESSAGES_PROVIDER = {"email": ours}, ""
    yield box
    server.stop()


def send() -> Message:
    context = {"on": "2026-12-01"}
    return message_send(to=READER, channel="email", template="delegation_ends", context=context)


def all_due() -> None:
    Work.objects.filter(finished_at=None).update(due_at=now(), taken_until=None)
    work_drain()


def test_a_letter_arrives_with_its_chinese_text_and_a_number_of_its_own(postbox: Postbox) -> None:
    message = send()
    work_drain()
    (letter,) = postbox.letters
    message.refresh_from_db()
    assert (letter["To"], message.status) == (READER, "sent")
    assert "将于2026-12-01到期" in letter.get_content()
    assert letter["Message-ID"] == message.receipts.get().provider_id


def test_a_full_mailbox_is_tried_again_and_an_unknown_one_is_not(postbox: Postbox) -> None:
    postbox.answers = ["452 mailbox full", "550 no such mailbox"]
    full = send()
    work_drain()
    unknown = send()
    work_drain()
    all_due()
    full.refresh_from_db()
    unknown.refresh_from_db()
    assert (full.status, unknown.status, unknown.reason) == ("sent", "failed", "smtp_550")
    assert len(postbox.letters) == 1


def test_a_letter_waits_for_a_server_that_is_away(postbox: Postbox, settings: Any) -> None:
    port = settings.MESSAGES["email"]["port"]
    settings.MESSAGES["email"]["port"] = free_port()
    message = send()
    work_drain()
    message.refresh_from_db()
    assert (message.status, message.receipts.get().outcome) == ("queued", "temporary")
    settings.MESSAGES["email"]["port"] = port
    all_due()
    message.refresh_from_db()
    assert (message.status, len(postbox.letters)) == ("sent", 1)
