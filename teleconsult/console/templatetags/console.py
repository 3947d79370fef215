"""Template tags of the staff pages: the sentence of a key in the page's language, times as people here read them."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from django import template
from django.utils.dateparse import parse_datetime

from hospital.common.clock import SHANGHAI

from ..texts import language_of, text

register = template.Library()


@register.simple_tag(takes_context=True)
def t(context: dict[str, Any], key: str, **values: object) -> str:
    """The sentence for `key`; an unknown key raises, so that a misspelt one never reaches a person."""
    return text(key, language_of(context.get("request")), **values)


@register.simple_tag(takes_context=True)
def either(context: dict[str, Any], zh: str, en: str) -> str:
    """Of a name kept in two languages, the one of this page; the other when one is empty."""
    return (en or zh) if language_of(context.get("request")) == "en" else (zh or en)


@register.filter
def shanghai(value: datetime | str | None, form: str = "%Y-%m-%d %H:%M") -> str:
    """A moment in Asia/Shanghai; accepts the ISO text of an API body. Empty for None."""
    moment = parse_datetime(value) if isinstance(value, str) else value
    return moment.astimezone(SHANGHAI).strftime(form) if moment else ""
