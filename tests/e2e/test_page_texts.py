"""The words of the pages: both languages complete, no page or script asks for a word nobody wrote."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from teleconsult.console.texts import TEXTS, text

CONSOLE = Path(__file__).resolve().parents[2] / "teleconsult/console"
TEMPLATES = sorted((CONSOLE / "templates").rglob("*.html"))
SCRIPTS = sorted((CONSOLE / "static").rglob("*.js"))
PLACES = re.compile(r"\{(\w+)\}")
CJK = re.compile(r"[\u3400-\u9fff]")
# English sentences that rightly hold Chinese: the language toggle and an example of a name.
CHINESE_IN_ENGLISH = {"language.other", "find.hint"}
STOP_BUTTON = "停"  # the bedside's stop bears this one character in both languages
EMPTY_ON_PURPOSE = {"live.cause.none"}  # nothing stopped it: nothing to say


def test_every_text_has_both_languages_with_the_same_places() -> None:
    empty = {key for key, (zh, en) in TEXTS.items() if not (zh.strip() and en.strip())}
    uneven = {
        key for key, (zh, en) in TEXTS.items() if sorted(PLACES.findall(zh)) != sorted(PLACES.findall(en))
    }
    assert empty == EMPTY_ON_PURPOSE
    assert not uneven


def test_english_texts_hold_no_chinese() -> None:
    mixed = {key for key, (_, en) in TEXTS.items() if CJK.search(en.replace(STOP_BUTTON, ""))}
    assert mixed == CHINESE_IN_ENGLISH


@pytest.mark.parametrize("path", TEMPLATES, ids=lambda path: path.name)
def test_templates_use_only_known_keys(path: Path) -> None:
    used = set(re.findall(r"""{%\s*t\s+["']([^"']+)["']""", path.read_text()))
    assert used <= TEXTS.keys(), used - TEXTS.keys()


@pytest.mark.parametrize("path", TEMPLATES, ids=lambda path: path.name)
def test_templates_hold_no_words_of_their_own(path: Path) -> None:
    assert not CJK.search(path.read_text())


@pytest.mark.parametrize("path", TEMPLATES, ids=lambda path: path.name)
def test_templates_hold_no_inline_script_style_or_foreign_address(path: Path) -> None:
    """The content security policy would silently drop them."""
    source = path.read_text()
    assert not re.search(r"<style|\sstyle=|\son[a-z]+=", source)
    assert not re.search(r"""(src|href)=["']?(https?:)?//""", source)
    assert all("src=" in tag for tag in re.findall(r"<script[^>]*>", source))


def _static_keys(source: str) -> set[str]:
    return set(re.findall(r"""\bt\(\s*"([^"]+)"\s*[,)]""", source))


def _prefixes(source: str) -> set[str]:
    return {found for found in re.findall(r"\bt\(`([^`$]+)\$\{", source) if found}


@pytest.mark.parametrize("path", SCRIPTS, ids=lambda path: path.name)
def test_scripts_use_only_known_keys(path: Path) -> None:
    source = path.read_text()
    assert _static_keys(source) <= TEXTS.keys(), _static_keys(source) - TEXTS.keys()
    orphans = {prefix for prefix in _prefixes(source) if not any(key.startswith(prefix) for key in TEXTS)}
    assert not orphans


@pytest.mark.parametrize("path", SCRIPTS, ids=lambda path: path.name)
def test_scripts_hold_no_words_of_their_own(path: Path) -> None:
    code = re.sub(r"//.*", "", path.read_text())
    code = re.sub(r"\[-./[年月]\]|日\?", "", code)  # the date reader accepts 1950年3月15日
    assert not CJK.search(code.replace("、", ""))


def test_the_scan_finds_keys_at_all() -> None:
    """Guards the two scans above against a change of style that would blind them."""
    assert "book.submit" in _static_keys((CONSOLE / "static/console/desk_book.js").read_text())
    assert "state." in _prefixes((CONSOLE / "static/console/exams.js").read_text())


def test_every_way_to_lose_control_has_words() -> None:
    root = CONSOLE.parents[1]
    sources = [*(root / "teleconsult").rglob("*.py"), root / "devices/fleet/services.py"]
    given = re.compile(r"""lease_release\([^)]*code="(\w+)"|_end\(\w+, "(\w+)" if \w+ else "(\w+)"\)""")
    codes = {code for path in sources for found in given.findall(path.read_text()) for code in found if code}
    assert {"exam_over", "expired"} <= codes
    assert {code for code in codes if f"live.lease.why.{code}" not in TEXTS} == set()


def test_a_misspelt_key_raises() -> None:
    with pytest.raises(KeyError):
        text("sign_inn", "zh")
