"""JSON as this server takes it: UTF-8, no NaN, bounded depth, texts that a database can hold."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from typing import IO, Any, NoReturn

from rest_framework.exceptions import ParseError
from rest_framework.parsers import BaseParser

from .errors import Invalid

DEPTH_MAX = 20  # design value: the deepest body of this API has 4
_SURROGATES = range(0xD800, 0xE000)


def _no_constant(name: str) -> NoReturn:
    raise ValueError(f"{name} is not JSON")


def _whole(text: str) -> bool:
    """Neither NUL nor half a character: PostgreSQL keeps neither."""
    return not any(char == "\0" or ord(char) in _SURROGATES for char in text)


class Unstorable(ValueError):
    """JSON with a text that no database can hold; `field` is the key it stands under."""

    def __init__(self, field: str) -> None:
        super().__init__("a text holds NUL or half a character")
        self.field = field if _whole(field) else ""


def _texts(value: Any, field: str = "", depth: int = 0) -> Iterator[tuple[str, str]]:
    """(field, text) of every key and text. ValueError for what is too deep."""
    if depth > DEPTH_MAX:
        raise ValueError("too deep")
    if isinstance(value, str):
        yield field, value
    elif isinstance(value, list):
        for one in value:
            yield from _texts(one, field, depth + 1)
    elif isinstance(value, dict):
        for key, one in value.items():
            yield key, key
            yield from _texts(one, key, depth + 1)


def strict_json(data: bytes | str) -> Any:
    """The value. ValueError for everything else, also for what json.loads would let pass or crash on."""
    try:
        value = json.loads(data, parse_constant=_no_constant)
    except (RecursionError, UnicodeDecodeError) as error:
        raise ValueError(type(error).__name__) from None
    for field, text in _texts(value):
        if not _whole(text):
            raise Unstorable(field)
    return value


class StrictJson(BaseParser):
    """ParseError (400 `malformed`) for what is no JSON, Invalid `invalid` for texts that can't be kept.

    That it is an object is asked by each door's own serializer.
    """

    media_type = "application/json"

    def parse(
        self,
        stream: IO[Any],
        media_type: str | None = None,
        parser_context: Mapping[str, Any] | None = None,
    ) -> Any:
        data = stream.read()
        try:
            return strict_json(bytes(data).decode())
        except Unstorable as error:
            raise Invalid("invalid", field=error.field) from error
        except ValueError as error:
            raise ParseError from error
