"""The settings for mypy's Django plugin: read by it, never used to run anything."""

from __future__ import annotations

import os

for _name in ("DATABASE_URL", "DATABASE_OWNER_URL", "REDIS_URL", "SECRET_KEY"):
    os.environ.setdefault(_name, "for-types-only")
os.environ.setdefault("FIELD_KEY", "dHlwZXMtb25seS10eXBlcy1vbmx5LXR5cGVzLW9ubHk=")
os.environ.setdefault("EMBEDDED", "1")

from hospital.project.settings import *  # noqa: E402, F403
