"""The tests' own PostgreSQL and Valkey: planned before Django's settings load, started by the first test that asks.

One pair of servers for a run, also with pytest-xdist: the controller makes the plan and hands it on in the
environment; the first worker that needs a database starts the servers, migrates a template database once as the
owner, and every worker works in its own clone as `hospital_app`. When DATABASE_URL, DATABASE_OWNER_URL and REDIS_URL
are set, those servers are used instead and nothing is started.
"""

from __future__ import annotations

import fcntl
import json
import os
import secrets
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit, urlunsplit

import psycopg
from psycopg import sql

from deploy.server.embedded import (
    APP,
    OWNER,
    Postgres,
    Valkey,
    free_port,
    prepare_data_dir,
)
from tests.waiting import until

ROOT = Path(__file__).resolve().parents[1]
PLAN = "TEST_SERVERS"
GIVEN = ("DATABASE_URL", "DATABASE_OWNER_URL", "REDIS_URL")


@dataclass(frozen=True)
class Plan:
    """Where this run's servers are or will be; the controller's pid ends them with the run."""

    folder: str
    app_url: str
    owner_url: str
    redis_url: str
    template: str
    controller_pid: int
    ours: bool
    socket_dir: str = ""
    valkey_port: int = 0


def _with_database(url: str, name: str) -> str:
    return urlunsplit(urlsplit(url)._replace(path=f"/{name}"))


def make_plan() -> Plan:
    """Choose passwords, socket folder and port; start nothing."""
    folder = Path(tempfile.mkdtemp(prefix="hospital-tests-"))
    prepare_data_dir(folder)
    template = f"template_{secrets.token_hex(4)}"
    if all(os.environ.get(name) for name in GIVEN):
        app, owner, redis = (os.environ[name] for name in GIVEN)
        return Plan(str(folder), app, owner, redis, template, os.getpid(), ours=False)
    postgres = Postgres(folder, durable=False)
    valkey = Valkey(folder, durable=False, port=free_port())
    return Plan(
        folder=str(folder),
        app_url=postgres.url(APP),
        owner_url=postgres.url(OWNER),
        redis_url=valkey.url(),
        template=template,
        controller_pid=os.getpid(),
        ours=True,
        socket_dir=str(postgres.socket_dir),
        valkey_port=valkey.port,
    )


