"""The database owner's connection, for what the application's role may not do."""

from __future__ import annotations

import os
from typing import Any
from urllib.parse import urlsplit, urlunsplit

import psycopg
from django.db import connection


def as_owner(statement: str) -> list[tuple[Any, ...]]:
    """Run one statement as the owner in the test database; its rows, if any."""
    parts = urlsplit(os.environ["DATABASE_OWNER_URL"])
    url = urlunsplit(parts._replace(path="/" + str(connection.settings_dict["NAME"])))
    with psycopg.connect(url, autocommit=True) as owner:
        cursor = owner.execute(statement)
        return cursor.fetchall() if cursor.description else []
