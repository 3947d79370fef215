"""The whole server, sockets included, inside a test: uvicorn in a thread beside the test's own database."""

from __future__ import annotations

import socket
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from typing import Any

import uvicorn
from django.db import connections

from hospital.project.asgi import application
from tests.waiting import until


@contextmanager
def served() -> Iterator[str]:
    """Its address, of a free port of this machine. Only for tests whose rows are committed (`transaction=True`)."""
    with socket.socket() as listening:
        listening.bind(("127.0.0.1", 0))
        config = uvicorn.Config(application, log_level="error", lifespan="off", timeout_graceful_shutdown=1)
        server = uvicorn.Server(config)
        thread = threading.Thread(target=server.run, kwargs={"sockets": [listening]}, daemon=True)
        thread.start()
        try:
            until(lambda: server.started, timeout_s=20, what="uvicorn listening")
            yield f"http://localhost:{listening.getsockname()[1]}"
        finally:
            server.should_exit = True
            thread.join(timeout=15)


@contextmanager
def beside_browser() -> Iterator[Callable[..., Any]]:
    """`beside(f, ...)` runs `f` in a thread of its own: Playwright's thread may not ask the database."""
    with ThreadPoolExecutor(1) as thread:
        yield lambda deed, *args, **named: thread.submit(deed, *args, **named).result(30)
        thread.submit(connections.close_all).result(30)
