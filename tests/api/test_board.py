"""The board's doors: what they answer, what they refuse, and what they leave in the log."""

from __future__ import annotations

from typing import Any

import pytest
from rest_framework.test import APIClient

from hospital.audit.models import AuditEntry
from hospital.common.clock import SHANGHAI
from tests.access.house import client_for
from tests.factories import World, make_world

pytestmark = pytest.mark.django_db


@pytest.fixture
def world() -> World:
    return make_world()


def desk(world: World, who: str = "desk") -> APIClient:
    return client_for(user=world.users[who])


def ask(world: World, path: str, who: str = "desk") -> Any:
    return desk(world, who).get(f"/api/v1/{path}")


def test_the_board_of_a_day_names_the_patients_it_shows_in_the_log(world: World) -> None:
    exam = world.book()
    answer = ask(world, f"board?day={exam.starts_at.astimezone(SHANGHAI).date()}")
    assert answer.status_code == 200
    assert [row["id"] for row in answer.json()["results"]] == [str(exam.id)]
    entry = AuditEntry.objects.latest("seq")
    assert (entry.action, entry.outcome, entry.patient_ids) == ("board.read", "read", [world.patient.id])
    assert entry.details["shown"] == [str(exam.id)]


def test_a_search_on_the_board_is_on_record_with_what_it_found(world: World) -> None:
    exam = world.book()
    assert [row["id"] for row in ask(world, "board/search?q=wxd").json()["results"]] == [str(exam.id)]
    assert AuditEntry.objects.latest("seq").patient_ids == [world.patient.id]
    assert ask(world, "board/search?q=nobody").json()["results"] == []
    assert AuditEntry.objects.latest("seq").patient_ids == []


@pytest.mark.parametrize("query", ["day=yesterday", "days=0", "days=8", "day=2026-02-30"])
def test_a_day_that_is_none_is_refused(world: World, query: str) -> None:
    answer = ask(world, f"board?{query}")
    assert (answer.status_code, answer.json()["code"]) == (422, "invalid")


def test_the_board_is_the_desks(world: World) -> None:
    assert ask(world, "board", "bedside").json()["code"] == "not_permitted"
    assert ask(world, "board", "expert").status_code == 403
    assert ask(world, "board", "other_desk").json()["results"] == []
