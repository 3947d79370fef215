from __future__ import annotations

from django.apps import AppConfig


class FleetConfig(AppConfig):
    name = "devices.fleet"
    label = "fleet"

    def ready(self) -> None:
        from hospital.common.error_texts import register_titles

        from .texts import TITLES

        register_titles(TITLES)
