"""Sizes a reader can hold, and words that must not be in any file."""

from __future__ import annotations

import ast
import re
from pathlib import Path

import pytest

from .files import ROOT, our_files

FILE_LINES_N = 500  # design value; the aim is 150
FUNCTION_LINES_N = 60  # design value; the aim is 10
# Written in halves, so that this file does not hold what it forbids.
REGISTRIES = ["py" + "pi.org", "python" + "hosted.org", "npm" + "js.", "un" + "pkg.com", "jsdelivr" + ".net"]
LEFT_OVER = ["TO" + "DO", "FIX" + "ME", "/wo" + "rk/"]
FORBIDDEN = re.compile("|".join(re.escape(word) for word in REGISTRIES + LEFT_OVER))
ADDRESS = re.compile(r"https?://([A-Za-z0-9.-]+)")
# Names in markup, not addresses that a browser would fetch.
NAMESPACES = frozenset({"www.w3.org", "localhost", "127.0.0.1"})


def _name(path: Path) -> str:
    return str(path.relative_to(ROOT))


def _long_functions(source: str) -> list[str]:
    """Functions with more lines than a reader can hold."""
    return [
        f"{node.name} ({node.end_lineno - node.lineno + 1} lines)"
        for node in ast.walk(ast.parse(source))
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
        and node.end_lineno is not None
        and node.end_lineno - node.lineno >= FUNCTION_LINES_N
    ]


def test_no_file_is_too_long() -> None:
    lengths = {_name(path): len(path.read_text().splitlines()) for path in our_files(".py", ".js", ".html")}
    assert {name: n for name, n in lengths.items() if n > FILE_LINES_N} == {}


def test_no_function_is_too_long() -> None:
    found = {_name(path): _long_functions(path.read_text()) for path in our_files(".py")}
    assert {name: long for name, long in found.items() if long} == {}


@pytest.mark.parametrize(("lines", "seen"), [(FUNCTION_LINES_N, 0), (FUNCTION_LINES_N + 1, 1)])
def test_a_long_function_would_be_seen(lines: int, seen: int) -> None:
    assert len(_long_functions("def f():\n" + "    pass\n" * (lines - 1))) == seen


def test_no_file_holds_a_registry_an_open_end_or_a_path_of_one_machine() -> None:
    found = {
        _name(path): sorted(set(FORBIDDEN.findall(path.read_text(errors="replace")))) for path in our_files()
    }
    assert {name: words for name, words in found.items() if words} == {}


def test_a_forbidden_word_would_be_seen() -> None:
    for word in REGISTRIES + LEFT_OVER:
        assert FORBIDDEN.search(f"see {word} there")


def test_pages_fetch_nothing_from_outside_the_machine() -> None:
    pages = [path for path in our_files(".html", ".js", ".css", ".svg") if "tests" not in path.parts]
    assert pages
    found = {_name(path): set(ADDRESS.findall(path.read_text())) - NAMESPACES for path in pages}
    assert {name: hosts for name, hosts in found.items() if hosts} == {}


def test_every_package_has_its_marker() -> None:
    """A folder without __init__.py is invisible to the import rules."""
    bare = {_name(path.parent) for path in our_files(".py") if path.parent != ROOT}
    bare = {name for name in bare if not (ROOT / name / "__init__.py").exists()}
    assert bare == set()


def test_the_devices_package_is_empty() -> None:
    """The robot's wheel holds it, and must not hold the server by its way."""
    assert (ROOT / "devices/__init__.py").read_text() == ""
