"""What the timer sends, and when: the hours of a night are Shanghai's, and a worker knows every task."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from celery.schedules import crontab
from django.conf import settings

from hospital.project.beat import Scheduler
from hospital.project.celery import app

NIGHT = datetime(2026, 11, 26, 19, 20, tzinfo=UTC)  # 27 November, 03:20 in Shanghai


@pytest.fixture
def timer(tmp_path: Path) -> Iterator[Scheduler]:
    timer = Scheduler(app, schedule_filename=str(tmp_path / "schedule"), lazy=True)
    timer.setup_schedule()
    yield timer
    timer.close()


@pytest.mark.parametrize(
    ("at", "due"), [(NIGHT - timedelta(seconds=1), False), (NIGHT, True), (NIGHT + timedelta(hours=8), True)]
)
def test_the_nightly_run_is_due_at_twenty_past_three_in_shanghai(
    timer: Scheduler, monkeypatch: pytest.MonkeyPatch, at: datetime, due: bool
) -> None:
    entry = timer.schedule["erase"]
    assert isinstance(entry.schedule, crontab)
    monkeypatch.setattr(entry.schedule, "nowfun", lambda: at.astimezone(app.timezone))
    last = (NIGHT - timedelta(days=1)).astimezone(app.timezone)
    assert entry.schedule.is_due(last).is_due is due


def test_a_nightly_run_that_no_worker_took_in_an_hour_is_left_out(timer: Scheduler) -> None:
    assert (timer.schedule["erase"].options or {})["expires"] <= 3600


def test_a_worker_knows_every_task_the_timer_sends() -> None:
    app.loader.import_default_modules()
    sent = {row["task"] for row in settings.CELERY_BEAT_SCHEDULE.values()}
    assert {"keeping.erase", "keeping.clear", "keeping.sweep"} <= sent
    assert sent <= set(app.tasks)
