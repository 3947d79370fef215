"""The simulated patient: breathes quietly, does as told, and never holds its breath for ever."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from devices.drivers.sim.patient import BELLY_MM, DEEP, LIVER_MM, Patient
from devices.drivers.sim.reader import ProbePose, ProbeReader, ProbeWriter
from devices.wire.ctl import PROMPTS
from tests.edge.bench import BEDSIDE, CONSOLE, Bench

DT_S = 0.002


def volumes(patient: Patient, seconds: float) -> np.ndarray:
    """The volume each cycle for so long."""
    seen = []
    for _ in range(round(seconds / DT_S)):
        patient.cycle(DT_S)
        seen.append(patient.volume)
    return np.array(seen)


def breaths(curve: np.ndarray) -> int:
    """How often a breath in passes the middle."""
    return int(((curve[1:] > 0.5) & (curve[:-1] <= 0.5)).sum())


def test_it_breathes_fifteen_times_a_minute_and_the_liver_moves_as_livers_do() -> None:
    patient = Patient()
    curve = volumes(patient, 60.0)
    assert 14 <= breaths(curve) <= 16
    liver_mm = float(np.ptp(curve)) * LIVER_MM
    assert 10.0 < liver_mm < 20.0
    assert 2.0 < float(np.ptp(curve)) * BELLY_MM < 5.0


def test_a_breath_in_moves_the_liver_to_the_feet_and_the_belly_up() -> None:
    patient = Patient()
    patient.told("breathe_in")
    volumes(patient, 3.0)
    assert patient.organs_mm[1] < -25.0
    assert patient.heave_mm > 5.0


def test_hold_stops_it_where_it_is_and_relax_lets_it_breathe() -> None:
    patient = Patient()
    patient.told("breathe_in")
    volumes(patient, 3.0)
    patient.told("hold")
    volumes(patient, 1.5)
    held = volumes(patient, 10.0)
    assert float(np.ptp(held)) == 0.0
    assert held[0] > 0.9 * DEEP
    patient.told("relax")
    assert breaths(volumes(patient, 30.0)) >= 5


def test_out_is_emptier_than_a_quiet_breath() -> None:
    patient = Patient()
    patient.told("breathe_out")
    volumes(patient, 3.5)
    assert patient.volume < -0.2


@pytest.mark.parametrize("nagging", [False, True])
def test_nobody_holds_for_ever_however_often_told(nagging: bool) -> None:
    patient = Patient()
    patient.told("hold")
    for _ in range(8):
        volumes(patient, 2.0)
        if nagging:
            patient.told("hold")
    curve = volumes(patient, 15.0)
    assert float(np.ptp(curve[: round(8.0 / DT_S)])) == 0.0, "24 s are no trouble"
    assert float(np.ptp(curve)) > 1.0


def test_full_without_hold_it_lets_go_after_a_few_seconds() -> None:
    patient = Patient()
    patient.told("breathe_in")
    volumes(patient, 3.0)
    curve = volumes(patient, 12.0)
    assert breaths(curve) >= 1
    assert curve[-1] < 1.5


def test_nothing_it_does_makes_the_belly_jump() -> None:
    patient = Patient()
    curve = [volumes(patient, 1.3)]
    for key in [*PROMPTS, "hold", "breathe_in", "hold", "breathe_out", "relax", "breathe_in", "breathe_out"]:
        patient.told(key)
        curve.append(volumes(patient, 0.9))
    curve.append(volumes(patient, 40.0))
    speed_mm_s = np.diff(np.concatenate(curve)) / DT_S * BELLY_MM
    assert np.abs(speed_mm_s).max() < 15.0
    assert np.abs(np.diff(speed_mm_s)).max() < 1.0, "no step in speed either"


def test_words_that_are_not_about_breathing_change_nothing() -> None:
    one, other = Patient(), Patient()
    one.told("turn_left")
    one.told("lie_still")
    assert (volumes(one, 20.0) == volumes(other, 20.0)).all(), "and the same time gives the same breaths"


def test_a_patient_that_does_not_breathe_lies_flat() -> None:
    assert not volumes(Patient(breaths_per_min=0.0), 10.0).any()


def test_the_insides_travel_with_the_pose(tmp_path: Path) -> None:
    writer, reader = ProbeWriter(tmp_path), ProbeReader(tmp_path)
    pose = ProbePose(7, (1.0, 2.0, 3.0), (1.0, 0.0, 0.0, 0.0), 4.0, True, 5.0, 6.0, (0.5, -14.0, 2.0))
    writer.write(pose)
    assert reader.read() == pose
    writer.close()
    reader.close()


@pytest.fixture
def bench(tmp_path: Path) -> Bench:
    return Bench(tmp_path)


def test_the_console_may_prompt_without_the_lease_and_nothing_moves(bench: Bench) -> None:
    bench.run(0.3)
    ack = bench.ctl(CONSOLE, "prompt", key="breathe_in")
    assert ack["ok"], ack
    before = len(bench.outputs)
    bench.run(0.02)
    told = [call for out in bench.outputs[before:] for call in out.calls]
    assert told == [("patient_told", "breathe_in")]
    assert all(out.twist.vz == 0.0 for out in bench.outputs[before:])


def test_only_the_console_prompts(bench: Bench) -> None:
    assert bench.ctl(BEDSIDE, "prompt", key="hold")["code"] == "not_allowed"
