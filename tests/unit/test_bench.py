"""The benchmark command: what it lists, how it answers a wrong name, its last line, its percentiles."""

from __future__ import annotations

import json
import math
import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from devices.edge.safety.lateness import BUCKET_US
from tests.bench.__main__ import main, summaries
from tests.bench.figures import Aim, judge, median, percentile, spread
from tests.bench.machine import SETTLED, Machine
from tests.waiting import until

ROOT = Path(__file__).resolve().parents[2]
TINY = '''"""A benchmark."""
SUMMARY = "counts its runs"
DEFAULT_RUNS = 3
def run(*, runs, say):
    say("working")
    return {"runs": runs, "missing": float("nan"), "values": [1.0, float("inf")]}
'''
WAITS = '''"""Waits until it is interrupted, then cleans up."""
import time
SUMMARY: str = "waits"
DEFAULT_RUNS = 1
def run(*, runs, say):
    try:
        say("waiting")
        while True:
            time.sleep(0.05)  # not signal.pause(): a signal just before it would not be noticed
    finally:
        say("cleaned up")
'''


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A package of benchmarks: one tiny, one helper that is none."""
    found = tmp_path / "some_benchmarks"
    found.mkdir()
    (found / "__init__.py").write_text("")
    (found / "tiny.py").write_text(TINY)
    (found / "waits.py").write_text(WAITS)
    (found / "helper.py").write_text("raise RuntimeError('imported')\n")
    monkeypatch.syspath_prepend(str(tmp_path))
    return found


def test_the_list_names_each_benchmark_without_importing_anything(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["--list"], folder=folder, package="some_benchmarks") == 0
    assert capsys.readouterr().out.splitlines() == ["tiny       counts its runs", "waits      waits"]


def test_every_benchmark_of_ours_has_a_summary() -> None:
    found = summaries()
    assert "control" in found
    assert all(len(summary.split()) > 3 for summary in found.values())


@pytest.mark.parametrize("arguments", [["no-such-thing"], []])
def test_an_unknown_name_is_answered_in_one_sentence(
    folder: Path, capsys: pytest.CaptureFixture[str], arguments: list[str]
) -> None:
    assert main(arguments, folder=folder, package="some_benchmarks") == 2
    written = capsys.readouterr()
    assert written.out == ""
    assert written.err.count("\n") == 1
    assert "tiny" in written.err


@pytest.mark.parametrize(("arguments", "runs"), [([], 3), (["--runs", "7"], 7)])
def test_the_last_line_is_one_json_object_and_a_figure_that_is_none_is_null(
    folder: Path, capsys: pytest.CaptureFixture[str], arguments: list[str], runs: int
) -> None:
    assert main(["tiny", *arguments], folder=folder, package="some_benchmarks") == 0
    lines = capsys.readouterr().out.splitlines()
    assert lines[0] == "working"
    assert json.loads(lines[-1]) == {"runs": runs, "missing": None, "values": [1.0, None]}


def test_no_runs_at_all_are_refused(folder: Path) -> None:
    with pytest.raises(SystemExit) as refused:
        main(["tiny", "--runs", "0"], folder=folder, package="some_benchmarks")
    assert refused.value.code == 2


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_ctrl_c_lets_a_benchmark_clean_up(folder: Path, number: signal.Signals) -> None:
    start = (
        "import signal, sys; from pathlib import Path; from tests.bench import __main__ as bench;"
        "signal.signal(signal.SIGTERM, bench._interrupt);"
        f"sys.exit(bench.main(['waits'], folder=Path({str(folder)!r}), package='some_benchmarks'))"
    )
    environment = os.environ | {"PYTHONPATH": f"{ROOT}{os.pathsep}{folder.parent}"}
    with (folder / "out").open("wb") as out:
        process = subprocess.Popen([sys.executable, "-c", start], cwd=ROOT, env=environment, stdout=out)
    until(lambda: "waiting" in (folder / "out").read_text(), what="the benchmark started")
    process.send_signal(number)
    assert process.wait(10) == 130
    assert (folder / "out").read_text().splitlines() == ["waiting", "cleaned up"]


def test_percentiles_are_values_that_were_measured() -> None:
    values = [float(value) for value in range(1, 101)]
    assert spread(values) == {"p50": 50.0, "p99": 99.0, "max": 100.0}
    assert spread([3.0]) == {"p50": 3.0, "p99": 3.0, "max": 3.0}
    assert percentile([5.0, 1.0, 3.0], 0.5) == 3.0
    assert all(math.isnan(value) for value in spread([]).values())


def test_the_median_of_an_even_number_is_between_the_middle_two() -> None:
    assert median([4.0, 1.0, 2.0, 9.0]) == 3.0
    assert median([9.0, 1.0, 2.0]) == 2.0
    assert math.isnan(median([]))


def test_a_missed_aim_is_said_and_a_figure_that_is_missing_counts_as_missed() -> None:
    lines: list[str] = []
    aims = [Aim("late_ms", 5.0), Aim("fps", 28.0, at_least=True), Aim("gone_ms", 1.0)]
    assert judge(aims, {"late_ms": 5.0, "fps": 27.9}, lines.append) == 2
    assert lines[0] == "late_ms 5, aim at most 5: met"
    assert lines[1] == "fps 27.9, aim at least 28: MISSED"
    assert lines[2] == "gone_ms nan, aim at most 1: MISSED"


def test_the_machines_own_lateness_is_told_for_every_core() -> None:
    with Machine() as machine:
        pass
    assert len(machine.told) == len(os.sched_getaffinity(0))
    assert all(core["cycles"] >= SETTLED for core in machine.told)
    found = machine.figures()
    assert 0 < found["machine_late_p99_ms"] <= found["machine_late_max_ms"] + BUCKET_US / 1000
