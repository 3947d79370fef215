"""What one transaction asks for several times happens once after it, and not at all when it is undone."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any
from unittest.mock import patch
from uuid import uuid4

import pytest
import redis
from channels.layers import get_channel_layer
from django.conf import settings
from django.db import transaction
from redis.backoff import NoBackoff
from redis.retry import Retry

from deploy.server.embedded import free_port
from devices.fleet import push
from hospital.common import work
from hospital.common.models import Work
from hospital.common.valkey import client
from hospital.common.work import work_add
from hospital.messages.models import Message, MessageReceipt
from hospital.messages.services import notices_give
from tests.waiting import until

pytestmark = pytest.mark.django_db(transaction=True)
HOUSE, EXAM, PEOPLE = uuid4(), uuid4(), (uuid4(), uuid4())
NOTICE = {
    "day": "11月27日",
    "day_en": "Fri 27 Nov",
    "time": "09:00",
    "place": "朱家角",
    "number": "E000000001",
}


@contextmanager
def undone() -> Iterator[None]:
    """A transaction, or a savepoint of one, that ends in a rollback."""
    with transaction.atomic():
        yield
        transaction.set_rollback(True)


@pytest.fixture
def nudged(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    found: list[str] = []
    monkeypatch.setattr(work.current_app, "send_task", lambda name, **_: found.append(name))
    return found


Told = Callable[[], list[tuple[str, Any]]]


@pytest.fixture
def told() -> Iterator[Told]:
    """What Valkey has passed on of this module's groups, as a socket would read it."""
    layer: Any = get_channel_layer()
    ours = {str(HOUSE), str(EXAM), *map(str, PEOPLE)}
    with client().pubsub() as listening:  # type: ignore[no-untyped-call]
        listening.psubscribe(push.GROUP_CHANNEL + "*")
        assert listening.get_message(timeout=5)["type"] == "psubscribe"

        def read() -> list[tuple[str, Any]]:
            found = []
            client().publish(f"{push.GROUP_CHANNEL}{HOUSE}", b"end")
            while (message := listening.get_message(timeout=5))["data"] != b"end":
                group = message["channel"].decode().removeprefix(push.GROUP_CHANNEL)
                if group.partition(".")[2] in ours:
                    found.append((group, layer.deserialize(message["data"])))
            return found

        yield read


def test_however_much_work_a_deed_writes_a_worker_is_nudged_once(nudged: list[str]) -> None:
    with transaction.atomic():
        for key in "abc":
            work_add(kind="x", key=key, payload={})
        assert nudged == []
    assert (nudged, Work.objects.count()) == (["common.drain"], 3)
    work_add(kind="x", key="d", payload={})  # outside a transaction: at once
    assert nudged == ["common.drain"] * 2


def test_work_that_was_undone_nudges_nobody_and_takes_no_others_nudge_with_it(nudged: list[str]) -> None:
    with undone():
        work_add(kind="x", key="a", payload={})
    assert nudged == []
    with transaction.atomic():
        with undone():
            work_add(kind="x", key="a", payload={})
        work_add(kind="x", key="b", payload={})
    assert (nudged, Work.objects.get().key) == (["common.drain"], "b")


def test_the_same_news_is_told_once_and_other_news_in_its_order(told: Told) -> None:
    with transaction.atomic():
        push.push_desk(HOUSE, EXAM)
        push.push_exam_changed(EXAM)
        push.push_desk(HOUSE, EXAM)
        push.push_exam(EXAM, {"type": "first"})
        push.push_exam(EXAM, {"type": "second"})
        push.push_exam(EXAM, {"type": "first"})
        assert told() == []
    found = told()
    desk = [event for group, event in found if group == push.desk_group(HOUSE)]
    exam = [event.get("message") for group, event in found if group == push.exam_group(EXAM)]
    assert desk == [{"type": "exam_changed", "exam_id": str(EXAM)}]
    assert exam == [None, {"type": "first"}, {"type": "second"}, {"type": "first"}]


async def test_the_layer_itself_names_a_groups_channel_so() -> None:
    layer: Any = get_channel_layer()
    assert layer._get_group_channel_name("desk.1") == f"{push.GROUP_CHANNEL}desk.1"


def test_without_valkey_the_deed_stands_and_only_the_news_is_lost(
    monkeypatch: pytest.MonkeyPatch, nudged: list[str]
) -> None:
    nobody = redis.Redis(port=free_port(), retry=Retry(NoBackoff(), 1))
    monkeypatch.setattr(push, "client", lambda: nobody)
    with transaction.atomic():
        push.push_desk(HOUSE, EXAM)
        work_add(kind="x", key="a", payload={})
    assert (Work.objects.count(), nudged) == (1, ["common.drain"])


def test_a_connection_that_died_is_opened_again_for_the_same_news(told: Told) -> None:
    me = client().client_id()
    redis.Redis.from_url(settings.REDIS_URL).client_kill_filter(_id=str(me))
    push.push_desk(HOUSE, EXAM)
    assert [group for group, _ in told()] == [push.desk_group(HOUSE)]


def test_a_notice_in_the_pages_stands_with_its_cause_and_needs_no_worker(
    told: Told, nudged: list[str]
) -> None:
    one, other = PEOPLE
    with undone():
        notices_give(user_ids=[one], template="exam_late", context=NOTICE)
    assert (Message.objects.count(), told()) == (0, [])
    with transaction.atomic():
        notices_give(user_ids=[other, one, other], template="exam_late", context=NOTICE)
    assert sorted(Message.objects.values_list("status", flat=True)) == ["sent", "sent"]
    assert {receipt.outcome for receipt in MessageReceipt.objects.all()} == {"accepted"}
    assert [group for group, _ in told()] == [push.person_group(one) for one in sorted([one, other])]
    assert nudged == []


def test_what_was_asked_after_a_broken_layer_is_still_done(nudged: list[str]) -> None:
    with patch.object(push, "get_channel_layer", side_effect=RuntimeError), transaction.atomic():
        push.push_desk(HOUSE, EXAM)
        work_add(kind="x", key="a", payload={})
    until(lambda: nudged == ["common.drain"], what="the nudge after news that broke")
