"""Child processes that end with us: own process group, a log file, a signal when their parent dies."""

from __future__ import annotations

import ctypes
import os
import signal
import subprocess
import time
from collections import defaultdict, deque
from collections.abc import Mapping, Sequence
from pathlib import Path
from pwd import struct_passwd

PR_SET_PDEATHSIG = 1  # prctl(2)
TERM_S = 8.0  # design value: patience with a child before SIGKILL
RESTARTS_MOST, RESTARTS_WITHIN_S = 5, 60.0  # design values: what ends more often is broken, not unlucky
_libc = ctypes.CDLL(None, use_errno=True)


class TooOften(Exception):
    """A part ends again and again: starting it once more mends nothing."""


class Restarts:
    """How often each part was started again lately."""

    def __init__(self, *, most: int = RESTARTS_MOST, within_s: float = RESTARTS_WITHIN_S) -> None:
        self.most, self.within_s = most, within_s
        self._at: defaultdict[str, deque[float]] = defaultdict(deque)

    def note(self, name: str) -> None:
        """Once more, now. TooOften beyond the limit."""
        at, now = self._at[name], time.monotonic()
        while at and at[0] < now - self.within_s:
            at.popleft()
        if len(at) >= self.most:
            raise TooOften(name)
        at.append(now)


class Child:
    """One process and its log. `quit_signal` asks it to end (PostgreSQL's fast stop is SIGINT)."""

    def __init__(
        self,
        name: str,
        argv: Sequence[str],
        *,
        log: Path,
        quit_signal: signal.Signals = signal.SIGTERM,
    ):
        self.name, self.argv, self.log, self.quit_signal = (
            name,
            list(argv),
            log,
            quit_signal,
        )
        self.process: subprocess.Popen[bytes] | None = None
        self._where: tuple[Path, Mapping[str, str], struct_passwd | None] | None = None

    def start(self, *, cwd: Path, env: Mapping[str, str], user: struct_passwd | None = None) -> None:
        self._where = (cwd, env, user)

        def die_with_parent() -> None:  # after the change of user, which would clear it
            _libc.prctl(PR_SET_PDEATHSIG, int(self.quit_signal), 0, 0, 0)

        self.log.parent.mkdir(parents=True, exist_ok=True)
        with self.log.open("ab") as log:
            self.process = subprocess.Popen(
                self.argv,
                cwd=cwd,
                env=dict(env),
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                start_new_session=True,
                user=user.pw_uid if user else None,
                group=user.pw_gid if user else None,
                extra_groups=[] if user else None,
                preexec_fn=die_with_parent,
            )

    def start_again(self) -> None:
        """The same program, after it ended."""
        assert self._where is not None and self.ended() is not None
        cwd, env, user = self._where
        self.start(cwd=cwd, env=env, user=user)

    @property
    def pid(self) -> int:
        assert self.process is not None
        return self.process.pid

    def ended(self) -> int | None:
        """The exit code, or None while it runs."""
        return self.process.poll() if self.process is not None else None

    def last_lines(self, count: int = 15) -> str:
        if not self.log.exists():
            return ""
        return "\n".join(self.log.read_text(errors="replace").splitlines()[-count:])

    def ask_to_quit(self) -> None:
        if self.process is not None and self.process.poll() is None:
            self.process.send_signal(self.quit_signal)

    def end(self, timeout_s: float = TERM_S) -> None:
        """Ask, wait, then kill its whole group: nothing of it stays."""
        if self.process is None:
            return
        self.ask_to_quit()
        try:
            self.process.wait(timeout_s)
        except subprocess.TimeoutExpired:
            pass
        self._kill_group()
        self.process.wait()

    def kill(self) -> None:
        """At once and with its whole group, as by a fault; it has no word in it."""
        self._kill_group()
        assert self.process is not None
        self.process.wait()

    def _kill_group(self) -> None:
        assert self.process is not None
        try:
            os.killpg(self.process.pid, signal.SIGKILL)
        except ProcessLookupError:
            pass
