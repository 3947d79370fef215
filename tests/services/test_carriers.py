"""Carriers on this machine that check every signature: what goes out, what comes back, and never twice."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from hospital.common.clock import now, shanghai_day, today
from hospital.common.models import Work
from hospital.common.work import work_drain
from hospital.messages import delivery, quiet
from hospital.messages.models import Message
from hospital.messages.providers import aliyun as aliyun_provider
from hospital.messages.providers import base
from hospital.messages.providers import tencent as tencent_provider
from hospital.messages.selectors import notices_of
from hospital.messages.services import message_send
from hospital.messages.templates import values_of
from tests import carriers
from tests.carriers import KEY_ID, SECRET, Carrier
from tests.factories import World, make_world
from tests.servers import ROOT, Servers
from tests.waiting import until

pytestmark = pytest.mark.django_db
PHONE = "13900000001"
TEMPLATES = {
    "sms": {"login_code": "T1", "delegation_ends": "T2", "exam_booked": "T3"},
    "voice": {"login_code": "V1"},
}


def _configured(settings: Any, name: str, url: str) -> None:
    ours = {
        "access_key_id": KEY_ID, "access_key_secret": SECRET, "secret_id": KEY_ID, "secret_key": SECRET,
        "sign_name": "长三角互联网医院", "caller_number": "02150000000", "sms_app_id": "1400", "voice_app_id": "1401",
        "templates": TEMPLATES, "sms_endpoint": url, "voice_endpoint": url,
    }  # fmt: skip
    settings.MESSAGES_PROVIDER, settings.MESSAGES = name, {name: ours}


@pytest.fixture
def aliyun(settings: Any) -> Iterator[Carrier]:
    with carriers.standing_in(carriers.aliyun) as carrier:
        _configured(settings, "aliyun", carrier.url)
        yield carrier


@pytest.fixture
def tencent(settings: Any) -> Iterator[Carrier]:
    with carriers.standing_in(carriers.tencent) as carrier:
        _configured(settings, "tencent", carrier.url)
        yield carrier


def send(channel: str = "sms", template: str = "login_code", **context: str) -> Message:
    return message_send(to=PHONE, channel=channel, template=template, context=context or {"code": "046813"})


def all_due() -> None:
    """Let the clock reach every later try."""
    Work.objects.filter(finished_at=None).update(due_at=now(), taken_until=None)
    work_drain()


def receipts(message: Message) -> list[tuple[str, str]]:
    message.refresh_from_db()
    return list(message.receipts.order_by("number").values_list("outcome", "code"))


def test_the_published_example_of_aliyuns_signature_is_reproduced() -> None:
    query = aliyun_provider.query_of(
        {"RegionId": "cn-shanghai", "ImageId": "win2019_1809_x64_dtc_zh-cn_40G_alibase_20230811.vhd"}
    )
    headers = aliyun_provider.signed_headers(
        host="ecs.cn-shanghai.aliyuncs.com", action="RunInstances", version="2014-05-26", query=query,
        at=datetime(2023, 10, 26, 10, 22, 32, tzinfo=UTC), nonce="3156853299f313e23d1673dc12e1703d",
        key_id="YourAccessKeyId", secret="YourAccessKeySecret",
    )  # fmt: skip
    assert headers["authorization"].endswith(
        "Signature=06563a9e1b43f5dfe96b81484da74bceab24a1d853912eee15083a6f0f3283c0"
    )


def test_the_published_example_of_tencents_signature_is_reproduced() -> None:
    body = r'{"Limit": 1, "Filters": [{"Values": ["\u672a\u547d\u540d"], "Name": "instance-name"}]}'
    said = tencent_provider.authorization(
        host="cvm.tencentcloudapi.com", service="cvm", action="DescribeInstances", body=body.encode(),
        at=datetime.fromtimestamp(1551113065, UTC), secret_id="AKID" + "*" * 32, secret_key="*" * 32,
    )  # fmt: skip
    assert said.endswith("Signature=10b1a37a7301a02ca19a647ad722d5e43b4b3cff309d421d85b46093f6ab6c4f")


def test_aliyun_takes_a_signed_sms_and_its_number_stays_on_the_receipt(aliyun: Carrier) -> None:
    message = send()
    work_drain()
    (arrived,) = aliyun.delivered
    asked = arrived.asked
    assert (asked["PhoneNumbers"], asked["TemplateCode"]) == (PHONE, "T1")
    assert json.loads(asked["TemplateParam"]) == {"code": "046813"}
    assert receipts(message) == [("accepted", "OK")]
    assert (message.status, message.receipts.get().provider_id) == ("sent", "n-1")


def test_aliyun_reads_a_code_aloud_digit_by_digit(aliyun: Carrier) -> None:
    send("voice")
    work_drain()
    (arrived,) = aliyun.delivered
    assert arrived.headers["x-acs-action"] == "SingleCallByTts"
    assert json.loads(arrived.asked["TtsParam"]) == {"code": "0，4，6，8，1，3"}


def test_tencent_takes_a_signed_sms_and_a_signed_call(tencent: Carrier) -> None:
    sms, call = send(), send("voice")
    work_drain()
    first, second = (request.json for request in tencent.delivered)
    assert (first["PhoneNumberSet"], first["TemplateParamSet"]) == ([f"+86{PHONE}"], ["046813"])
    assert (second["CalledNumber"], second["TemplateId"]) == (f"+86{PHONE}", "V1")
    assert [receipts(row) for row in (sms, call)] == [[("accepted", "Ok")]] * 2


@pytest.mark.parametrize("name", ["aliyun", "tencent"])
def test_a_wrong_secret_is_seen_by_the_carrier_and_the_message_waits(
    name: str, settings: Any, request: pytest.FixtureRequest
) -> None:
    carrier = request.getfixturevalue(name)
    settings.MESSAGES[name] |= {"access_key_secret": "another", "secret_key": "another"}
    message = send()
    work_drain()
    assert not carrier.delivered
    ((outcome, code),) = receipts(message)
    assert (outcome, message.status) == ("temporary", "queued")
    assert "Signature" in code


@pytest.mark.parametrize(
    ("name", "code"),
    [("aliyun", "isv.BUSINESS_LIMIT_CONTROL"), ("tencent", "LimitExceeded.PhoneNumberDailyLimit")],
)
def test_a_refusal_for_now_is_tried_again_with_a_receipt_each(
    name: str, code: str, request: pytest.FixtureRequest
) -> None:
    carrier = request.getfixturevalue(name)
    carrier.answers = [code]
    message = send()
    work_drain()
    assert (receipts(message), message.status) == ([("temporary", code)], "queued")
    all_due()
    assert [outcome for outcome, _ in receipts(message)] == ["temporary", "accepted"]
    assert (message.status, len(carrier.delivered)) == ("sent", 1)


@pytest.mark.parametrize(
    ("name", "code"),
    [("aliyun", "isv.MOBILE_NUMBER_ILLEGAL"), ("tencent", "InvalidParameterValue.IncorrectPhoneNumber")],
)
def test_a_refusal_for_good_is_the_end(name: str, code: str, request: pytest.FixtureRequest) -> None:
    carrier = request.getfixturevalue(name)
    carrier.answers = [code]
    message = send()
    work_drain()
    all_due()
    assert (receipts(message), message.status, message.reason) == ([("permanent", code)], "failed", code)
    assert len(carrier.arrived) == 1


@pytest.mark.parametrize("name", ["aliyun", "tencent"])
@pytest.mark.parametrize("status", [500, 502])
def test_a_gateway_that_breaks_loses_nothing_and_doubles_nothing(
    name: str, status: int, request: pytest.FixtureRequest
) -> None:
    carrier = request.getfixturevalue(name)
    carrier.answers = [status]
    message = send()
    work_drain()
    assert (receipts(message), message.status) == ([("unanswered", f"http_{status}")], "queued")
    all_due()
    assert [outcome for outcome, _ in receipts(message)] == ["unanswered", "accepted"]
    assert (message.status, len(carrier.delivered)) == ("sent", 1)


def test_an_answer_that_is_not_the_services_own_does_not_double_what_it_took(aliyun: Carrier) -> None:
    """Nobody knows whether it went out: the repeat has the same nonce."""
    aliyun.answers = [{"message": "Internal Server Error"}]
    message = send()
    work_drain()
    assert receipts(message) == [("unanswered", "no_code")]
    all_due()
    assert receipts(message)[1] == ("accepted", "SignatureNonceUsed")
    assert (message.status, len(aliyun.delivered)) == ("sent", 1)


@pytest.mark.parametrize("name", ["aliyun", "tencent"])
def test_a_carrier_that_does_not_answer_in_time_is_asked_again_later(
    name: str, request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(base, "TIMEOUT_S", 0.2)
    carrier = request.getfixturevalue(name)
    carrier.answers = [None]
    message = send()
    work_drain()
    assert (receipts(message), message.status) == ([("unanswered", "ReadTimeout")], "queued")
    carrier.silent_until.set()
    all_due()
    assert [outcome for outcome, _ in receipts(message)] == ["unanswered", "accepted"]
    assert message.status == "sent"


@pytest.fixture
def by_day(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(quiet, "quiet_until", lambda at: None)


def desk_told(world: World) -> list[str]:
    rows = notices_of(world.users["desk"].id)
    return [row.text for row in rows if row.template == "patient_not_reached"]


def booked(hours: int) -> tuple[World, Message]:
    """An exam so far ahead and the message to its patient, which a worker tries once."""
    world = make_world()
    exam = world.book(starts_at=now() + timedelta(hours=hours))
    work_drain()
    return world, Message.objects.get(template="exam_booked", about_id=exam.id)


def test_the_desk_hears_that_a_patients_number_is_refused_and_what_to_do(
    aliyun: Carrier, by_day: None
) -> None:
    aliyun.answers = ["isv.MOBILE_NUMBER_ILLEGAL"]
    world, message = booked(50)
    (text,) = desk_told(world)
    assert message.status == "failed" and world.patient.name not in text
    for words in ("预约通知没有送达", "isv.MOBILE_NUMBER_ILLEGAL", "请打电话", "Please call"):
        assert words in text
    all_due()
    assert len(desk_told(world)) == 1


@pytest.mark.parametrize(("hours", "told"), [(2, 1), (50, 0)])
def test_the_desk_hears_once_of_a_soon_exams_message_that_nobody_takes_yet(
    aliyun: Carrier, by_day: None, hours: int, told: int
) -> None:
    """And the message is still sent when the carrier takes it."""
    aliyun.answers = ["isv.BUSINESS_LIMIT_CONTROL"] * 6
    world, message = booked(hours)
    for number in range(1, 6):
        assert len(desk_told(world)) == (told if number >= quiet.WORRY_AFTER else 0)
        all_due()
    assert len(desk_told(world)) == told
    all_due()
    message.refresh_from_db()
    assert message.status == "sent"
    assert [outcome for outcome, _ in receipts(message)] == ["temporary"] * 6 + ["accepted"]


def test_a_message_that_nobody_takes_for_a_day_is_given_up(aliyun: Carrier) -> None:
    aliyun.answers = ["isp.SYSTEM_ERROR"] * 2
    message = send()
    work_drain()
    Message.objects.update(created_at=now() - timedelta(days=1, minutes=1))
    all_due()
    message.refresh_from_db()
    assert (message.status, message.reason) == ("failed", "tried_too_long")


def test_without_the_carriers_template_a_message_waits_until_somebody_writes_it_down(
    aliyun: Carrier, settings: Any
) -> None:
    settings.MESSAGES["aliyun"]["templates"] = {}
    message = send()
    work_drain()
    ((outcome, code),) = receipts(message)
    assert (outcome, "login_code" in code, aliyun.arrived) == ("temporary", True, [])
    settings.MESSAGES["aliyun"]["templates"] = TEMPLATES
    all_due()
    message.refresh_from_db()
    assert message.status == "sent"


def test_an_answer_that_was_lost_makes_no_second_sms_where_the_carrier_can_tell(aliyun: Carrier) -> None:
    """The SMS went out, the connection ended before the answer: the repeat has the same nonce and is refused."""
    aliyun.answers = [None]
    aliyun.silent_until.set()
    message = send()
    work_drain()
    assert [outcome for outcome, _ in receipts(message)] == ["unanswered"]
    all_due()
    assert receipts(message)[1] == ("accepted", "SignatureNonceUsed")
    assert (message.status, len(aliyun.arrived), len(aliyun.delivered)) == ("sent", 2, 1)


def test_with_a_fresh_nonce_for_each_try_that_sms_would_be_doubled(
    aliyun: Carrier, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The same, without the guard: why the nonce is the delivery's."""
    count = iter(range(10))
    monkeypatch.setattr(aliyun_provider, "nonce_of", lambda key: f"{key}{next(count)}")
    aliyun.answers = [None]
    aliyun.silent_until.set()
    send()
    work_drain()
    all_due()
    assert len(aliyun.delivered) == 2


