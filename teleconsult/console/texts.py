"""Every sentence of the staff pages: key -> (Chinese, English). Templates and scripts use the same table."""

from __future__ import annotations

import functools
from typing import Any

from .texts_admin import TEXTS_ADMIN
from .texts_board import TEXTS_BOARD
from .texts_calendars import TEXTS_CALENDARS
from .texts_common import TEXTS_COMMON
from .texts_desk import TEXTS_DESK
from .texts_figures import TEXTS_FIGURES
from .texts_identity import TEXTS_IDENTITY
from .texts_keeping import TEXTS_KEEPING
from .texts_live import TEXTS_LIVE
from .texts_papers import TEXTS_PAPERS
from .texts_queue import TEXTS_QUEUE
from .texts_report import TEXTS_REPORT
from .texts_requests import TEXTS_REQUESTS
from .texts_tablet import TEXTS_TABLET
from .texts_trust import TEXTS_TRUST
from .texts_turnover import TEXTS_TURNOVER

LANGUAGES = ("zh", "en")
_PARTS = (
    TEXTS_COMMON,
    TEXTS_DESK,
    TEXTS_BOARD,
    TEXTS_FIGURES,
    TEXTS_REQUESTS,
    TEXTS_QUEUE,
    TEXTS_IDENTITY,
    TEXTS_KEEPING,
    TEXTS_REPORT,
    TEXTS_LIVE,
    TEXTS_PAPERS,
    TEXTS_ADMIN,
    TEXTS_TRUST,
    TEXTS_TABLET,
    TEXTS_TURNOVER,
    TEXTS_CALENDARS,
)


def _merged() -> dict[str, tuple[str, str]]:
    table: dict[str, tuple[str, str]] = {}
    for part in _PARTS:
        twice = table.keys() & part.keys()
        if twice:
            raise RuntimeError(f"texts defined twice: {sorted(twice)}")
        table.update(part)
    return table


TEXTS = _merged()


def language_of(request: Any) -> str:
    """English when the cookie `lang` says "en", else Chinese."""
    cookies = getattr(request, "COOKIES", {})
    return "en" if cookies.get("lang") == "en" else "zh"


def text(key: str, language: str, **values: object) -> str:
    """The sentence, with `{name}` places filled. KeyError on a key nobody wrote."""
    sentence = TEXTS[key][LANGUAGES.index(language)]
    return sentence.format(**values) if values else sentence


@functools.cache
def texts_in(language: str) -> dict[str, str]:
    """The whole table in one language, for the page's scripts."""
    place = LANGUAGES.index(language)
    return {key: pair[place] for key, pair in TEXTS.items()}
