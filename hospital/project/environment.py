"""What the environment must say before a program of the server starts. What is wrong is one sentence, never a value."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from urllib.parse import urlsplit

ALWAYS = ("DATABASE_URL", "REDIS_URL", "SECRET_KEY", "FIELD_KEY")
# deploy/up makes these for the embedded default; anywhere else somebody must have chosen them.
OUTSIDE = ("SIGNING_KEY", "ALLOWED_HOSTS", "BASE_URL")
TOKEN_MIN = 32  # characters; METRICS_TOKEN may be left out, but not be guessed
HELP = "start deploy/up first, set DATA_DIR to its data folder, or set them in the environment"


def hosts(environ: Mapping[str, str]) -> list[str]:
    """ALLOWED_HOSTS: names this server answers to, divided by commas."""
    return [name.strip() for name in environ.get("ALLOWED_HOSTS", "").split(",") if name.strip()]


def embedded(environ: Mapping[str, str]) -> bool:
    return environ.get("EMBEDDED") == "1"


def _needed(environ: Mapping[str, str]) -> list[str]:
    names = ALWAYS if embedded(environ) else (*ALWAYS, *OUTSIDE)
    if environ.get("AS_OWNER"):
        return ["DATABASE_OWNER_URL", *names[1:]]
    return list(names)


def _short_token(environ: Mapping[str, str]) -> str | None:
    given = environ.get("METRICS_TOKEN", "")
    return f"METRICS_TOKEN must have at least {TOKEN_MIN} characters" if 0 < len(given) < TOKEN_MIN else None


def _messages(environ: Mapping[str, str]) -> str | None:
    """MESSAGES_FILE holds secrets of carriers: what is wrong with it is said without a word of it."""
    name = environ.get("MESSAGES_FILE", "")
    if not name:
        return None
    try:
        whole = json.loads(Path(name).read_text())
    except (OSError, ValueError):
        whole = None
    return None if isinstance(whole, dict) else "MESSAGES_FILE must be a readable file with one JSON object"


def _addresses(environ: Mapping[str, str]) -> str | None:
    """Where pages carry patients' data, nobody may listen and no other name may be answered to."""
    base, allowed = urlsplit(environ["BASE_URL"]), hosts(environ)
    if base.scheme != "https":
        return "BASE_URL must begin with https://"
    if any("*" in name for name in allowed):
        return "ALLOWED_HOSTS must name each host: no *"
    if base.hostname not in allowed:
        return "ALLOWED_HOSTS must hold the host of BASE_URL"
    return None


def problem(environ: Mapping[str, str]) -> str | None:
    """None, or why no program of this server may start with such an environment."""
    missing = [name for name in _needed(environ) if not environ.get(name)]
    if missing:
        return f"{', '.join(missing)} not set: {HELP}"
    if (wrong := _short_token(environ) or _messages(environ)) is not None:
        return wrong
    return None if embedded(environ) else _addresses(environ)