WORKER = """
import json, sys
import django
django.setup()
from django.conf import settings
settings.MESSAGES_PROVIDER, settings.MESSAGES = "aliyun", json.loads(sys.stdin.readline())
from hospital.common.work import work_drain
work_drain()
"""


@pytest.mark.django_db(transaction=True)
def test_a_worker_killed_while_the_carrier_thinks_loses_nothing_and_doubles_nothing(
    aliyun: Carrier, settings: Any, servers: Servers
) -> None:
    aliyun.answers = [None]
    message = send()
    worker = subprocess.Popen(
        [sys.executable, "-c", WORKER],
        cwd=ROOT,
        env=dict(os.environ) | servers.environment(),
        stdin=subprocess.PIPE,
    )
    assert worker.stdin is not None
    worker.stdin.write(json.dumps(settings.MESSAGES).encode() + b"\n")
    worker.stdin.flush()
    try:
        until(aliyun.hanging.is_set, timeout_s=30, what="the worker asks the carrier")
    finally:
        worker.kill()
        worker.wait(10)
    message.refresh_from_db()
    assert (message.status, receipts(message)) == ("queued", [("trying", "")]), "the try was written down"
    all_due()
    assert receipts(message) == [("unanswered", "worker_gone"), ("accepted", "SignatureNonceUsed")]
    assert (message.status, len(aliyun.delivered)) == ("sent", 1)


