from __future__ import annotations

from celery import shared_task

from .alive import alive
from .work import work_drain


@shared_task(name="common.drain", ignore_result=True)
def drain() -> int:
    """Door: take the work that is due."""
    alive("drain")
    return work_drain()
