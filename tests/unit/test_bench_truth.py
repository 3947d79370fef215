"""The stop benchmark's own arithmetic: rest, motion and relief from true poses."""

from __future__ import annotations

import pytest

from tests.bench.truth import Sample, motions, relaxed_s, rest_s

DOWN = (0.0, 0.0, -1.0)
DT_S = 0.002


def moved(speed_mm_s: tuple[float, float, float], *, cycles: int = 5) -> list[Sample]:
    return [
        Sample(i * DT_S, (speed_mm_s[0] * i * DT_S, 0.0, speed_mm_s[2] * i * DT_S), DOWN, 5.0)
        for i in range(cycles)
    ]


def test_motion_is_split_into_across_and_along_the_beam_inwards_positive() -> None:
    for motion in motions(moved((20.0, 0.0, -3.0))):
        assert motion.across == pytest.approx(20.0)
        assert motion.along == pytest.approx(3.0)
        assert motion.whole == pytest.approx(20.2237, abs=1e-3)


def speeds(*parts: tuple[float, float]) -> list[tuple[float, float]]:
    """(seconds, mm/s) parts one after the other, a value each 2 ms from 0 on."""
    found: list[tuple[float, float]] = []
    for seconds, speed in parts:
        found += [(len(found) * DT_S + i * DT_S, speed) for i in range(round(seconds / DT_S))]
    return found


def test_rest_begins_where_the_speed_stays_low_for_100_ms() -> None:
    assert rest_s(speeds((0.05, 20.0), (0.2, 0.5)), event_s=0.01) == pytest.approx(0.04, abs=DT_S)


def test_a_twitch_within_the_100_ms_begins_the_rest_anew() -> None:
    seen = speeds((0.05, 20.0), (0.09, 0.5), (0.004, 1.0), (0.2, 0.0))
    assert rest_s(seen, event_s=0.0) == pytest.approx(0.144, abs=2 * DT_S)


def test_no_rest_is_claimed_before_100_ms_were_seen() -> None:
    assert rest_s(speeds((0.05, 20.0), (0.09, 0.0)), event_s=0.0) is None


def test_quiet_before_the_event_does_not_count() -> None:
    assert rest_s(speeds((0.5, 0.0), (0.05, 20.0), (0.2, 0.0)), event_s=0.499) == pytest.approx(
        0.051, abs=DT_S
    )


def test_relief_counts_from_the_last_time_above_the_limit() -> None:
    forces = [12.0] * 50 + [1.9] * 5 + [2.1] * 5 + [1.8] * 50
    samples = [Sample(i * DT_S, (0.0, 0.0, 0.0), DOWN, force) for i, force in enumerate(forces)]
    assert relaxed_s(samples, since_s=0.02, limit_n=2.0) == pytest.approx(0.1)
    assert relaxed_s(samples[:50], since_s=0.0, limit_n=2.0) is None