@pytest.mark.parametrize("kind", ["dingtalk", "feishu", "wecom"])
def test_a_staff_group_reads_a_signed_text(kind: str, settings: Any) -> None:
    with carriers.standing_in(carriers.group) as carrier:
        where = {"kind": kind, "url": f"{carrier.url}/{kind}?access_token=x", "secret": SECRET}
        settings.MESSAGES = {"groups": {"desk": where}}
        context = {"at": "2026-11-26 08:00"}
        message = message_send(to="desk", channel="group", template="break_glass_overdue", context=context)
        work_drain()
        assert receipts(message) == [("accepted", "0")]
        (arrived,) = carrier.delivered
        assert "2026-11-26 08:00" in json.dumps(arrived.json, ensure_ascii=False)
        settings.MESSAGES["groups"]["desk"] = where | {"secret": "another"}
        again = message_send(to="desk", channel="group", template="break_glass_overdue", context=context)
        work_drain()
        again.refresh_from_db()
        assert again.status == ("sent" if kind == "wecom" else "failed")


def test_a_groups_text_goes_as_it_was_queued_and_a_carriers_copy_is_never_filled_by_halves(
    settings: Any,
) -> None:
    """A text may name more after an upgrade than a message that was queued before knows."""
    with carriers.standing_in(carriers.group) as carrier:
        where = {"kind": "wecom", "url": f"{carrier.url}/wecom?key=x"}
        settings.MESSAGES = {"groups": {"desk": where}}
        message = message_send(
            to="desk", channel="group", template="break_glass_overdue", context={"at": "2026-11-26 08:00"}
        )
        message.context = '{"other": "1"}'
        message.save()
        work_drain()
        assert len(carrier.delivered) == 1
    with pytest.raises(KeyError):
        values_of("break_glass_overdue", "sms", {"other": "1"})


