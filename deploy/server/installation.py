"""The whole house on one machine: servers, migrations, demo data, web, worker, beat and a simulated robot."""

from __future__ import annotations

import fcntl
import json
import os
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Any
from urllib.parse import urlsplit

from .children import Child, Restarts, TooOften
from .embedded import APP, OWNER, EmbeddedError, Postgres, Valkey, prepare_data_dir
from .secrets import secrets_of, write_private

ROOT = Path(__file__).resolve().parents[2]
READY_S = 60.0  # design value
PICTURES_S = 90.0  # building the phantom takes 3 s, on a busy machine 20
URLS = ("DATABASE_URL", "DATABASE_OWNER_URL", "REDIS_URL")
NOT_INHERITED = {"AS_OWNER", "DJANGO_SETTINGS_MODULE", "PROCESS", "TEST_SERVERS", *URLS}
UVICORN = "--host 127.0.0.1 --ws-max-size 65536 --ws-ping-interval 2 --ws-ping-timeout 5 --no-access-log"


class CannotStart(Exception):
    """The terminal's person must change something first (exit 2). One sentence."""


class Broken(Exception):
    """A part did not start or ended (exit 1); the text holds its last log lines."""


def _why_ended(child: Child, code: int) -> str:
    return f"{child.name} ended (status {code}). Its last lines:\n{child.last_lines()}"


def _silent(line: str) -> None:
    """Say nothing."""


