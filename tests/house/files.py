"""What the house tests read: our own files, nothing that was built or installed."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
FOLDERS = ("hospital", "teleconsult", "devices", "deploy", "tests", ".ci")
SKIPPED = frozenset(
    {"__pycache__", "staticfiles", ".ruff_cache", ".mypy_cache", "build", "dist", "migrations"}
)
TEXT = frozenset({".py", ".js", ".css", ".html", ".svg", ".md", ".toml", ".lock", ".json", ".sh", ""})


def our_files(*suffixes: str) -> Iterator[Path]:
    """Every file of ours with one of the suffixes (all text files when none is given)."""
    wanted = frozenset(suffixes) or TEXT
    for top in (ROOT / name for name in FOLDERS):
        for path in top.rglob("*"):
            if path.is_file() and path.suffix in wanted and not SKIPPED.intersection(path.parts):
                yield path
    yield from (path for path in ROOT.iterdir() if path.is_file() and path.suffix in wanted)
