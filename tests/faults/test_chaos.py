"""Half a minute of `deploy/bench chaos`: a whole house whose parts are killed under load loses and doubles nothing."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from deploy.server.embedded import free_port
from deploy.server.installation import Installation
from tests.bench.chaos import PARTS, looked, measured
from tests.bench.chaos_desk import Promise

SECONDS = 30.0


@pytest.fixture
def house(tmp_path: Path) -> Iterator[Installation]:
    found = Installation(tmp_path / "house", free_port(), robot=False)
    found.start()
    yield found
    found.stop()


@pytest.mark.slow
@pytest.mark.timeout(600)
def test_nothing_is_lost_or_doubled_when_parts_are_killed_under_load(house: Installation) -> None:
    said: list[str] = []
    figures, tally = measured(house, SECONDS, said.append, seed=7)
    assert (figures["lost"], figures["doubled"], figures["undone"]) == (0, 0, 0), said
    assert int(str(figures["kills"])) >= len(PARTS)
    assert {"book", "cancel", "request"} <= tally.deeds.keys(), said

    # The look itself sees an exam that is gone, and one that nobody was told of.
    known = next(ident for ident, promise in tally.exams.items() if not promise.made_before)
    tally.exams["00000000-0000-0000-0000-000000000000"] = Promise("2026-01-01T08:00:00+08:00")
    del tally.exams[known]
    told = looked(house, tally)
    assert any(line == "exam 00000000-0000-0000-0000-000000000000" for line in told["lost"])
    assert f"exam {known} that no answer speaks of" in told["doubled"]
