"""Questions that are built once give what they would give built anew, to every caller, thread and connection."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from typing import Any

import pytest
from django.db import connection, transaction
from django.db.models import Q, QuerySet
from django.test.utils import CaptureQueriesContext

from hospital.access.models import AccessToken, Institution, Membership, User
from hospital.common.clock import now, today
from hospital.common.ids import uuid7
from hospital.common.prebuilt import MOST, Frozen, Prebuilt, Value, prebuilt
from tests.factories import World, make_world

pytestmark = pytest.mark.django_db


@pytest.fixture
def world() -> World:
    return make_world()


def of_people(*, user_ids: Value) -> QuerySet[Membership]:
    rows = Membership.objects.select_related("user", "institution")
    return rows.filter(Q(user_id__in=user_ids) | Q(id__in=user_ids)).order_by("user__username", "role")


def seen(rows: Any) -> list[tuple[Any, ...]]:
    return [(row.id, row.role, row.user.name, row.institution.name) for row in rows]


@pytest.mark.parametrize("how_many", [0, 1, 2, 3, MOST, MOST + 1])
def test_each_number_of_values_gives_the_rows_of_a_queryset_built_anew(world: World, how_many: int) -> None:
    people = [user.id for user in world.users.values()][:how_many]
    ids = tuple([*people, *[uuid7() for _ in range(how_many - len(people))]])
    asked = prebuilt(of_people)
    for _ in range(2):
        found = asked(user_ids=ids)
        assert seen(found) == seen(of_people(user_ids=ids))
        assert {row.user_id for row in found} == set(people)


def test_the_next_caller_is_asked_about_with_their_own_values(world: World) -> None:
    asked = prebuilt(of_people)
    names = {
        user.name: [row.user.name for row in asked(user_ids=(user.id,))] for user in world.users.values()
    }
    assert len(names) > 2
    assert all(set(found) <= {name} for name, found in names.items())
    assert len(asked.shapes) == 1


def test_a_moment_can_be_calculated_with_and_is_new_each_time(world: World) -> None:
    @prebuilt
    def live(*, moment: Value, spare: Value) -> QuerySet[AccessToken]:
        return AccessToken.objects.filter(expires_at__gt=moment + spare)

    AccessToken.objects.all().delete()
    world.account()  # for five minutes
    assert len(live(moment=now(), spare=timedelta(minutes=1))) == 1
    assert live(moment=now(), spare=timedelta(minutes=6)) == []
    assert live(moment=now() + timedelta(minutes=10), spare=timedelta(minutes=1)) == []


@pytest.mark.parametrize(
    "condition",
    [
        lambda: Q(expires_at__gt=now()),
        lambda: Q(id=uuid7()),
        lambda: Q(user_id__in=[uuid7()]),
        lambda: Q(digest=b"secret"),
        lambda: Q(user__practitioner__licence_expires_on__gte=today()),
    ],
)
def test_a_value_of_one_caller_that_would_stay_in_it_raises(condition: Callable[[], Q]) -> None:
    @prebuilt
    def frozen(*, name: Value) -> QuerySet[AccessToken]:
        return AccessToken.objects.filter(condition(), user__name=name)

    with pytest.raises(Frozen):
        frozen(name="王医生")


@pytest.mark.parametrize("wrong", [None, [], ["a"], {"a"}, {"a": 1}])
def test_what_is_no_single_value_nor_a_tuple_is_refused(wrong: Any) -> None:
    asked = prebuilt(lambda *, name: User.objects.filter(name=name))
    with pytest.raises(TypeError):
        asked(name=wrong)


def test_what_needs_more_than_one_statement_is_refused() -> None:
    with pytest.raises(TypeError):
        prebuilt(lambda *, name: User.objects.filter(name=name).prefetch_related("memberships"))(name="王")


@pytest.mark.django_db(transaction=True)
def test_rows_are_locked_inside_a_transaction_and_refused_outside() -> None:
    asked: Prebuilt[User] = prebuilt(lambda *, name: User.objects.select_for_update().filter(name=name))
    with transaction.atomic(), CaptureQueriesContext(connection) as sent:
        assert asked(name="nobody") == []
    assert "FOR UPDATE" in sent.captured_queries[0]["sql"]
    with pytest.raises(transaction.TransactionManagementError):
        asked(name="nobody")


@pytest.mark.django_db(transaction=True)
def test_other_threads_ask_over_their_own_connection() -> None:
    place = Institution.objects.create(
        name="一院", name_en="One", short_name="one", region_code="310118", uscc="TEST1"
    )

    @prebuilt
    def names(*, ids: Value) -> QuerySet[Institution, str]:
        return Institution.objects.filter(id__in=ids).values_list("name", flat=True)

    def elsewhere(_: int) -> list[str]:
        try:
            return names(ids=(place.id,))
        finally:
            connection.close()

    assert names(ids=(place.id,)) == ["一院"]
    with ThreadPoolExecutor(3) as threads:
        assert list(threads.map(elsewhere, range(6))) == [["一院"]] * 6
