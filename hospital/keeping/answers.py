"""What a patient is told: what went, what stays, until when and why."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from hospital.common import retention

from . import engine, rules


def foreseen(patient_id: UUID) -> dict[str, Any]:
    """The answer a request would get now, for who must understand it before signing; nothing is written.

    An exam that runs or a report to be signed makes the request wait; what they add is not foreseen here.
    """
    made = engine.plan(kind=retention.PATIENT, subject_id=patient_id, asked=True)
    return said(made)


def said(made: engine.Plan) -> dict[str, Any]:
    """The answer as it is kept: classes and counts, no content. A case number is nobody's business here."""
    goes = [
        {"class": line.part.name, "zh": line.part.words[0], "en": line.part.words[1], "count": line.goes}
        for line in made.going
    ]
    return {"goes": goes, "stays": [_stays(line) for line in made.staying], "restricted": not made.whole}


def _stays(line: engine.Line) -> dict[str, Any]:
    why = rules.WHY.get(line.decision.why, line.clock.why)
    until = line.decision.until if line.decision.why == rules.CLOCK else None
    return {
        "class": line.part.name,
        "zh": line.part.words[0],
        "en": line.part.words[1],
        "count": line.stays,
        "until": until.isoformat() if until else None,
        "why_zh": why[0],
        "why_en": why[1],
        "from_zh": line.clock.starts[0],
        "from_en": line.clock.starts[1],
    }