def test_a_notice_in_the_night_waits_for_the_morning_and_a_code_does_not(
    settings: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings.EMBEDDED, settings.MESSAGES_PROVIDER = True, "mailbox"
    midnight = shanghai_day(today())[1]
    night = midnight - timedelta(hours=2)
    monkeypatch.setattr(delivery, "now", lambda: night)
    notice, code = send(template="delegation_ends", on="2026-12-01"), send()
    work_drain()
    notice.refresh_from_db()
    code.refresh_from_db()
    assert (notice.status, code.status) == ("queued", "sent")
    assert notice.not_before == midnight + timedelta(hours=7, minutes=30)
    monkeypatch.setattr(delivery, "now", lambda: night + timedelta(hours=10))
    all_due()
    notice.refresh_from_db()
    assert notice.status == "sent"


def test_secrets_are_read_from_a_file_and_no_other_place(tmp_path: Path, servers: Servers) -> None:
    file = tmp_path / "messages.json"
    file.write_text(json.dumps({"aliyun": {"access_key_id": "from-the-file"}}))
    say = "from django.conf import settings; print(settings.MESSAGES['aliyun']['access_key_id'])"
    environment = dict(os.environ) | servers.environment() | {"MESSAGES_FILE": str(file)}
    out = subprocess.run(
        [sys.executable, "-c", say], cwd=ROOT, env=environment, stdout=subprocess.PIPE, check=True, text=True
    )
    assert out.stdout.strip() == "from-the-file"
