"""The same web server with the log's writing taken out: the other side of `deploy/bench audit`, and nowhere else."""

from __future__ import annotations

from typing import Any

from hospital.audit import services
from hospital.project.asgi import application as application


def _nothing(values: tuple[Any, ...]) -> None:
    """Where the row would be written."""


services._write = services._write_urgent = _nothing
