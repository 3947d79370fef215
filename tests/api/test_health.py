"""What the system administrator sees of the worker and of the timer: each by its own sign of life."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
import redis
from celery.signals import heartbeat_sent
from django.conf import settings
from rest_framework.test import APIClient

from hospital.access import services as access
from hospital.access.models import User
from hospital.common.alive import ages, alive
from hospital.project.beat import Scheduler
from hospital.project.celery import app
from tests.access.house_rows import member
from tests.factories import make_world

pytestmark = pytest.mark.django_db
SIGNS = ("worker", "beat", "drain", "seal")


@pytest.fixture(autouse=True)
def no_signs() -> Iterator[None]:
    with redis.Redis.from_url(settings.REDIS_URL) as client:
        client.delete(*(f"alive:{name}" for name in SIGNS))
        yield
        client.delete(*(f"alive:{name}" for name in SIGNS))


def parts() -> dict[str, Any]:
    user = User.objects.filter(username="home-system_admin").first()
    user = user or User.objects.get(id=member(make_world(), "system_admin", "home").id)
    token, _ = access.token_issue(life=timedelta(hours=1), user=user)
    found = APIClient(HTTP_AUTHORIZATION=f"Bearer {token}").get("/api/v1/admin/health").json()["parts"]
    return {name: found[name]["ok"] for name in ("worker", "beat")}


def test_a_dead_timer_is_seen_beside_a_living_worker() -> None:
    alive("worker")
    assert parts() == {"worker": True, "beat": False}


def test_a_dead_worker_is_seen_beside_a_living_timer() -> None:
    alive("beat")
    assert parts() == {"worker": False, "beat": True}


def test_a_worker_that_is_sent_work_and_takes_none_is_not_well() -> None:
    alive("worker")
    alive("beat")
    assert parts() == {"worker": False, "beat": True}
    alive("drain")
    assert parts() == {"worker": True, "beat": True}


def test_each_gives_its_sign_by_its_own_work(tmp_path: Path) -> None:
    """The timer when it has sent the task of the second, no other; the worker with its heartbeat."""
    with app.connection_for_write("memory://") as connection, app.amqp.Producer(connection) as producer:
        timer = Scheduler(app, schedule_filename=str(tmp_path / "schedule"), lazy=True)
        timer.setup_schedule()
        timer.apply_async(timer.schedule["sweep"], producer=producer, advance=False)
        assert ages("beat") == {"beat": None}
        timer.apply_async(timer.schedule["drain"], producer=producer, advance=False)
        assert ages("beat")["beat"] is not None
        timer.close()
    assert ages("worker") == {"worker": None}
    heartbeat_sent.send(sender=None)
    assert ages("worker")["worker"] is not None
