"""`python -m tests.bench NAME [--runs N]` (or `--seconds N` where runs are seconds): run one benchmark; its last line is one JSON object.

Exit 0 when it was measured (a missed aim is a figure, not an error), 1 when it broke, 2 for an unknown name,
130 after Ctrl-C. A module of this folder with SUMMARY is a benchmark:

    SUMMARY: str, one line for --list        DEFAULT_RUNS: int
    PACKAGES: tuple of Debian packages it needs (optional)
    run(*, runs: int, say: Callable[[str], None]) -> dict[str, object]
"""

from __future__ import annotations

import argparse
import ast
import importlib
import json
import math
import signal
import sys
import traceback
from pathlib import Path
from types import FrameType, ModuleType

from deploy.server.debian import problem_with

FOLDER = Path(__file__).parent
PACKAGE = "tests.bench"


def summaries(folder: Path = FOLDER) -> dict[str, str]:
    """Name -> summary of each benchmark in the folder, read without importing: a list needs no camera."""
    found = {}
    for path in sorted(folder.glob("*.py")):
        for node in ast.parse(path.read_text()).body:
            target = node.targets[0] if isinstance(node, ast.Assign) else getattr(node, "target", None)
            value = getattr(node, "value", None)
            if isinstance(target, ast.Name) and target.id == "SUMMARY" and isinstance(value, ast.Constant):
                found[path.stem] = str(value.value)
    return found


def say(line: str) -> None:
    """Progress, at once also through a pipe."""
    print(line, flush=True)


def plain(value: object) -> object:
    """What JSON can hold: a figure that could not be taken (NaN) is null."""
    if isinstance(value, dict):
        return {str(key): plain(part) for key, part in value.items()}
    if isinstance(value, list | tuple):
        return [plain(part) for part in value]
    return None if isinstance(value, float) and not math.isfinite(value) else value


def measure(module: ModuleType, runs: int | None) -> int:
    """Run one benchmark and print its figures. The exit code."""
    problem = problem_with(getattr(module, "PACKAGES", ()))
    if problem:
        print(f"deploy/bench: {problem}", file=sys.stderr)
        return 2
    try:
        figures = module.run(runs=module.DEFAULT_RUNS if runs is None else runs, say=say)
    except KeyboardInterrupt:
        print("deploy/bench: interrupted, everything it started has been ended", file=sys.stderr)
        return 130
    except Exception:
        traceback.print_exc()
        return 1
    say(json.dumps(plain(figures), ensure_ascii=False))
    return 0


def _interrupt(number: int, frame: FrameType | None) -> None:
    raise KeyboardInterrupt  # SIGTERM cleans up as Ctrl-C does


def _runs(text: str) -> int:
    number = int(text)
    if number < 1:
        raise argparse.ArgumentTypeError("--runs must be at least 1")
    return number


def main(arguments: list[str], *, folder: Path = FOLDER, package: str = PACKAGE) -> int:
    """Parse, look up, run. The exit code."""
    parser = argparse.ArgumentParser(prog="deploy/bench", description="One benchmark; the last line is JSON.")
    parser.add_argument("name", nargs="?", help="see --list")
    parser.add_argument(
        "--runs",
        "--seconds",
        type=_runs,
        help="how often or for how many seconds, instead of the benchmark's own number",
    )
    parser.add_argument("--list", action="store_true", help="names and what they measure")
    chosen = parser.parse_args(arguments)
    known = summaries(folder)
    if chosen.list:
        for name, summary in known.items():
            say(f"{name:<10} {summary}")
        return 0
    if chosen.name not in known:
        names = ", ".join(known) or "none"
        print(f"deploy/bench: no benchmark {chosen.name or ''!r}; there are: {names}.", file=sys.stderr)
        return 2
    return measure(importlib.import_module(f"{package}.{chosen.name}"), chosen.runs)


if __name__ == "__main__":
    signal.signal(signal.SIGTERM, _interrupt)
    sys.exit(main(sys.argv[1:]))
