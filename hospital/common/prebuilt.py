"""Questions to the database that come again and again, built once: the next time only their values are new.

Django builds the SQL of a queryset anew each time, though only its values differ: of a booking in `deploy/bench booking`
that was two fifths of what `web` computes, of reading one exam with all that belongs to it four fifths.

    @prebuilt
    def _rows(*, digest: Value, moment: Value) -> QuerySet[AccessToken]:
        return AccessToken.objects.select_related("user").filter(digest=digest, expires_at__gt=moment)

    found = _rows(digest=digest, moment=now())  # a list of rows; `_rows.one(...)` is the first or None

Positional arguments shape the question (one SQL for each combination), named ones are its values: while it is built each
is an expression that stands for what will be given. A tuple of values is built once for each length up to MOST. None is refused:
`= NULL` is never true. A moment, day, id or secret that the function takes from elsewhere would be kept for ever: building
it raises `Frozen`.
"""

from __future__ import annotations

import copy
from collections.abc import Callable, Hashable, Iterable
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from types import NoneType
from typing import Any, Generic, TypeVar

from django.core.exceptions import EmptyResultSet
from django.db import connections, transaction
from django.db.models import DateField, DateTimeField, Expression, Field, QuerySet

MOST = (
    20  # design value: a longer tuple is rare, its length would hardly come again, and it is built each time
)
Value = Any  # of a question that is built: an expression that stands for it
Row = TypeVar("Row")


class Frozen(Exception):
    """A bug: this question would ask with one caller's value for ever."""


@dataclass(frozen=True, slots=True)
class Place:
    """Where a value goes: its name, and its number in a tuple."""

    name: str
    number: int | None = None

    def of(self, values: dict[str, Any]) -> Any:
        found = values[self.name]
        return found if self.number is None else found[self.number]


ALIKE = Place, str, int, float, timedelta, NoneType  # what the SQL may hold; anything else is somebody's


class Given(Expression):
    """What is given each time the question is asked: one value, or a tuple of them for `__in`."""

    def __init__(self, *places: Place, many: bool = False, output_field: Any = None) -> None:
        super().__init__(output_field=output_field)
        self.places, self.many = places, many

    def as_sql(self, compiler: Any, connection: Any) -> Any:
        if not self.places:
            raise EmptyResultSet
        holes = ", ".join(["%s"] * len(self.places))
        return f"({holes})" if self.many else holes, self.places


def each(values: Value) -> tuple[Value, ...]:
    """The values of a tuple one by one, or what stands for each while a question is built."""
    return tuple([Given(place) for place in values.places]) if isinstance(values, Given) else values


def together(values: Iterable[Value]) -> Value:
    """Some of the values, for `__in`: a tuple, or what stands for it while a question is built."""
    found = tuple(values)
    if not any(isinstance(one, Given) for one in found):
        return found
    return Given(*[place for one in found for place in one.places], many=True)


class _Built(Generic[Row]):
    """One SQL with its places, and what turns rows into what the queryset would give."""

    def __init__(self, rows: Any) -> None:
        if rows._prefetch_related_lookups or rows.query.combinator:
            raise TypeError("a prebuilt question has no prefetch_related and no union")
        self.iterable, self.using, self.query = rows._iterable_class, rows.db, rows.query
        self.known, self.fields = rows._known_related_objects, rows._fields
        self.compiler = self.query.get_compiler(self.using)
        try:
            self.sql, self.params = self.compiler.as_sql()
        except EmptyResultSet:
            self.sql, self.params = "", ()
        for one in self.params:
            if not isinstance(one, ALIKE):
                raise Frozen(f"{type(one).__name__} in {self.sql}")
        select = [expression for expression, _, _ in self.compiler.select[: self.compiler.col_count]]
        self.converters = self.compiler.get_converters(select)
        self.compiler.connection = None  # it was this thread's

    def ask(self, values: dict[str, Any]) -> list[Row]:
        if not self.sql:
            return []
        connection = connections[self.using]
        if self.query.select_for_update and not connection.in_atomic_block:
            raise transaction.TransactionManagementError("select_for_update outside of a transaction")
        params = tuple(one.of(values) if isinstance(one, Place) else one for one in self.params)
        found: list[Row] = list(self.iterable(_Asked(self, connection, params)))
        return found


class _Asked:
    """What Django's iterables need of a queryset, for one asking: its SQL is there already."""

    def __init__(self, built: _Built[Any], connection: Any, params: tuple[Any, ...]) -> None:
        self.db, self._known_related_objects, self._fields = built.using, built.known, built.fields
        compiler: Any = copy.copy(built.compiler)
        compiler.connection = connection
        compiler.as_sql = lambda *_, **__: (built.sql, params)
        compiler.get_converters = lambda _: built.converters
        self.query: Any = copy.copy(built.query)
        self.query.get_compiler = lambda *_, **__: compiler


class Prebuilt(Generic[Row]):
    """A question with its SQL for each shape that was asked."""

    def __init__(self, build: Callable[..., QuerySet[Any, Row]]) -> None:
        self.build, self.__doc__ = build, build.__doc__
        self.shapes: dict[Hashable, _Built[Row]] = {}

    def __call__(self, *shape: Hashable, **values: Any) -> list[Row]:
        many = tuple([(name, len(one)) for name, one in values.items() if _many(one)])
        if any(length > MOST for _, length in many):
            return list(self.build(*shape, **values))
        found = self.shapes.get((shape, many))
        if found is None:
            places = {name: _places(name, one) for name, one in values.items()}
            found = self.shapes[shape, many] = _Built(self.build(*shape, **places))
        return found.ask(values)

    def one(self, *shape: Hashable, **values: Any) -> Row | None:
        """What is asked for by something unique."""
        return next(iter(self(*shape, **values)), None)


def prebuilt(build: Callable[..., QuerySet[Any, Row]]) -> Prebuilt[Row]:
    """Decorator of a function that builds a queryset; see above."""
    return Prebuilt(build)


def _many(value: Any) -> bool:
    if value is None or isinstance(value, list | set | frozenset | dict):
        raise TypeError(f"{type(value).__name__} is no value of a prebuilt question")
    return type(value) is tuple


def _places(name: str, value: Any) -> Any:
    if _many(value):
        return Given(*[Place(name, number) for number in range(len(value))], many=True)
    return Given(Place(name), output_field=_field(value))


def _field(value: Any) -> Field[Any, Any] | None:
    """What Django must know to calculate with it."""
    if isinstance(value, datetime):
        return DateTimeField()
    return DateField() if isinstance(value, date) else None
