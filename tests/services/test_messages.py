from __future__ import annotations

import json
import time
from datetime import timedelta
from io import StringIO
from typing import Any

import pytest
from django.core.management import CommandError, call_command
from django.db import connection

from hospital.access import services as access
from hospital.access import totp
from hospital.access.models import User
from hospital.common.clock import now
from hospital.common.models import Work
from hospital.common.work import work_drain
from hospital.messages.models import Message
from hospital.messages.selectors import mailbox
from hospital.messages.services import message_send, phone_plain

pytestmark = pytest.mark.django_db
PHONE = "13900000001"


@pytest.fixture(autouse=True)
def embedded(settings: Any) -> None:
    settings.EMBEDDED, settings.MESSAGES_PROVIDER = True, "mailbox"


def send(code: str = "046813", channel: str = "sms", **more: Any) -> Message:
    return message_send(to=PHONE, channel=channel, template="login_code", context={"code": code}, **more)


def command(*args: str) -> str:
    out = StringIO()
    call_command("mailbox", *args, stdout=out)
    return out.getvalue()


def test_a_message_is_sent_by_the_worker_and_not_by_the_request() -> None:
    message = send()
    assert mailbox(to=PHONE) == []
    work_drain()
    message.refresh_from_db()
    assert (message.status, mailbox(to=PHONE)) == ("sent", [message])


def test_a_message_is_sent_once_however_often_its_work_is_done() -> None:
    message = send()
    work_drain()
    message.refresh_from_db()
    first = message.sent_at
    Work.objects.update(finished_at=None)
    work_drain()
    message.refresh_from_db()
    assert message.sent_at == first


def test_a_code_that_came_too_late_is_not_sent() -> None:
    message = send(expires_at=now() - timedelta(seconds=1))
    work_drain()
    message.refresh_from_db()
    assert (message.status, message.sent_at) == ("expired", None)


def test_without_a_provider_a_message_stays_queued_and_is_tried_again(settings: Any) -> None:
    settings.MESSAGES_PROVIDER = ""
    message = send()
    work_drain()
    message.refresh_from_db()
    row = Work.objects.get()
    assert (message.status, row.finished_at) == ("queued", None)
    assert "MESSAGES_PROVIDER" in row.last_error


def test_a_voice_call_reads_the_code_digit_by_digit() -> None:
    assert "0，4，6，8，1，3" in send(channel="voice").text


def test_a_message_is_never_sent_half_filled() -> None:
    with pytest.raises(KeyError):
        message_send(to=PHONE, channel="sms", template="login_code", context={})
    assert not Message.objects.exists()


def test_neither_phone_nor_code_is_readable_in_the_database() -> None:
    send()
    with connection.cursor() as cursor:
        cursor.execute('SELECT "to", text, code FROM messages_message')
        row = cursor.fetchone()
    assert row is not None
    stored = b"".join(bytes(value) for value in row)
    assert PHONE.encode() not in stored
    assert b"046813" not in stored


@pytest.mark.parametrize(
    "typed",
    [PHONE, f"+86 {PHONE}", "139-0000-0001", PHONE.translate({ord("0") + n: 0xFF10 + n for n in range(10)})],
)
def test_the_mailbox_command_prints_the_newest_message_however_the_phone_is_typed(typed: str) -> None:
    send("111111")
    send("222222")
    work_drain()
    printed = json.loads(command("--to", typed, "--last", "--json"))
    assert set(printed) == {"to", "channel", "text", "code", "sent_at"}
    assert (printed["to"], printed["code"]) == (PHONE, "222222")


def test_the_mailbox_command_says_when_there_is_none() -> None:
    with pytest.raises(CommandError, match=f"no message to {PHONE}"):
        command("--to", PHONE, "--last", "--json")


@pytest.mark.parametrize("name", ["mailbox", "totp"])
def test_mailbox_and_totp_belong_to_the_embedded_default(name: str, settings: Any) -> None:
    settings.EMBEDDED = False
    with pytest.raises(CommandError):
        call_command(name, *(["--to", PHONE] if name == "mailbox" else ["expert"]))


def test_a_phone_is_one_however_it_is_typed() -> None:
    assert {phone_plain(typed) for typed in ("0086 139 0000 0001", "(139)00000001", PHONE)} == {PHONE}


def test_the_totp_command_prints_codes_that_sign_in_one_after_another() -> None:
    _, password, _ = access.user_create(username="expert", name="专家")
    for _ in range(2):
        out = StringIO()
        call_command("totp", "expert", stdout=out)
        access.staff_sign_in(username="expert", password=password, code=out.getvalue().strip())
    used = User.objects.get().totp_last_step
    assert totp.next_step(now_s=time.time(), after=used) > used


def test_the_totp_command_names_a_user_who_is_not_there() -> None:
    with pytest.raises(CommandError, match="nobody"):
        call_command("totp", "nobody")
