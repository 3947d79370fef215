from __future__ import annotations

import os
from typing import Any

from celery import Celery
from celery.signals import heartbeat_sent

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "hospital.project.settings")
app = Celery("hospital")
app.config_from_object("django.conf:settings", namespace="CELERY")
app.autodiscover_tasks()


@heartbeat_sent.connect
def worker_alive(**_: Any) -> None:
    """The worker's own sign every 2 s, whether or not the timer sends it work."""
    from hospital.common.alive import alive

    alive("worker")
