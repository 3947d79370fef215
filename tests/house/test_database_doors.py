"""The embedded PostgreSQL trusts nobody: not the machine, not the socket, not an older installation's file."""

from __future__ import annotations

from pathlib import Path
from urllib.parse import urlsplit, urlunsplit

import psycopg
import pytest

from deploy.server.embedded import HBA, Postgres
from tests.servers import Servers


def _as(servers: Servers, role: str, password: str) -> str:
    parts = urlsplit(servers.plan.app_url)
    name = f"{role}:{password}@" if password else f"{role}@"
    return urlunsplit(parts._replace(netloc=name, path="/postgres"))


@pytest.mark.parametrize("role", ["postgres", "hospital_owner", "hospital_app"])
@pytest.mark.parametrize("password", ["", "wrong"])
def test_no_role_is_let_in_without_its_password(
    servers: Servers, role: str, password: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    if not servers.plan.ours:
        pytest.skip("the servers were given")
    monkeypatch.delenv("PGPASSWORD", raising=False)
    with pytest.raises(psycopg.OperationalError, match="password"):
        psycopg.connect(_as(servers, role, password), connect_timeout=5)


def test_passwords_are_stored_as_scram_and_the_network_is_closed(servers: Servers) -> None:
    if not servers.plan.ours:
        pytest.skip("the servers were given")
    with servers.owner() as owner:
        row = owner.execute(
            "SELECT current_setting('password_encryption'), current_setting('listen_addresses')"
        )
        assert row.fetchone() == ("scram-sha-256", "")


def test_a_trusting_file_of_before_is_replaced_at_the_next_start(tmp_path: Path) -> None:
    postgres = Postgres(tmp_path, durable=False, socket_dir=tmp_path)
    postgres.folder.mkdir()
    (postgres.folder / "pg_hba.conf").write_text("local all all trust\nhost all all 127.0.0.1/32 trust\n")
    postgres._close_doors()
    assert (postgres.folder / "pg_hba.conf").read_text() == HBA
