from __future__ import annotations

from django.apps import AppConfig


class SchedulingConfig(AppConfig):
    name = "hospital.scheduling"
    label = "scheduling"

    def ready(self) -> None:
        from hospital.common.error_texts import register_titles

        from . import work_handlers  # noqa: F401  registers the handlers
        from .texts import TITLES

        register_titles(TITLES)
