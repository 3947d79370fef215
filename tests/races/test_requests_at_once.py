"""One request booked by two desks at once, one offer accepted twice: first without the row's lock, then with it."""

from __future__ import annotations

import threading
from collections.abc import Callable
from datetime import timedelta
from functools import partial
from typing import Any
from unittest.mock import patch
from uuid import UUID

import pytest

from hospital.access.principals import SYSTEM, Principal
from hospital.common.clock import now
from hospital.common.errors import Conflict
from hospital.scheduling import services as scheduling
from hospital.scheduling.models import Resource
from teleconsult import selectors_requests as selectors
from teleconsult import services
from teleconsult.models import Exam, ExamRequest, SlotOffer
from teleconsult.services import requests
from tests.factories import World, make_world

from .at_once import overlapping, together

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def world() -> World:
    return make_world()


def asked(world: World) -> ExamRequest:
    return services.request_add(
        principal=world.principals["desk"], patient_id=world.patient.id, exam_type="abdomen",
        institution_id=world.places["home"].id, clinical_question="胆囊结石？", priority="routine",
    )  # fmt: skip


def team(world: World) -> dict[str, Any]:
    return {
        name: one for name, one in world.booking().items() if name.endswith("_id") and name != "patient_id"
    }


def two_desks(world: World, row: ExamRequest) -> list[Callable[[], object]]:
    """At different times: no calendar stands between them."""
    return [
        partial(
            services.request_book, principal=world.principals["desk"], request_id=row.id,
            starts_at=world.tomorrow(60 * number), **team(world),
        )
        for number in range(2)
    ]  # fmt: skip


def test_without_the_rows_lock_two_desks_book_one_request_twice(world: World) -> None:
    barrier = threading.Barrier(2)

    def unlocked(principal: Principal, request_id: UUID, action: str) -> ExamRequest:
        row = selectors.request_get(principal, request_id, action)
        barrier.wait(10)
        return row

    with patch.object(requests, "request_locked", unlocked):
        together(two_desks(world, asked(world)))
    assert Exam.objects.count() == 2


def test_of_two_desks_that_book_one_request_at_once_one_books_and_one_is_told(world: World) -> None:
    row = asked(world)
    results = together(two_desks(world, row))
    assert sum(isinstance(result, Exam) for result in results) == 1, results
    refused = next(result for result in results if not isinstance(result, Exam))
    assert isinstance(refused, Conflict)
    assert refused.code == "request_closed"
    row.refresh_from_db()
    assert Exam.objects.get().id == row.exam_id


def offered(world: World) -> SlotOffer:
    row = asked(world)
    with patch.object(services.waiting, "serve_later"):
        services.waiting_add(principal=world.principals["desk"], request_id=row.id)
    starts_at = world.tomorrow()
    people = Resource.objects.filter(user_id__in=[world.users["expert"].id, world.users["bedside"].id])
    things = [world.robot.resource_id, world.room.id]
    ends = now() + timedelta(hours=1)
    hold_id = scheduling.hold_place(
        resource_ids=[*people.values_list("id", flat=True), *things], starts_at=starts_at,
        ends_at=starts_at + timedelta(minutes=20), expires_at=ends, by=SYSTEM.id,
    )  # fmt: skip
    return SlotOffer.objects.create(
        request=row, hold_id=hold_id, starts_at=starts_at, ends_at=starts_at + timedelta(minutes=20),
        team={name: str(one) for name, one in team(world).items()}, digest=selectors.digest_of("geheim"),
        expires_at=ends,
    )  # fmt: skip


def test_an_offer_accepted_by_link_and_at_the_desk_at_once_is_one_booking(world: World) -> None:
    offer = offered(world)
    results = together(
        [
            lambda: services.offer_accept_by_link(token="geheim"),
            lambda: services.offer_accept(principal=world.principals["desk"], offer_id=offer.id),
            lambda: services.offer_refuse_by_link(token="geheim"),
            lambda: services.offer_expire(offer_id=offer.id),
        ]
    )
    assert sum(isinstance(result, Exam) for result in results) <= 1, results
    offer.refresh_from_db()
    assert Exam.objects.count() == (1 if offer.state == "accepted" else 0)
    assert offer.state != "open"
    assert overlapping() == 0


def test_two_workers_that_serve_one_freed_time_make_one_offer(world: World) -> None:
    starts_at = world.tomorrow()
    rows = [asked(world) for _ in range(2)]
    for row in rows:
        with patch.object(services.waiting, "serve_later"):
            services.waiting_add(principal=world.principals["desk"], request_id=row.id)
    serve = partial(services.waiting_serve, starts_at=starts_at, ends_at=starts_at + timedelta(days=7))
    results = together([serve, serve])
    assert all(isinstance(result, int) for result in results), results
    assert sorted(SlotOffer.objects.values_list("request_id", flat=True)) == sorted(row.id for row in rows)
    assert overlapping() == 0
