"""A turnover as JSON: things, items and who signed; no patient and no exam."""

from __future__ import annotations

from typing import Any

from . import turnover as turnovers
from .models import Turnover, TurnoverTick
from .turnover_rules import ITEMS, MEANS, Item


def _named(row: Any) -> dict[str, str] | None:
    return {"id": str(row.id), "name": row.name, "name_en": row.name_en} if row is not None else None


def _words(code: str) -> dict[str, str]:
    return {"code": code, "name": MEANS[code][0], "name_en": MEANS[code][1]}


def _tick(tick: TurnoverTick) -> dict[str, Any]:
    return {
        "done": tick.done,
        "by": tick.by.name,
        "at": tick.at.isoformat(),
        "means": _words(tick.means) if tick.means else None,
        "reason": tick.reason,
    }


def _item(item: Item, ticks: list[TurnoverTick]) -> dict[str, Any]:
    """`ticks`: who signed it and who took it back, oldest first; the last one counts."""
    return {
        "code": item.code,
        "name": item.name,
        "name_en": item.name_en,
        "done": bool(ticks) and ticks[-1].done,
        "means": [_words(code) for code in MEANS] if item.with_means else [],
        "ticks": [_tick(tick) for tick in ticks],
    }


def turnover_json(row: Turnover) -> dict[str, Any]:
    """`due`: the exam is over, its items can be signed. `open`: codes of the items that nobody signed."""
    ticks = list(row.ticks.all())
    return {
        "id": str(row.id),
        "robot": _named(row.robot),
        "room": _named(row.room),
        "probe": _named(row.probe),
        "begun_at": row.begun_at.isoformat(),
        "ended_at": row.exam.ended_at.isoformat() if row.exam.ended_at else None,
        "due": turnovers.is_due(row),
        "open": [item.code for item in turnovers.open_items(row)],
        "items": [_item(item, [tick for tick in ticks if tick.item == item.code]) for item in ITEMS],
    }
