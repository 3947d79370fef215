"""The safety process says by itself how late its cycles begin."""

from __future__ import annotations

import pytest

from devices.edge.safety.lateness import BUCKET_US, BUCKETS, Lateness, edge_us


def test_percentiles_are_upper_edges_of_buckets_and_the_maximum_is_exact() -> None:
    lateness = Lateness()
    for _ in range(98):
        lateness.note(0.00007)
    lateness.note(0.00032)
    lateness.note(0.012345)
    found = lateness.take()
    assert (found["cycles"], found["p50_us"], found["p99_us"], found["max_us"]) == (100, 100, 350, 12345)
    assert sum(n for _, n in found["counts"]) == 100


def test_what_was_told_is_not_told_again() -> None:
    lateness = Lateness()
    lateness.note(0.004)
    lateness.take()
    lateness.note(0.0)
    assert lateness.take() == {
        "cycles": 1,
        "p50_us": BUCKET_US,
        "p99_us": BUCKET_US,
        "max_us": 0,
        "counts": [(BUCKET_US, 1)],
    }


@pytest.mark.parametrize("late_s", [-0.001, 3600.0])
def test_an_early_cycle_and_a_very_late_one_fit_in_too(late_s: float) -> None:
    lateness = Lateness()
    lateness.note(late_s)
    assert 0 < lateness.take()["p99_us"] <= BUCKET_US * BUCKETS


def test_no_cycles_give_no_lateness() -> None:
    assert edge_us([], 0.99) == 0
    assert Lateness().take()["counts"] == []
