from __future__ import annotations

from celery import shared_task
from django.conf import settings

from . import demo, later, live
from .services import delays


@shared_task(name="teleconsult.sweep", ignore_result=True)
def sweep() -> None:
    live.sweep()
    delays.late_told()
    if settings.EMBEDDED:
        demo.keep_one_exam_soon()


@shared_task(name="teleconsult.watch", ignore_result=True)
def watch() -> None:
    """Door: exams booked before an upgrade, or before their type got other reminders, are watched too."""
    later.watch_all()
