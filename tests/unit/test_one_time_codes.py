"""The codes that scripts and tests type in: as a person's own device shows them, each once."""

from __future__ import annotations

import time

import pytest

from deploy.server.check_tools import TOTP_STEP_S, totp, unused_step
from hospital.access.totp import matching_step, new_secret

STEP = 60_000_000


@pytest.mark.parametrize(("into_s", "expected"), [(1.0, [-1, 0, 1]), (27.0, [0, 1])])
def test_every_code_of_the_window_is_given_once_and_the_door_takes_it(
    monkeypatch: pytest.MonkeyPatch, into_s: float, expected: list[int]
) -> None:
    """The oldest one is left out when it may run out on its way."""
    now_s, secret, after = STEP * TOTP_STEP_S + into_s, new_secret(), 0
    monkeypatch.setattr(time, "time", lambda: now_s)
    given = []
    while (step := unused_step(after)) is not None:
        assert matching_step(secret, totp(secret, step), now_s=now_s, after=after) == step
        given.append(step - STEP)
        after = step
    assert given == expected
