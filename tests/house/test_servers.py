"""The servers under every test: roles, separation and cleaning up."""

from __future__ import annotations

import psycopg
import pytest
from django.conf import settings
from django.db import connection, transaction
from django.db.utils import ProgrammingError

from tests.servers import Servers


@pytest.mark.django_db
def test_the_application_may_not_change_tables() -> None:
    with connection.cursor() as cursor:
        cursor.execute("SELECT current_user")
        assert cursor.fetchone() == ("hospital_app",)
        with (
            pytest.raises(ProgrammingError, match="permission denied"),
            transaction.atomic(),
        ):
            cursor.execute("CREATE TABLE forbidden (i int)")
        with (
            pytest.raises(ProgrammingError, match="must be owner"),
            transaction.atomic(),
        ):
            cursor.execute("ALTER TABLE django_session ADD COLUMN forbidden int")


@pytest.mark.django_db
def test_the_application_may_not_change_the_audit_log() -> None:
    with connection.cursor() as cursor:
        for statement in (
            "UPDATE audit_auditentry SET action = ''",
            "DELETE FROM audit_auditentry",
        ):
            with (
                pytest.raises(ProgrammingError, match="permission denied"),
                transaction.atomic(),
            ):
                cursor.execute(statement)


@pytest.mark.parametrize("which", ["first", "second"])
@pytest.mark.django_db(transaction=True)
def test_committed_rows_are_gone_in_the_next_test(which: str) -> None:
    with connection.cursor() as cursor:
        cursor.execute("SELECT count(*) FROM django_session")
        assert cursor.fetchone() == (0,)
        cursor.execute("INSERT INTO django_session VALUES (%s, '', now())", [which])


def test_a_wrong_password_is_refused_on_the_local_socket(servers: Servers) -> None:
    if not servers.plan.ours:
        pytest.skip("a given server has its own rules")
    for user in ("postgres", "hospital_owner", "hospital_app"):
        with pytest.raises(psycopg.OperationalError, match="password authentication failed"):
            psycopg.connect(f"postgresql://{user}:wrong@/postgres?host={servers.plan.socket_dir}")


def test_each_worker_has_its_own_database_and_valkey_number(servers: Servers) -> None:
    other = Servers(servers.plan, "gw7").environment()
    assert settings.DATABASES["default"]["NAME"] == servers.database
    assert other["DATABASE_URL"] != servers.environment()["DATABASE_URL"]
    assert other["REDIS_URL"] != settings.REDIS_URL
