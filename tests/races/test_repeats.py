"""One request sent twice at once under one key, as by an app that lost patience: one deed, one answer."""

from __future__ import annotations

import threading
from collections.abc import Callable
from datetime import timedelta
from functools import partial
from typing import Any
from unittest.mock import patch

import pytest
from rest_framework.test import APIClient

from hospital.access.services import token_issue
from hospital.common import idempotency
from teleconsult.models import ExamRequest
from tests.factories import World, make_world

from .at_once import together

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def world() -> World:
    return make_world()


def asks(world: World, key: str = "k") -> list[Callable[[], Any]]:
    """The same request for an exam, twice; nothing but the key says that they are one."""
    body = {
        "patient_id": str(world.patient.id), "exam_type": "abdomen", "clinical_question": "胆囊结石？",
        "institution_id": str(world.places["home"].id),
    }  # fmt: skip
    token, _ = token_issue(life=timedelta(hours=1), user=world.users["desk"])
    desks = [APIClient(HTTP_AUTHORIZATION=f"Bearer {token}") for _ in range(2)]
    return [
        partial(desk.post, "/api/v1/exam-requests", body, format="json", HTTP_IDEMPOTENCY_KEY=key)
        for desk in desks
    ]


def test_without_a_key_in_common_two_are_asked_for(world: World) -> None:
    first, second = asks(world, "a")[0], asks(world, "b")[1]
    assert [answer.status_code for answer in together([first, second])] == [201, 201]  # type: ignore[attr-defined]
    assert ExamRequest.objects.count() == 2


def test_the_second_waits_for_the_first_and_gets_its_answer(world: World) -> None:
    answers: list[Any] = together(asks(world))
    assert [answer.status_code for answer in answers] == [201, 201]
    assert answers[0].json() == answers[1].json()
    assert sorted("Idempotent-Replayed" in answer for answer in answers) == [False, True]
    assert ExamRequest.objects.count() == 1


def test_who_waits_too_long_for_the_first_is_asked_to_come_again(world: World) -> None:
    """The first holds its key until the second has been answered."""
    first, second = asks(world)
    begun, over = threading.Event(), threading.Event()
    finish = idempotency.finish

    def slow(**given: Any) -> None:
        begun.set()
        over.wait(20)
        finish(**given)

    def impatient() -> Any:
        begun.wait(10)
        try:
            return second()
        finally:
            over.set()

    with patch.object(idempotency, "finish", slow):
        answers: list[Any] = together([first, impatient])
    assert [answer.status_code for answer in answers] == [201, 409]
    assert (answers[1].json()["code"], answers[1]["Retry-After"]) == ("idempotency_running", "5")
    assert ExamRequest.objects.count() == 1
    assert second().json() == answers[0].json()
