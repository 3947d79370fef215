"""Wait for a condition, never for a time: the only way a test waits for a result."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Coroutine
from inspect import isawaitable
from typing import Any, TypeVar, overload

T = TypeVar("T")


def until(condition: Callable[[], T], *, timeout_s: float = 10.0, every_s: float = 0.02, what: str = "") -> T:
    """Return the first truthy value of `condition`; AssertionError after `timeout_s` seconds."""
    deadline = time.monotonic() + timeout_s
    while True:
        value = condition()
        if value:
            return value
        if time.monotonic() > deadline:
            raise AssertionError(f"not within {timeout_s} s: {what or condition}")
        time.sleep(every_s)


@overload
async def auntil(
    condition: Callable[[], Coroutine[Any, Any, T]],
    *,
    timeout_s: float = ...,
    every_s: float = ...,
    what: str = ...,
) -> T: ...
@overload
async def auntil(
    condition: Callable[[], T], *, timeout_s: float = ..., every_s: float = ..., what: str = ...
) -> T: ...
async def auntil(
    condition: Callable[[], Any],
    *,
    timeout_s: float = 10.0,
    every_s: float = 0.02,
    what: str = "",
) -> Any:
    """`until` for asyncio; the condition may be a coroutine function."""
    deadline = time.monotonic() + timeout_s
    while True:
        found = condition()
        value = await found if isawaitable(found) else found
        if value:
            return value
        if time.monotonic() > deadline:
            raise AssertionError(f"not within {timeout_s} s: {what or condition}")
        await asyncio.sleep(every_s)
