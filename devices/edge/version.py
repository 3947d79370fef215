"""Which agent this is; nothing else, so that every process may ask."""

from __future__ import annotations

AGENT_VERSION = "0.1.0"
