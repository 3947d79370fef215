"""What must be true of a physician before an exam may be booked with them, as plain functions over facts.

LAW-08 and LAW-24: three years of independent practice, registered where they practise, with the consent of the
registered institution where they practise elsewhere. LAW-28: inside the demonstration zone without prior filing.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

from .rules import practitioner_problem

ZONE = frozenset({"310118", "320509", "330421"})  # Qingpu, Wujiang, Jiashan (GB/T 2260)
LEVELS = ("simulator", "supervised", "independent")
SIMULATOR_HOURS, SUPERVISED_EXAMS = 20, 10  # design values: before somebody moves the arm alone
SERVICE_SCOPES = {"remote_ultrasound": "ultrasound"}  # which scope of practice a service takes
# In the order in which people put it right; `licence_invalid` stands for every `licence_*`.
PROBLEMS = (
    "licence_invalid",
    "practice_too_short",
    "scope_not_covering",
    "registration_missing",
    "filing_missing",
    "privilege_missing",
)


@dataclass(frozen=True, kw_only=True)
class Papers:
    """What is on file about one physician for one day and one pair of hospitals; dates are Shanghai days."""

    licence_expires_on: date | None
    practice_started_on: date | None
    standing: str
    scopes: frozenset[str]
    registered_here: bool
    filed_there: bool
    regions: frozenset[str]
    independent: bool


def filing_needed(papers: Papers) -> bool:
    """Not inside the zone, nor where both hospitals are in one place of practice already on file."""
    return not papers.filed_there and not papers.regions <= ZONE


def problem_of_licence(papers: Papers, on: date) -> str | None:
    """licence_unknown, licence_suspended, licence_expired or practice_too_short; None when nothing is wrong."""
    if papers.licence_expires_on is None or papers.practice_started_on is None:
        return "licence_unknown"
    return practitioner_problem(
        licence_expires_on=papers.licence_expires_on,
        practice_started_on=papers.practice_started_on,
        standing=papers.standing,
        on=on,
    )


def problems(papers: Papers, *, service: str, on: date) -> tuple[str, ...]:
    """Codes of PROBLEMS, in that order; empty when the physician is bookable on that day."""
    licence = problem_of_licence(papers, on)
    found = {
        "licence_invalid": licence is not None and licence != "practice_too_short",
        "practice_too_short": licence == "practice_too_short",
        "scope_not_covering": SERVICE_SCOPES.get(service, service) not in papers.scopes,
        "registration_missing": not papers.registered_here,
        "filing_missing": filing_needed(papers),
        "privilege_missing": not papers.independent,
    }
    return tuple(code for code in PROBLEMS if found[code])
