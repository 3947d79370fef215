"""What must be true before an exam may go live, as plain functions over facts.

Each gate has its own code; the code is also the error when the gate is the reason for a refusal.
"""

from __future__ import annotations

from dataclasses import dataclass

from hospital.people.practice import PROBLEMS

# A loop is the last 3 s; the robot holds 10 s at 30 pictures a second. What is longer is a recording of the exam.
LOOP_MAX_FRAMES = 300  # design value

IDENTIFIERS = ("name", "birth_date", "document_tail", "phone_tail")
IDENTIFIERS_NEEDED = 2  # HAZ-04: two identifiers at both ends

# A yes to any of these, or a no to can_lie_still, needs both physicians' decision (console.md section 1).
CONCERNS = ("wound_or_stoma", "recent_surgery", "known_aneurysm", "pain", "gel_allergy")
CHECKLIST = (*CONCERNS, "can_lie_still", "last_meal")

# Link quality before control, over a 10 s probe (teleoperation.md lesson 22).
RTT_P95_MAX_MS, LOSS_MAX_PCT, JITTER_MAX_MS, FPS_MIN, PROBE_MIN_S = 150.0, 1.0, 30.0, 20.0, 4.0


@dataclass(frozen=True, kw_only=True)
class Papers:
    """What the hospitals and the remote physician hold on the exam's own day: no booking may lack it."""

    agreement: bool
    practice_problems: tuple[str, ...]


@dataclass(frozen=True, kw_only=True)
class Facts(Papers):
    """What the database says about one exam, now."""

    consent: bool
    bedside_present: bool
    identified_bedside: bool
    identified_remote: bool
    checklist_answered: bool
    concerns: tuple[str, ...]
    concerns_agreed: bool
    robot_overdue: bool
    robot_online: bool
    self_test: str
    link_good: bool
    lease_held: bool
    turned_over: bool


@dataclass(frozen=True)
class Gate:
    code: str
    ok: bool


def paper_gates(papers: Papers) -> list[Gate]:
    """The gates to a booking."""
    practice = [Gate(code, code not in papers.practice_problems) for code in PROBLEMS]
    return [Gate("agreement_missing", papers.agreement), *practice]


def gates(facts: Facts) -> list[Gate]:
    """All gates to `live`, in the order in which people meet them."""
    return [
        *paper_gates(facts),
        Gate("turnover_open", facts.turned_over),
        Gate("identifiers_bedside_missing", facts.identified_bedside),
        Gate("checklist_missing", facts.checklist_answered),
        Gate("checklist_not_agreed", not facts.concerns or facts.concerns_agreed),
        Gate("consent_missing", facts.consent),
        Gate("robot_overdue", not facts.robot_overdue),
        Gate("robot_offline", facts.robot_online),
        Gate("self_test_missing", facts.self_test == "passed"),
        Gate("bedside_absent", facts.bedside_present),
        Gate("identifiers_remote_missing", facts.identified_remote),
        Gate("link_poor", facts.link_good),
        Gate("lease_missing", facts.lease_held),
    ]


# The bedside declares *ready* when its own part is done; the rest belongs to the remote end. A turnover that is owed
# holds back an emergency too: a dirty probe is no answer to it.
READY_GATES = frozenset(
    {
        "agreement_missing",
        "turnover_open",
        "identifiers_bedside_missing",
        "checklist_missing",
        "checklist_not_agreed",
        "consent_missing",
        "robot_overdue",
        "robot_offline",
        "self_test_missing",
    }
)
# Asking for control needs everything but the control itself and the link measured over it.
NOT_FOR_LEASE = frozenset({"lease_missing", "link_poor"})


def missing(
    found: list[Gate], *, only: frozenset[str] | None = None, but: frozenset[str] = frozenset()
) -> list[str]:
    """Codes of the closed gates, in order: of `only` these, `but` not those."""
    closed = [gate.code for gate in found if not gate.ok and gate.code not in but]
    return [code for code in closed if only is None or code in only]


def concerns_of(answers: dict[str, object]) -> tuple[str, ...]:
    """The answers that need both physicians' decision."""
    raised = [name for name in CONCERNS if answers.get(name) is True]
    return (*raised, *([] if answers.get("can_lie_still") is True else ["cannot_lie_still"]))


def link_is_good(*, rtt_p95_ms: float, loss_pct: float, jitter_ms: float, fps: float, seconds: float) -> bool:
    return (
        0 <= rtt_p95_ms <= RTT_P95_MAX_MS
        and 0 <= loss_pct <= LOSS_MAX_PCT
        and 0 <= jitter_ms <= JITTER_MAX_MS
        and fps >= FPS_MIN
        and seconds >= PROBE_MIN_S
    )
