"""A day ends at Shanghai's midnight, an exam does not: what is listed, who may arrive, how old the patient is."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta
from unittest.mock import patch

import pytest
from rest_framework.test import APIClient

from hospital.access.services import token_issue
from hospital.common import clock
from hospital.common.clock import now, shanghai_day, today
from hospital.people.models import Patient
from teleconsult import reporting, services
from teleconsult.console.pages_queue import _sheet
from teleconsult.models import QueueTicket
from tests.factories import World, make_world

pytestmark = pytest.mark.django_db
MINUTE = timedelta(minutes=1)


@contextmanager
def it_is(moment: datetime) -> Iterator[None]:
    with patch.object(clock.timezone, "now", lambda: moment):
        yield


@pytest.fixture
def midnight() -> datetime:
    """Which comes after the next day."""
    return shanghai_day(today() + timedelta(days=2))[0]


@pytest.fixture
def world() -> World:
    return make_world()


def listed(world: World, who: str) -> list[str]:
    """What the page of this person's day reads again and again."""
    client = APIClient()
    token = token_issue(life=timedelta(hours=1), user=world.users[who])[0]
    client.credentials(HTTP_AUTHORIZATION=f"Bearer {token}")
    return [row["id"] for row in client.get("/api/v1/exams?at_hand=true").json()["results"]]


@pytest.mark.parametrize("who", ["bedside", "expert"])
def test_an_exam_across_midnight_stays_on_the_days_list(world: World, midnight: datetime, who: str) -> None:
    before = world.book(starts_at=midnight - 20 * MINUTE)
    after = world.book(starts_at=midnight + 5 * MINUTE)
    for moment in (midnight - 5 * MINUTE, midnight + MINUTE):
        with it_is(moment):
            assert listed(world, who) == [str(before.id), str(after.id)]
    with it_is(midnight - timedelta(hours=12)):
        assert listed(world, who) == [str(before.id)]
    with it_is(midnight + timedelta(hours=12)):
        assert listed(world, who) == [str(after.id)]


def test_who_comes_before_midnight_for_an_exam_after_it_is_let_in(world: World, midnight: datetime) -> None:
    exam = world.book(starts_at=midnight + 5 * MINUTE)
    desk = world.principals["desk"]
    with it_is(midnight - 10 * MINUTE):
        assert services.arrival_check_in(principal=desk, said=world.patient.document_number).id == exam.id
    assert QueueTicket.objects.get(exam=exam).day == clock.day_of(midnight)


def test_on_the_birthdays_morning_the_patient_is_a_year_older(world: World) -> None:
    """At 07:00 in Shanghai it is still the day before in UTC."""
    day = today() + timedelta(days=1)
    Patient.objects.update(birth_date=day.replace(year=day.year - 72))
    exam = world.book(starts_at=shanghai_day(day)[0] + timedelta(hours=7))
    exam = type(exam).objects.get(id=exam.id)  # as it is read: in UTC
    assert exam.starts_at > now()
    assert reporting.signed_content(exam)["patient"]["age"] == 72
    assert _sheet(exam)["age"] == 72
