"""A robot's own tokens: signed by its key, for this house, at most a minute, each once."""

from __future__ import annotations

import time
import uuid
from typing import Any

import jwt
import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from django.db import connection

from devices.fleet import services
from devices.fleet.models import Robot, RobotNonce
from hospital.common.clock import now
from hospital.common.errors import Unauthenticated
from tests.factories import World, make_world
from tests.races.at_once import together

pytestmark = pytest.mark.django_db
KEY = Ed25519PrivateKey.generate()


def pem(key: Ed25519PrivateKey) -> str:
    form = serialization.PublicFormat.SubjectPublicKeyInfo
    return key.public_key().public_bytes(serialization.Encoding.PEM, form).decode()


@pytest.fixture
def world() -> World:
    made = make_world()
    Robot.objects.filter(id=made.robot.id).update(public_key_pem=pem(KEY), paired_at=now())
    return made


def token(world: World, key: Ed25519PrivateKey = KEY, drop: str = "", **changes: Any) -> str:
    issued = int(time.time())
    claims: dict[str, Any] = {"iss": f"robot:{world.robot.id}", "aud": "hospital", "iat": issued}
    claims |= {"exp": issued + 60, "jti": uuid.uuid4().hex} | changes
    claims.pop(drop, None)
    return jwt.encode(claims, key, algorithm="EdDSA")


def test_its_own_token_is_the_robot_once(world: World) -> None:
    given = token(world)
    assert services.robot_authenticate(token=given).id == world.robot.id
    with pytest.raises(Unauthenticated, match="robot_not_authenticated"):
        services.robot_authenticate(token=given)


@pytest.mark.parametrize(
    "change",
    [
        {"aud": "other"}, {"aud": "robot:x"}, {"exp": int(time.time()) + 3600}, {"exp": int(time.time()) - 60},
        {"iat": int(time.time()) + 600, "exp": int(time.time()) + 630}, {"drop": "jti"}, {"drop": "aud"},
        {"drop": "exp"}, {"drop": "iat"}, {"iss": f"robot:{uuid.uuid4()}"}, {"iss": "x"}, {"jti": "j" * 65},
        {"key": Ed25519PrivateKey.generate()},
    ],
    ids=lambda change: next(iter(change)),
)  # fmt: skip
def test_what_is_not_quite_its_token_is_nobody(world: World, change: dict[str, Any]) -> None:
    with pytest.raises(Unauthenticated, match="robot_not_authenticated"):
        services.robot_authenticate(token=token(world, **change))
    assert not RobotNonce.objects.exists()


def test_a_token_without_a_signature_is_nobody(world: World) -> None:
    parts = token(world).split(".")
    none = jwt.encode(jwt.decode(".".join(parts), options={"verify_signature": False}), "", algorithm="none")
    with pytest.raises(Unauthenticated):
        services.robot_authenticate(token=none)


def test_a_revoked_robot_is_nobody(world: World) -> None:
    Robot.objects.update(revoked_at=now())
    with pytest.raises(Unauthenticated):
        services.robot_authenticate(token=token(world))


def test_a_nonce_is_kept_longer_than_its_token_could_be_replayed(world: World) -> None:
    services.robot_authenticate(token=token(world))
    services.nonces_clear()
    assert (RobotNonce.objects.get().expires_at - now()).total_seconds() > 60 + 5


@pytest.mark.django_db(transaction=True)
def test_one_token_sent_twice_at_once_is_the_robot_once(world: World) -> None:
    given = token(world)
    results = together([lambda: services.robot_authenticate(token=given)] * 4)
    assert sum(isinstance(result, Robot) for result in results) == 1
    assert sum(isinstance(result, Unauthenticated) for result in results) == 3
    connection.close()
