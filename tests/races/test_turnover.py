"""Two people tick at once: with the row's lock one is told that it is signed, without it the constraint refuses."""

from __future__ import annotations

import threading
from functools import partial
from typing import Any
from unittest.mock import patch

import pytest
from django.db import IntegrityError

from hospital.common.errors import Conflict
from teleconsult import services, turnover
from teleconsult.models import Turnover, TurnoverTick
from teleconsult.services import turning_over
from tests.factories import World, make_world
from tests.races.at_once import together

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def world() -> World:
    return make_world()


def both_sign(world: World) -> list[object]:
    row = world.ended().turnover
    return together(
        [
            partial(
                services.turnover_sign,
                principal=world.principals[who],
                turnover_id=row.id,
                item="probe_disinfected",
                means=means,
            )
            for who, means in (("bedside", "quat_wipe"), ("desk", "alcohol_wipe"))
        ]
    )


def unlocked(principal: Any, turnover_id: Any) -> Turnover:
    return turnover.turnover_get(principal, turnover_id, turning_over.SIGN)


def signed(results: list[object]) -> int:
    assert TurnoverTick.objects.count() == 1
    return sum(isinstance(result, Turnover) for result in results)


def test_without_the_lock_both_believe_it_is_open_and_the_constraint_refuses_one(world: World) -> None:
    with patch.object(turning_over, "_locked", unlocked), looked_both():
        results = both_sign(world)
    assert any(isinstance(result, IntegrityError) for result in results), results
    assert signed(results) == 1


def looked_both() -> Any:
    """Both have looked before either writes."""
    barrier, look = threading.Barrier(2), turnover.newest_ticks

    def slow_look(row: Turnover) -> Any:
        found = look(row)
        if not found:
            try:
                barrier.wait(3)
            except threading.BrokenBarrierError:
                pass
        return found

    return patch.object(turning_over.turnovers, "newest_ticks", slow_look)


def test_with_the_lock_one_signs_and_the_other_is_told_who_did(world: World) -> None:
    results = both_sign(world)
    assert signed(results) == 1
    told = next(result for result in results if isinstance(result, Conflict))
    assert told.code == "turnover_signed" and told.data["by"] in ("李建国", "周敏")
