from __future__ import annotations

from django.apps import AppConfig


class PeopleConfig(AppConfig):
    name = "hospital.people"
    label = "people"

    def ready(self) -> None:
        from hospital.common.error_texts import register_titles

        from . import break_glass  # noqa: F401  registers its due work
        from .texts import TITLES

        register_titles(TITLES)
