"""One way to Valkey for code outside the sockets' loop: kept connections, short patience, one second try."""

from __future__ import annotations

from functools import cache

import redis
from django.conf import settings
from redis.backoff import NoBackoff
from redis.retry import Retry

PATIENCE_S = 1  # design value: nobody's deed waits longer for what is only news


@cache
def client() -> redis.Redis:
    """For all threads; a forked program makes connections of its own. A connection that died is opened again once."""
    return redis.Redis.from_url(
        settings.REDIS_URL,
        socket_timeout=PATIENCE_S,
        socket_connect_timeout=PATIENCE_S,
        retry=Retry(NoBackoff(), 1),
    )
