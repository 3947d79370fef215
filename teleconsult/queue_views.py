"""A queue as JSON, for the desk and for the screen in the waiting room: numbers and masked names."""

from __future__ import annotations

from typing import Any

from hospital.access.principals import Principal
from hospital.common.reads import Shown
from hospital.people.rules import masked_name

from .board_views import exam_on_board
from .queue import Place, Room
from .shown import exams_shown


def room_shown(principal: Principal, room: Room) -> Shown:
    return exams_shown(principal, [place.exam for place in [*room.waiting, *room.running]])


def place_json(place: Place) -> dict[str, Any]:
    """`called`: called, and not passed since."""
    ticket = place.ticket
    return {
        "exam_id": str(place.exam.id),
        "number": ticket.number,
        "name_masked": masked_name(place.exam.patient.name),
        "state": place.exam.state,
        "starts_at": place.exam.starts_at.isoformat(),
        "begins_at": place.begins_at.isoformat() if place.begins_at else None,
        "called": ticket.called_at is not None,
        "called_at": ticket.called_at.isoformat() if ticket.called_at else None,
        "calls": ticket.calls_n,
        "passes": ticket.passes_n,
        "told_late": ticket.told_late_at is not None,
    }


def room_json(room: Room) -> dict[str, Any]:
    return {
        "room": {"id": str(room.id), "name": room.name, "name_en": room.name_en},
        "waiting": [place_json(place) for place in room.waiting],
        "running": [place_json(place) for place in room.running],
    }


def arrived_json(place: Place | None, principal: Principal) -> dict[str, Any]:
    """Who arrived or was called: the block of the board, and the number."""
    assert place is not None
    return {"exam": exam_on_board(place.exam, principal), "ticket": place_json(place)}
