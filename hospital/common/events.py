"""Typed events, the only way upwards: a lower app emits, upper apps subscribe in `AppConfig.ready()`.

Handlers run at once, in the emitter's transaction: a handler that raises undoes the deed.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, TypeVar


@dataclass(frozen=True, kw_only=True)
class Event:
    """Base of all events; subclasses are frozen dataclasses carrying ids, never rows."""


E = TypeVar("E", bound=Event)
_handlers: dict[type[Event], list[Callable[[Any], None]]] = defaultdict(list)


def subscribe(kind: type[E], handler: Callable[[E], None]) -> None:
    if handler not in _handlers[kind]:
        _handlers[kind].append(handler)


def emit(event: Event) -> None:
    for handler in _handlers[type(event)]:
        handler(event)
