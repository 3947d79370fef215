"""Two offices given to one person at the same moment (SEC-06): without the constraint both, with it one."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial

import pytest
from django.db import IntegrityError, transaction

from hospital.access import guarding
from hospital.access.models import ADMINISTRATORS, Membership, User
from hospital.access.principals import Principal
from hospital.access.selectors import principal_of_user
from hospital.access.services import STAFF_LIFE, token_issue
from tests.factories import World, make_world
from tests.owner import as_owner

from .at_once import together

pytestmark = pytest.mark.django_db(transaction=True)
INDEX = "one_administration_per_person"
PAIRS = [
    ("audit_admin", "system_admin"),
    ("system_admin", "security_admin"),
    ("security_admin", "audit_admin"),
]


@contextmanager
def without_the_constraint() -> Iterator[None]:
    """It is a unique index over part of the table: taken away, and made again as it was."""
    definition = as_owner(f"SELECT pg_get_indexdef('{INDEX}'::regclass)")[0][0]
    as_owner(f"DROP INDEX {INDEX}")
    try:
        yield
    finally:
        as_owner("DELETE FROM access_membership WHERE role LIKE '%_admin'")
        as_owner(definition)


@pytest.fixture
def world() -> World:
    return make_world()


def security(world: World, username: str) -> Principal:
    user = User.objects.create(username=username, name=username, password="!", totp_secret="JBSWY3DPEHPK3PXP")
    Membership.objects.create(user=user, institution=world.places["home"], role="security_admin")
    _, row = token_issue(life=STAFF_LIFE, user=user)
    return principal_of_user(user, row.id)


def offices(world: World) -> int:
    return Membership.objects.filter(user=world.users["desk"], role__in=ADMINISTRATORS).count()


def granted(world: World, pair: tuple[str, str]) -> list[Callable[[], object]]:
    """Two security administrators, each giving the same colleague another office."""
    home, desk = world.places["home"].id, world.users["desk"].id
    return [
        partial(
            guarding.administrator_grant,
            principal=security(world, f"security{number}"),
            user_id=desk,
            institution_id=home,
            role=role,
        )
        for number, role in enumerate(pair)
    ]


def looked_and_given(world: World, pair: tuple[str, str]) -> list[Callable[[], object]]:
    """A door that looks before it writes, without a lock: both have looked before either writes."""
    both = threading.Barrier(2)

    def give(role: str) -> None:
        with transaction.atomic():
            assert offices(world) == 0
            both.wait(10)
            Membership.objects.create(user=world.users["desk"], institution=world.places["home"], role=role)

    return [partial(give, role) for role in pair]


@pytest.mark.parametrize("acts", [granted, looked_and_given])
def test_without_the_constraint_one_person_gets_two_offices(
    world: World, acts: Callable[[World, tuple[str, str]], list[Callable[[], object]]]
) -> None:
    with without_the_constraint():
        results = together(acts(world, PAIRS[0]))
        assert not any(isinstance(result, Exception) for result in results), results
        assert offices(world) == 2


@pytest.mark.parametrize("pair", PAIRS)
def test_two_offices_given_at_once_are_one(world: World, pair: tuple[str, str]) -> None:
    results = together(granted(world, pair))
    assert offices(world) == 1
    assert [str(result) for result in results if isinstance(result, Exception)] == ["one_administration"]


@pytest.mark.parametrize("pair", PAIRS)
def test_a_look_before_writing_is_not_what_decides(world: World, pair: tuple[str, str]) -> None:
    results = together(looked_and_given(world, pair))
    assert offices(world) == 1
    refused = [result for result in results if isinstance(result, Exception)]
    assert len(refused) == 1 and isinstance(refused[0], IntegrityError) and INDEX in str(refused[0])


def test_whoever_waits_gets_the_office_when_the_first_takes_it_back(world: World) -> None:
    """The second write waits for the first transaction's end; a rollback is no office."""
    desk, home = world.users["desk"], world.places["home"]
    written, tried = threading.Event(), threading.Event()

    def first() -> None:
        with transaction.atomic():
            Membership.objects.create(user=desk, institution=home, role="audit_admin")
            written.set()
            assert tried.wait(10)
            transaction.set_rollback(True)

    def second() -> None:
        assert written.wait(10)
        with transaction.atomic():
            assert offices(world) == 0
            tried.set()
            Membership.objects.create(user=desk, institution=home, role="system_admin")

    assert together([first, second]) == [None, None]
    assert Membership.objects.get(user=desk, role__in=ADMINISTRATORS).role == "system_admin"
