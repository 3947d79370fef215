from __future__ import annotations

from dataclasses import replace

import pytest

from hospital.people.practice import PROBLEMS
from teleconsult.rules import (
    CONCERNS,
    NOT_FOR_LEASE,
    READY_GATES,
    Facts,
    concerns_of,
    gates,
    link_is_good,
    missing,
)

ALL_WELL = Facts(
    agreement=True,
    consent=True,
    practice_problems=(),
    bedside_present=True,
    identified_bedside=True,
    identified_remote=True,
    checklist_answered=True,
    concerns=(),
    concerns_agreed=False,
    robot_overdue=False,
    robot_online=True,
    self_test="passed",
    link_good=True,
    lease_held=True,
    turned_over=True,
)
ONE_MISSING = {
    "agreement_missing": {"agreement": False},
    **{code: {"practice_problems": (code,)} for code in PROBLEMS},
    "turnover_open": {"turned_over": False},
    "identifiers_bedside_missing": {"identified_bedside": False},
    "checklist_missing": {"checklist_answered": False},
    "checklist_not_agreed": {"concerns": ("pain",)},
    "consent_missing": {"consent": False},
    "robot_overdue": {"robot_overdue": True},
    "robot_offline": {"robot_online": False},
    "self_test_missing": {"self_test": "failed"},
    "bedside_absent": {"bedside_present": False},
    "identifiers_remote_missing": {"identified_remote": False},
    "link_poor": {"link_good": False},
    "lease_missing": {"lease_held": False},
}


def test_with_everything_in_place_no_gate_is_closed() -> None:
    assert missing(gates(ALL_WELL)) == []


@pytest.mark.parametrize(("code", "change"), ONE_MISSING.items())
def test_each_missing_item_alone_refuses_with_its_own_code(code: str, change: dict[str, object]) -> None:
    assert missing(gates(replace(ALL_WELL, **change))) == [code]  # type: ignore[arg-type]


def test_every_gate_is_in_this_test() -> None:
    assert {gate.code for gate in gates(ALL_WELL)} == set(ONE_MISSING)
    assert READY_GATES <= set(ONE_MISSING)
    assert NOT_FOR_LEASE <= set(ONE_MISSING)


@pytest.mark.parametrize("status", ["none", "running", "failed", "timed_out"])
def test_only_a_passed_self_test_opens_its_gate(status: str) -> None:
    assert missing(gates(replace(ALL_WELL, self_test=status))) == ["self_test_missing"]


def test_concerns_agreed_by_both_open_the_gate() -> None:
    assert missing(gates(replace(ALL_WELL, concerns=("pain",), concerns_agreed=True))) == []


@pytest.mark.parametrize("name", CONCERNS)
def test_each_yes_is_a_concern(name: str) -> None:
    assert concerns_of({"can_lie_still": True, name: True}) == (name,)


def test_not_being_able_to_lie_still_is_a_concern_and_so_is_no_answer_to_it() -> None:
    assert concerns_of({"can_lie_still": False}) == ("cannot_lie_still",)
    assert concerns_of({}) == ("cannot_lie_still",)


GOOD = {"rtt_p95_ms": 40.0, "loss_pct": 0.0, "jitter_ms": 5.0, "fps": 30.0, "seconds": 5.0}


@pytest.mark.parametrize(
    ("name", "value"),
    [("rtt_p95_ms", 151.0), ("loss_pct", 1.1), ("jitter_ms", 31.0), ("fps", 19.0), ("seconds", 1.0)],
)
def test_a_link_is_good_only_when_every_figure_is(name: str, value: float) -> None:
    assert link_is_good(**GOOD)
    assert not link_is_good(**(GOOD | {name: value}))


def test_not_a_number_is_never_good() -> None:
    assert not link_is_good(**(GOOD | {"rtt_p95_ms": float("nan")}))
    assert not link_is_good(**(GOOD | {"fps": float("nan")}))
