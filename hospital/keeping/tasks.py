from __future__ import annotations

from celery import shared_task
from django.conf import settings

from . import engine, services


@shared_task(name="keeping.sweep", ignore_result=True)
def sweep() -> None:
    """Door: answer erasure requests that waited."""
    services.requests_answer()


@shared_task(name="keeping.clear", ignore_result=True)
def clear() -> None:
    """Door: clear what only served the moment."""
    engine.rows_clear()


@shared_task(name="keeping.erase", ignore_result=True)
def erase() -> None:
    """Door: erase the records whose time is over, unless the installation wants a person to do it."""
    if settings.RETENTION_NIGHTLY:
        engine.erase_due()
