from __future__ import annotations

from celery import shared_task

from hospital.common.alive import alive

from .sealer import seal_all


@shared_task(name="audit.seal", ignore_result=True)
def seal() -> None:
    """Door: chain what was committed since the last beat."""
    seal_all()
    alive("seal")
