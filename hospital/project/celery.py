from __future__ import annotations

import os
from typing import Any

from celery import Celery
from celery.signals import heartbeat_sent, task_prerun, worker_process_init

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "hospital.project.settings")
app = Celery("hospital")
app.config_from_object("django.conf:settings", namespace="CELERY")
app.autodiscover_tasks()


@worker_process_init.connect
def loaded(**_: Any) -> None:
    from hospital.common.garbage import settled

    settled()


@task_prerun.connect
def connection_good(**_: Any) -> None:
    """Celery keeps the connection (CELERY_DB_REUSE_MAX); one that broke or is old is left here."""
    from django.db import close_old_connections

    close_old_connections()


@heartbeat_sent.connect
def worker_alive(**_: Any) -> None:
    """The worker's own sign every 2 s, whether or not the timer sends it work."""
    from hospital.common.alive import alive

    alive("worker")
