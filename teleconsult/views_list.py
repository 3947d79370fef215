"""The standard views of an exam: which have a picture, which a reason why not, which neither. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any


def codes(views: Iterable[Any]) -> list[str]:
    """Codes of an exam type's views; an old row may be a plain word."""
    return [str(view.get("code", "")) if isinstance(view, dict) else str(view) for view in views]


def unaccounted(views: Iterable[Any], *, pictured: Iterable[str], reasons: Iterable[str]) -> list[str]:
    """Views with neither a kept picture nor a reason, in the order of the list: they keep a report from its signature."""
    done = set(pictured) | set(reasons)
    return [code for code in codes(views) if code and code not in done]


def missing(
    views: Iterable[Any], *, pictured: Iterable[str], reasons: Mapping[str, Mapping[str, str]]
) -> list[dict[str, str]]:
    """`[{view, name_zh, name_en, reason, text}]` of views without a picture. A picture that came later wins."""
    seen, named = set(pictured), {str(view["code"]): view for view in views if isinstance(view, dict)}
    return [
        {
            "view": code,
            "name_zh": str(named.get(code, {}).get("name_zh") or code),
            "name_en": str(named.get(code, {}).get("name_en") or named.get(code, {}).get("name_zh") or code),
            "reason": reasons[code]["reason"],
            "text": reasons[code]["text"],
        }
        for code in codes(views)
        if code in reasons and code not in seen
    ]
