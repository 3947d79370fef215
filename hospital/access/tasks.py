from __future__ import annotations

from celery import shared_task

from . import stale


@shared_task(name="access.tidy", ignore_result=True)
def tidy() -> None:
    """Door: end accounts nobody uses."""
    stale.accounts_expire()
