"""What one transaction asks for several times happens once after it, and not at all when it is undone."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any
from unittest.mock import patch
from uuid import uuid4

import pytest
from django.db import transaction

from devices.fleet import push
from hospital.common import work
from hospital.common.models import Work
from hospital.common.work import work_add
from hospital.messages.models import Message, MessageReceipt
from hospital.messages.services import notices_give
from tests.waiting import until

pytestmark = pytest.mark.django_db(transaction=True)
HOUSE, EXAM, AWAY = uuid4(), uuid4(), uuid4()
NOTICE = {"day": "11月27日", "time": "09:00", "place": "朱家角", "number": "E000000001"}


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


@pytest.fixture
def told(monkeypatch: pytest.MonkeyPatch) -> list[tuple[str, Any]]:
    found: list[tuple[str, Any]] = []

    class Layer:
        async def group_send(self, group: str, event: Any) -> None:
            if group == push.person_group(AWAY):
                raise ConnectionError
            found.append((group, event))

    monkeypatch.setattr(push, "get_channel_layer", Layer)
    return found


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


def test_the_same_news_is_told_once_and_other_news_in_its_order(told: list[tuple[str, Any]]) -> None:
    with transaction.atomic():
        push.push_desk(HOUSE, EXAM)
        push.push_exam_changed(EXAM)
        push.push_desk(HOUSE, EXAM)
        push.push_exam(EXAM, {"type": "first"})
        push.push_exam(EXAM, {"type": "second"})
        push.push_exam(EXAM, {"type": "first"})
        assert told == []
    desk = [event for group, event in told if group == push.desk_group(HOUSE)]
    exam = [event.get("message") for group, event in told if group == push.exam_group(EXAM)]
    assert desk == [{"type": "exam_changed", "exam_id": str(EXAM)}]
    assert exam == [None, {"type": "first"}, {"type": "second"}, {"type": "first"}]


def test_news_that_cannot_be_told_does_not_keep_back_the_others(told: list[tuple[str, Any]]) -> None:
    with transaction.atomic():
        push.push_notice(AWAY)
        push.push_desk(HOUSE, EXAM)
    assert [group for group, _ in told] == [push.desk_group(HOUSE)]


def test_a_notice_in_the_pages_stands_with_its_cause_and_needs_no_worker(
    told: list[tuple[str, Any]], nudged: list[str]
) -> None:
    one, other = uuid4(), uuid4()
    with undone():
        notices_give(user_ids=[one], template="exam_late", context=NOTICE)
    assert (Message.objects.count(), told) == (0, [])
    with transaction.atomic():
        notices_give(user_ids=[other, one, other], template="exam_late", context=NOTICE)
    assert sorted(Message.objects.values_list("status", flat=True)) == ["sent", "sent"]
    assert {receipt.outcome for receipt in MessageReceipt.objects.all()} == {"accepted"}
    assert [group for group, _ in told] == [push.person_group(one) for one in sorted([one, other])]
    assert nudged == []


def test_what_was_asked_after_a_broken_layer_is_still_done(nudged: list[str]) -> None:
    with patch.object(push, "get_channel_layer", side_effect=RuntimeError), transaction.atomic():
        push.push_desk(HOUSE, EXAM)
        work_add(kind="x", key="a", payload={})
    until(lambda: nudged == ["common.drain"], what="the nudge after news that broke")
