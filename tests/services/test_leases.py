from __future__ import annotations

from datetime import timedelta
from typing import Any
from uuid import UUID

import jwt
import pytest
from django.db import IntegrityError, transaction

from devices.fleet import services, tokens
from devices.fleet.models import ControlLease, Robot
from hospital.common.clock import now
from hospital.common.errors import Conflict
from hospital.common.ids import uuid7
from tests.factories import World, make_world
from tests.factories.world import FINGERPRINT

pytestmark = pytest.mark.django_db
EXAM, OTHER_EXAM = uuid7(), uuid7()


@pytest.fixture
def world() -> World:
    return make_world()


def take(world: World, *, who: str = "expert", exam: UUID = EXAM, peer: str = "p1") -> ControlLease:
    return services.lease_take(
        robot_id=world.robot.id,
        holder_id=world.users[who].id,
        exam_id=exam,
        peer_id=peer,
        fingerprint=FINGERPRINT,
    )


def test_the_epoch_grows_with_every_lease_and_never_returns(world: World) -> None:
    epochs = []
    for number in range(3):
        epochs.append(take(world, peer=f"p{number}").epoch)
        services.lease_release(exam_id=EXAM, code="given_back")
    assert epochs == [1, 2, 3]


def test_somebody_else_or_another_exam_is_refused_while_a_lease_lives(world: World) -> None:
    take(world)
    changes: list[dict[str, Any]] = [{"who": "expert2"}, {"exam": OTHER_EXAM}]
    for change in changes:
        with pytest.raises(Conflict, match="lease_held"):
            take(world, **change)


def test_the_same_persons_newer_page_takes_over_with_a_new_epoch(world: World) -> None:
    first = take(world)
    second = take(world, peer="p2")
    first.refresh_from_db()
    assert (first.release_code, second.epoch) == ("taken_over", first.epoch + 1)


def test_asking_again_from_the_same_page_is_the_same_lease(world: World) -> None:
    assert take(world).id == take(world).id


def test_a_lease_nobody_renews_expires_and_frees_the_robot(world: World) -> None:
    old = take(world)
    ControlLease.objects.update(expires_at=now() - timedelta(milliseconds=1))
    assert services.lease_renew(exam_id=EXAM, peer_id="p1", live=True) is None
    assert take(world, who="expert2", exam=OTHER_EXAM).epoch == old.epoch + 1


def test_the_sweep_ends_expired_leases(world: World) -> None:
    take(world)
    ControlLease.objects.update(expires_at=now() - timedelta(seconds=1))
    assert services.leases_expire() == 1
    assert ControlLease.objects.get().release_code == "expired"


def test_only_the_holding_page_renews_and_each_renewal_has_a_higher_serial(world: World) -> None:
    take(world)
    assert services.lease_renew(exam_id=EXAM, peer_id="another", live=True) is None
    serials = []
    for _ in range(3):
        lease = services.lease_renew(exam_id=EXAM, peer_id="p1", live=True)
        assert lease is not None
        serials.append(lease.serial)
    assert serials == [1, 2, 3]


def test_postgresql_itself_refuses_two_live_leases_for_one_robot(world: World) -> None:
    lease = take(world)
    with pytest.raises(IntegrityError), transaction.atomic():
        ControlLease.objects.create(
            robot=world.robot,
            epoch=lease.epoch + 1,
            holder=world.users["expert2"],
            exam_id=OTHER_EXAM,
            peer_id="x",
            fingerprint=FINGERPRINT,
            expires_at=now(),
        )


def test_the_token_is_signed_and_bound_to_robot_exam_peer_and_fingerprint(world: World) -> None:
    token = tokens.lease_token(
        robot_id=world.robot.id,
        exam_id=EXAM,
        holder_id=world.users["expert"].id,
        peer_id="p1",
        fingerprint=FINGERPRINT,
        epoch=7,
        serial=3,
        live=True,
    )
    pem = tokens.server_keys()[0]["pem"]
    claims = jwt.decode(token, pem, algorithms=["EdDSA"], audience=f"robot:{world.robot.id}")
    assert (claims["epoch"], claims["serial"], claims["live"], claims["ttl_ms"]) == (7, 3, True, 5000)
    assert (claims["fp"], claims["peer"], claims["exam"]) == (FINGERPRINT, "p1", str(EXAM))
    with pytest.raises(jwt.InvalidAudienceError):
        jwt.decode(token, pem, algorithms=["EdDSA"], audience=f"robot:{uuid7()}")


def test_a_robots_last_epoch_survives_in_its_row(world: World) -> None:
    take(world)
    assert Robot.objects.get().last_epoch == 1
