"""In tests every prebuilt question is held against the same one built anew from its caller's values.

So a value that stayed in the SQL is found wherever a test asks for two different callers, moments or things.
"""

from __future__ import annotations

import re
from typing import Any

import pytest
from django.core.exceptions import EmptyResultSet

from hospital.common.prebuilt import Place, Prebuilt


def _plain(sql: str) -> str:
    """Django puts what stands for a value into parentheses of its own."""
    return re.sub(r"\((%s)\)", r"\1", sql)


def _anew(asked: Prebuilt[Any], shape: tuple[Any, ...], values: dict[str, Any]) -> tuple[str, list[str]]:
    try:
        sql, params = asked.build(*shape, **values).query.get_compiler("default").as_sql()
    except EmptyResultSet:
        return "", []
    return _plain(sql), [str(one) for one in params]


def checked(patch: pytest.MonkeyPatch) -> None:
    """From now on a question that would differ raises AssertionError."""
    really = Prebuilt.__call__

    def call(self: Prebuilt[Any], *shape: Any, **values: Any) -> list[Any]:
        rows = really(self, *shape, **values)
        many = tuple([(name, len(one)) for name, one in values.items() if type(one) is tuple])
        built = self.shapes.get((shape, many))
        if built is not None:
            mine = [str(one.of(values) if isinstance(one, Place) else one) for one in built.params]
            # PostgreSQL calculates with a moment that Python calculates with otherwise: then the rows are compared.
            assert (_plain(built.sql), mine) == _anew(self, shape, values) or rows == list(
                self.build(*shape, **values)
            )
        return rows

    patch.setattr(Prebuilt, "__call__", call)
