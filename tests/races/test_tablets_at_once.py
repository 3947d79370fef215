"""Two people at one tablet at the same moment, and many tries at one PIN at once: one wins, every try is counted."""

from __future__ import annotations

import threading
from typing import Any
from unittest.mock import patch

import pytest
from django.db.models import QuerySet
from rest_framework.test import APIClient

from hospital.access import tablets
from hospital.access.models import AccessToken, BedsidePin, TabletOpening
from tests.factories import World, make_world
from tests.races.at_once import together
from tests.tablet import PIN, SoftTablet

pytestmark = pytest.mark.django_db(transaction=True)
RIVALS = ("bedside", "bedside2")


@pytest.fixture
def world() -> World:
    return make_world()


@pytest.fixture
def tablet(world: World) -> SoftTablet:
    found = SoftTablet()
    found.pair(world)
    for who in RIVALS:
        found.opened_by(world.principals[who])
    return found


def changes(
    world: World, tablet: SoftTablet, tries: list[tuple[str, str]], *, answered: bool = True
) -> list[int]:
    """The status of each, all with challenges that were open before any was answered."""
    where = f"/api/v1/tablets/{tablet.id}/change"
    bodies = [
        tablet.body("change", world.users[who].id, user_id=str(world.users[who].id), pin=pin)
        for who, pin in tries
    ]

    def post(body: dict[str, Any]) -> int:
        return int(APIClient(HTTP_HOST="localhost").post(where, body, format="json").status_code)

    found = together([lambda body=body: post(body) for body in bodies])  # type: ignore[misc]
    assert not answered or all(isinstance(one, int) for one in found), found
    return [one for one in found if isinstance(one, int)]


def unlocked(rows: QuerySet[Any], *args: Any, **more: Any) -> QuerySet[Any]:
    """`select_for_update` that locks nothing."""
    return rows.all()


def test_of_two_people_at_once_one_stands_here(world: World, tablet: SoftTablet) -> None:
    assert sorted(changes(world, tablet, [(who, PIN) for who in RIVALS])) == [200, 401]
    assert AccessToken.objects.filter(tablet_id=tablet.id, bedside_only=True, revoked_at=None).count() == 1


def test_without_the_tablets_lock_both_are_proven(world: World, tablet: SoftTablet) -> None:
    """The guard taken away: both checks pass side by side; then they block each other, or both stand here."""
    both, proven = threading.Barrier(2), list[bool]()
    whole = tablets._proven

    def slow(*args: Any) -> bool:
        proven.append(whole(*args))
        both.wait(10)
        return proven[-1]

    with patch.object(QuerySet, "select_for_update", unlocked), patch.object(tablets, "_proven", slow):
        changes(world, tablet, [(who, PIN) for who in RIVALS], answered=False)
    assert proven == [True, True]


def test_every_wrong_pin_counts_when_many_come_at_once(world: World, tablet: SoftTablet) -> None:
    tries = [("bedside", "111119")] * (tablets.PIN_TRIES - 1)
    assert set(changes(world, tablet, tries)) == {401}
    assert BedsidePin.objects.get(user=world.users["bedside"]).failed_n == tablets.PIN_TRIES - 1
    assert changes(world, tablet, [("bedside", "111119")]) == [401]
    assert not TabletOpening.objects.filter(user=world.users["bedside"]).exists()


def test_without_the_locks_tries_are_lost(world: World, tablet: SoftTablet) -> None:
    """The guard taken away: everybody reads the same count before anybody writes."""
    both = threading.Barrier(2)
    whole = tablets.check_password

    def slow(*args: Any) -> bool:
        both.wait(10)
        return bool(whole(*args))

    with (
        patch.object(QuerySet, "select_for_update", unlocked),
        patch.object(tablets, "check_password", slow),
    ):
        assert changes(world, tablet, [("bedside", "111119")] * 2) == [401, 401]
    assert BedsidePin.objects.get(user=world.users["bedside"]).failed_n == 1
