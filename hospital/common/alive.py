"""A sign of life of each program that has no address to ask: written by its work, forgotten by itself."""

from __future__ import annotations

import time

import redis

from .valkey import client

FORGET_S = 600
_PREFIX = "alive:"


def alive(name: str) -> None:
    """Note that `name` worked just now. Never raises: a sign that is missing is seen by who looks."""
    try:
        client().set(_PREFIX + name, f"{time.time():.3f}", ex=FORGET_S)
    except redis.RedisError:
        return


def ages(*names: str) -> dict[str, float | None]:
    """Seconds since each gave a sign; None when it gave none in ten minutes. redis.RedisError when unreachable."""
    found = client().mget([_PREFIX + name for name in names])
    moment = time.time()
    return {
        name: max(0.0, moment - float(value)) if value is not None else None
        for name, value in zip(names, found, strict=True)
    }
