from __future__ import annotations

from celery import shared_task
from django.conf import settings

from . import demo, live


@shared_task(name="teleconsult.sweep", ignore_result=True)
def sweep() -> None:
    live.sweep()
    if settings.EMBEDDED:
        demo.keep_one_exam_soon()