class Servers:
    """One process's view: its database, its Valkey number, the start when first needed."""

    def __init__(self, plan: Plan, worker: str):
        self.plan, self.worker = plan, worker
        self.folder = Path(plan.folder)
        self.database = f"{plan.template}_{worker}"
        self.number = int(worker.removeprefix("gw") or 0) + 1 if worker.startswith("gw") else 1

    def environment(self) -> dict[str, str]:
        return {
            "DATABASE_URL": _with_database(self.plan.app_url, self.database),
            "DATABASE_OWNER_URL": _with_database(self.plan.owner_url, self.database),
            "REDIS_URL": urlunsplit(urlsplit(self.plan.redis_url)._replace(path=f"/{self.number}")),
            "DATA_DIR": str(self.folder / self.worker),
            "SECRET_KEY": "tests-only",
            "FIELD_KEY": "dGVzdHMtb25seS10ZXN0cy1vbmx5LXRlc3RzLW9ubHk=",
            "EMBEDDED": "1",
            "BASE_URL": "http://localhost:8000",
            "DJANGO_SETTINGS_MODULE": "hospital.project.settings",
        }

    @contextmanager
    def _alone(self) -> Iterator[None]:
        with (self.folder / "lock").open("w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            yield

    def start(self) -> None:
        """Start both servers if no other worker has."""
        if not self.plan.ours:
            return
        with self._alone():
            ready = self.folder / "ready"
            if not ready.exists():
                self._spawn()
                until(ready.exists, timeout_s=90, what="embedded servers")
            state = json.loads(ready.read_text())
            if "error" in state:
                raise RuntimeError(state["error"])

    def _spawn(self) -> None:
        argv = [
            sys.executable,
            "-m",
            "deploy.server.embedded",
            "serve",
            self.plan.folder,
        ]
        argv += [
            "--socket-dir",
            self.plan.socket_dir,
            "--valkey-port",
            str(self.plan.valkey_port),
        ]
        argv += ["--while-pid", str(self.plan.controller_pid)]
        with (self.folder / "servers.log").open("ab") as log:
            subprocess.Popen(argv, cwd=ROOT, stdout=log, stderr=log, start_new_session=True)

    def owner(self, database: str | None = None) -> psycopg.Connection[Any]:
        url = _with_database(self.plan.owner_url, database) if database else self.plan.owner_url
        return psycopg.connect(url, autocommit=True)

    def make_database(self) -> None:
        """This worker's database: a clone of the template, which the first one migrates."""
        self.start()
        with self._alone():
            done = self.folder / "template-ready"
            if not done.exists():
                self._make_template()
                done.touch()
            with self.owner() as connection:
                statement = sql.SQL("CREATE DATABASE {} TEMPLATE {}")
                connection.execute(
                    statement.format(
                        sql.Identifier(self.database),
                        sql.Identifier(self.plan.template),
                    )
                )

    def _make_template(self) -> None:
        with self.owner() as connection:
            connection.execute(sql.SQL("CREATE DATABASE {}").format(sql.Identifier(self.plan.template)))
        environment = os.environ | self.environment()
        environment["DATABASE_OWNER_URL"] = _with_database(self.plan.owner_url, self.plan.template)
        role = urlsplit(self.plan.app_url).username or APP
        for command in (["migrate", "--verbosity", "0"], ["grant_app_role", role]):
            done = subprocess.run(
                [sys.executable, str(ROOT / "manage.py"), *command],
                env=environment,
                capture_output=True,
                text=True,
            )
            if done.returncode:
                raise RuntimeError(f"manage.py {command[0]} failed:\n{done.stdout}{done.stderr}")
        with self.owner(self.plan.template) as connection:  # `empty_tables` could not empty the log otherwise
            for table in ("entry", "seal", "checkpoint"):
                connection.execute(f"ALTER TABLE audit_audit{table} DISABLE TRIGGER audit_no_truncate")

    def empty_tables(self) -> None:
        """What Django's flush would do, which the application's role may not."""
        with self.owner(self.database) as connection:
            rows = connection.execute(
                "SELECT tablename FROM pg_tables WHERE schemaname = 'public'"
            ).fetchall()
            names = sorted({name for (name,) in rows} - {"django_migrations", "django_content_type"})
            tables = sql.SQL(", ").join(map(sql.Identifier, names))
            connection.execute(sql.SQL("TRUNCATE {} RESTART IDENTITY").format(tables))

    def finish(self) -> None:
        """The controller's last act: servers down, or the databases we made on given servers dropped."""
        if self.plan.ours:
            self._end_servers()
        elif (self.folder / "template-ready").exists():
            self._drop_databases()
        shutil.rmtree(self.folder, ignore_errors=True)
        if self.plan.socket_dir:
            shutil.rmtree(self.plan.socket_dir, ignore_errors=True)

    def _end_servers(self) -> None:
        ready = self.folder / "ready"
        pid = json.loads(ready.read_text()).get("pid") if ready.exists() else None
        if pid is None:
            return
        try:
            os.kill(pid, 15)
        except ProcessLookupError:
            return
        until(lambda: not _alive(pid), timeout_s=30, what="the embedded servers' end")

    def _drop_databases(self) -> None:
        with self.owner() as connection:
            rows = connection.execute(
                "SELECT datname FROM pg_database WHERE starts_with(datname, %s)",
                [self.plan.template],
            )
            for (name,) in rows.fetchall():
                connection.execute(sql.SQL("DROP DATABASE {} WITH (FORCE)").format(sql.Identifier(name)))


def _alive(pid: int) -> bool:
    """A child that ended but was not waited for counts as gone."""
    try:
        os.waitpid(pid, os.WNOHANG)
    except ChildProcessError:
        pass
    return Path(f"/proc/{pid}").exists()


def load() -> Servers:
    """Make or take over the plan and let Django read its settings with this worker's addresses.

    The environment is put back afterwards: a worker, or an installation that a test starts, must not inherit them.
    """
    if PLAN not in os.environ:
        os.environ[PLAN] = json.dumps(asdict(make_plan()))
    servers = Servers(
        Plan(**json.loads(os.environ[PLAN])),
        os.environ.get("PYTEST_XDIST_WORKER", "main"),
    )
    (servers.folder / servers.worker / "static").mkdir(parents=True, exist_ok=True)
    before = dict(os.environ)
    os.environ.update(servers.environment())
    from django.conf import settings

    assert settings.DATABASES["default"]["NAME"] == servers.database
    os.environ.clear()
    os.environ.update(before)
    os.environ["DATABASE_OWNER_URL"] = servers.environment()["DATABASE_OWNER_URL"]
    return servers
