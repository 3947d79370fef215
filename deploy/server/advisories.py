"""Known vulnerabilities among the locked versions, asked of advisory services with pip-audit.

python -m deploy.server.advisories [LOCK ...]. Ends 1 when a locked version has a known vulnerability. Where no
service answers, it says so in capitals and ends 0: a missing network is no finding, and no all-clear either.
ADVISORIES_URL names an OSV service inside the house's own network instead of the public ones.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[2]
LOCKS = ("requirements-dev.lock",)  # holds everything of requirements.lock too
PUBLIC = (("-s", "osv"), ("-s", "pypi"))
LIMIT_S = 240
# Advisory -> why it does not touch this program. Nothing is accepted without a reason.
ACCEPTED: dict[str, str] = {}


@dataclass
class Answer:
    """What one service said: how many versions it knew, what is wrong with which, and what it could not tell."""

    asked: int = 0
    found: list[str] = field(default_factory=list)
    unknown: list[str] = field(default_factory=list)
    problem: str = ""


def services() -> tuple[tuple[str, ...], ...]:
    own = os.environ.get("ADVISORIES_URL")
    return (("-s", "osv", "--osv-url", own),) if own else PUBLIC


def _read(content: dict[str, Any]) -> Answer:
    answer = Answer()
    for row in content["dependencies"]:
        if "skip_reason" in row:
            answer.unknown.append(row["name"])
            continue
        answer.asked += 1
        for one in row["vulns"]:
            if not ACCEPTED.keys() & {one["id"], *one["aliases"]}:
                fixed = ", ".join(one["fix_versions"]) or "no version yet"
                answer.found.append(f"{row['name']} {row['version']}: {one['id']}, fixed in {fixed}")
    return answer


def ask(lock: Path, service: tuple[str, ...]) -> Answer:
    """One lock file, one service. `problem` when it did not answer."""
    command = [sys.executable, "-m", "pip_audit", "-r", str(lock), "--disable-pip", "--require-hashes"]
    command += ["-f", "json", "--progress-spinner", "off", *service]
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=LIMIT_S)
        return _read(json.loads(done.stdout))
    except subprocess.TimeoutExpired:
        return Answer(problem=f"no answer within {LIMIT_S} s")
    except (ValueError, KeyError):
        return Answer(problem=(done.stderr.strip().splitlines() or ["no answer"])[-1][-300:])


def audit(lock: Path) -> Answer:
    """The first service that knows anything about these versions; the last one's problem when none does."""
    answer = Answer(problem="no service")
    for service in services():
        answer = ask(lock, service)
        if answer.asked:
            return answer
    return answer


def say(lock: Path, answer: Answer) -> None:
    for line in answer.found:
        print(f"VULNERABLE {line}")
    if not answer.asked:
        why = answer.problem or f"no service knew any of {len(answer.unknown)} packages"
        print(f"NOT AUDITED: {lock.name}: {why}")
        return
    if answer.unknown:
        print(f"NOT AUDITED: {lock.name}: {len(answer.unknown)} packages: {', '.join(answer.unknown)}")
    print(f"audited {answer.asked} locked versions of {lock.name}: {len(answer.found)} known vulnerabilities")


def main(argv: list[str]) -> int:
    found = 0
    for lock in [Path(name) for name in argv] or [ROOT / name for name in LOCKS]:
        answer = audit(lock)
        say(lock, answer)
        found += len(answer.found)
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
