from __future__ import annotations

from django.apps import AppConfig


class KeepingConfig(AppConfig):
    name = "hospital.keeping"
    label = "keeping"

    def ready(self) -> None:
        from hospital.common.error_texts import register_titles
        from hospital.common.retention import register

        from . import classes
        from .texts import TITLES

        register_titles(TITLES)
        register(*classes.CLASSES)
