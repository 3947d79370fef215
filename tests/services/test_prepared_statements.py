"""What PostgreSQL has planned for a connection stays planned when a deed on it is refused."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest
from django.db import connection, transaction
from psycopg._preparing import PrepareManager

from hospital.access.models import Institution, User
from hospital.common.connections import PREPARED_MAX, KeptStatements, opened
from tests.owner import as_owner

pytestmark = pytest.mark.django_db(transaction=True)
AGAIN = 4  # times: psycopg prepares at the third


class Refused(Exception):
    pass


@pytest.fixture(autouse=True)
def fresh() -> Iterator[None]:
    connection.close()
    yield
    connection.close()


def asked_again() -> None:
    for _ in range(AGAIN):
        assert User.objects.filter(username="nobody").first() is None


def refused() -> None:
    with transaction.atomic():
        Institution.objects.count()
        raise Refused


def refused_whole() -> None:
    with pytest.raises(Refused):
        refused()


def refused_in_part() -> None:
    """A savepoint goes, what stands around it stays."""
    with transaction.atomic():
        refused_whole()


def planned() -> int:
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT count(*) FROM pg_prepared_statements WHERE statement LIKE %s", ["%access_user%"]
        )
        (found,) = cursor.fetchone() or (0,)
    return int(found)


@pytest.mark.parametrize("refuses", [refused_whole, refused_in_part])
def test_psycopg_alone_forgets_every_statement_when_one_deed_is_refused(refuses: Callable[[], None]) -> None:
    asked_again()
    connection.connection._prepared.__class__ = PrepareManager
    assert planned() == 1
    refuses()
    assert planned() == 0


@pytest.mark.parametrize("refuses", [refused_whole, refused_in_part])
def test_after_a_refusal_the_statements_are_still_there_and_answer(refuses: Callable[[], None]) -> None:
    asked_again()
    assert planned() == 1
    refuses()
    assert planned() == 1
    User.objects.create(username="nobody", name="n", password="!", totp_secret="-")
    assert User.objects.filter(username="nobody").first() is not None
    assert planned() == 1


def test_a_statement_of_a_table_that_another_changed_is_planned_again_by_postgresql_itself() -> None:
    """Another's change of a table makes plans stale, not wrong."""
    asked_again()
    as_owner("ALTER TABLE access_user ADD COLUMN passing integer NOT NULL DEFAULT 7")
    try:
        asked_again()
    finally:
        as_owner("ALTER TABLE access_user DROP COLUMN passing")
    asked_again()
    assert planned() == 1


def test_a_connection_that_is_taken_again_keeps_what_it_has() -> None:
    asked_again()
    kept = connection.connection._prepared
    assert isinstance(kept, KeptStatements) and kept.prepared_max == PREPARED_MAX
    connection.connection.prepared_max = 1
    opened(connection)
    assert connection.connection._prepared is kept and kept.prepared_max == PREPARED_MAX
