"""What a check prints: one line a step, and how many held."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager


class CheckFailed(Exception):
    """A step did not hold, and what follows needs it: the walk ends here."""


class Report:
    """`ok N what` or `FAILED N what: why`."""

    def __init__(self, say: Callable[[str], None]) -> None:
        self._say = say
        self.verified_n = self.failed_n = 0

    def ok(self, what: str) -> None:
        self.verified_n += 1
        self._say(f"ok {self.verified_n + self.failed_n} {what}")

    def failed(self, what: str, why: str) -> None:
        self.failed_n += 1
        self._say(f"FAILED {self.verified_n + self.failed_n} {what}: {why}")

    @contextmanager
    def step(self, what: str) -> Iterator[None]:
        """One step; an error in it is its failure and ends the walk."""
        try:
            yield
        except CheckFailed:
            raise
        except Exception as error:
            self.failed(what, f"{type(error).__name__}: {error}")
            raise CheckFailed(what) from error
        self.ok(what)