class Installation:
    """`start()` brings everything up or raises; `stop()` leaves no process. `say` gets one line a step."""

    def __init__(
        self,
        data_dir: Path,
        port: int,
        robot: bool = True,
        *,
        say: Callable[[str], None] = _silent,
        image_source: str = "phantom",
    ) -> None:
        self.data_dir, self.port, self.robot, self.say = (
            data_dir.resolve(),
            port,
            robot,
            say,
        )
        self.image_source = image_source
        self.base_url = f"http://localhost:{port}"
        self.env: dict[str, str] = {}
        self.up: dict[str, Any] = {}
        self.children: list[Child] = []
        self.postgres: Postgres | None = None
        self.valkey: Valkey | None = None
        self._lock: IO[str] | None = None
        self._restarts = Restarts()

    def start(self) -> None:
        self._claim()
        try:
            with self._step("servers"):
                self._servers()
            self._write_env()
            role = urlsplit(self.env["DATABASE_URL"]).username or APP
            for name, arguments in (
                ("migrations", ["migrate", "-v", "0"]),
                ("rights", ["grant_app_role", role]),
            ):
                with self._step(name):
                    self.manage(*arguments)
            with self._step("demo data"):
                self.up = json.loads(self.manage("demo"))
            self._write_up()  # before /readyz can be 200: scripts read it then
            with self._step("web, worker, beat"):
                self._processes()
            if self.robot:
                self.robot_on()
        except BaseException:
            self.stop()
            raise

    def robot_on(self) -> None:
        """Start the simulated robot; returns when it has pictures, or has said why not."""
        with self._step("simulated robot"):
            self._robot()

    def robot_off(self) -> None:
        """End the simulated robot, as by its switch; everything else goes on."""
        for child in [child for child in self.children if child.name == "robot"]:
            child.end()
            self.children.remove(child)

    def stop(self) -> None:
        for child in self.children:
            child.ask_to_quit()
        for child in self.children:
            child.end()
        self.children = []
        (self.data_dir / "up.json").unlink(missing_ok=True)
        if self.valkey is not None:
            self.valkey.stop()
        if self.postgres is not None:
            self.postgres.stop()
        if self._lock is not None:
            self._lock.close()
            self._lock = None

    def manage(self, *arguments: str) -> str:
        """Output of a management command in this installation. Raises Broken with its last lines."""
        argv = [sys.executable, str(ROOT / "manage.py"), *arguments]
        done = subprocess.run(argv, env=self.env, cwd=ROOT, capture_output=True, text=True)
        if done.returncode:
            raise Broken(f"manage.py {arguments[0]} failed:\n{(done.stdout + done.stderr)[-3000:]}")
        return done.stdout

    def _parts(self) -> list[tuple[Child, Callable[[], None]]]:
        """Every program of the house, and how it is started again; first what the others need."""
        servers = [one for one in (self.postgres, self.valkey) if one is not None]
        return [
            *((one.child, one.start) for one in servers if one.child is not None),
            *((child, child.start_again) for child in self.children),
        ]

    def check_children(self) -> None:
        """Raises Broken when a part has ended."""
        for child, _ in self._parts():
            code = child.ended()
            if code is not None:
                raise Broken(_why_ended(child, code))

    def tend(self) -> int:
        """Start again what has ended by itself; how many did. Broken for one that ends again and again.

        For the thread that called `start`: the programs die with it.
        """
        found = 0
        for child, again in self._parts():
            code = child.ended()
            if code is None:
                continue
            why = _why_ended(child, code)
            try:
                self._restarts.note(child.name)
                again()
            except (TooOften, EmbeddedError) as error:
                raise Broken(why) from error
            self.say(f"{child.name} ended (status {code}) and was started again; see {child.log}")
            found += 1
        return found

    def _claim(self) -> None:
        """Folder and port are ours, or CannotStart."""
        prepare_data_dir(self.data_dir)
        (self.data_dir / "static").mkdir(exist_ok=True)
        self._lock = (self.data_dir / "up.lock").open("w")
        try:
            fcntl.flock(self._lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            self._lock.close()
            self._lock = None
            raise CannotStart(
                f"another deploy/up is running on {self.data_dir}: end it or use --data-dir."
            ) from None
        with socket.socket() as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                probe.bind(("127.0.0.1", self.port))
            except OSError:
                self._lock.close()
                raise CannotStart(f"port {self.port} is taken: use --port with another number.") from None

    @contextmanager
    def _step(self, name: str) -> Iterator[None]:
        began = time.monotonic()
        yield
        self.say(f"  {name:<20} {time.monotonic() - began:5.1f} s")

    def _servers(self) -> None:
        given = [os.environ.get(name, "") for name in URLS]
        if all(given):
            urls = dict(zip(URLS, given, strict=True))
        else:
            self.postgres, self.valkey = Postgres(self.data_dir), Valkey(self.data_dir)
            self.valkey.start()
            self.postgres.start()
            urls = dict(
                zip(
                    URLS,
                    (
                        self.postgres.url(APP),
                        self.postgres.url(OWNER),
                        self.valkey.url(),
                    ),
                    strict=True,
                )
            )
        self.env = {name: value for name, value in os.environ.items() if name not in NOT_INHERITED} | urls

    def _write_env(self) -> None:
        secrets = secrets_of(self.data_dir)
        ours = {name: self.env[name] for name in URLS}
        ours |= {
            "SECRET_KEY": secrets["SECRET_KEY"],
            "FIELD_KEY": secrets["FIELD_KEY"],
            "EMBEDDED": "1",
        }
        ours |= {"BASE_URL": self.base_url, "DATA_DIR": str(self.data_dir)}
        self.env |= ours
        write_private(self.data_dir / "env.json", ours)

    def _child(self, name: str, *arguments: str, **extra: str) -> Child:
        child = Child(
            name,
            [sys.executable, "-m", *arguments],
            log=self.data_dir / "log" / f"{name}.log",
        )
        child.start(cwd=ROOT, env=self.env | {"PYTHONUNBUFFERED": "1"} | extra)
        self.children.append(child)
        return child

    def _processes(self) -> None:
        uvicorn = [
            "uvicorn",
            "hospital.project.asgi:application",
            "--port",
            str(self.port),
            *UVICORN.split(),
        ]
        self._child("web", *uvicorn, "--timeout-graceful-shutdown", "3", PROCESS="web")
        celery = ["celery", "-A", "hospital.project.celery", "--quiet"]
        self._child(
            "worker",
            *celery,
            "worker",
            "-c",
            "2",
            "--loglevel",
            "INFO",
            "--without-mingle",
            PROCESS="worker",
        )
        schedule = self.data_dir / "beat-schedule"
        self._child("beat", *celery, "beat", "--schedule", str(schedule), "--pidfile=")
        self._until_ready()

    def _until_ready(self) -> None:
        deadline = time.monotonic() + READY_S
        while True:
            self.check_children()
            problem = self._not_ready()
            if problem is None:
                return
            if time.monotonic() > deadline:
                raise Broken(f"/readyz is not 200 after {READY_S:.0f} s: {problem}")
            time.sleep(0.1)

    def _not_ready(self) -> str | None:
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{self.port}/readyz", timeout=5) as answer:
                return None if answer.status == 200 else str(answer.status)
        except urllib.error.HTTPError as error:
            return error.read().decode(errors="replace")[:500]
        except OSError as error:
            return str(error)

    def _robot(self) -> None:
        folder = self.data_dir / "edge"
        folder.mkdir(mode=0o700, exist_ok=True)
        lines = [
            f"server_url = {json.dumps(self.base_url)}",
            f"data_dir = {json.dumps(str(folder))}",
        ]
        if not (folder / "identity.json").exists():
            code = self.manage("pair_robot", "--robot", self.up["robot"]["id"]).split()[-1]
            lines.append(f"pairing_code = {json.dumps(code)}")
        config = folder / "edge.toml"
        config.touch(0o600)
        lines += ['driver = "sim"', f"image_source = {json.dumps(self.image_source)}"]
        config.write_text("\n".join([*lines, ""]))
        self._child("robot", "devices.edge", "run", "--config", str(config))
        self._until_pictures()

    def _until_pictures(self) -> None:
        """A robot without pictures fails its self-test: say started when it can be used, or why it can't."""
        deadline = time.monotonic() + PICTURES_S
        paired = self.data_dir / "edge" / "identity.json"
        while notes := self._notes() or ([] if paired.exists() else ["not paired yet"]):
            self.check_children()
            if time.monotonic() > deadline:
                self.say(f"  the robot is not ready: {'; '.join(notes)}")
                return
            time.sleep(0.2)

    def _notes(self) -> list[str]:
        """What /readyz wants an administrator to know."""
        with urllib.request.urlopen(f"http://127.0.0.1:{self.port}/readyz", timeout=5) as answer:
            notes: list[str] = json.load(answer)["notes"]
            return notes

    def _write_up(self) -> None:
        self.up = {"base_url": self.base_url} | self.up
        write_private(self.data_dir / "up.json", self.up)
