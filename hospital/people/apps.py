from __future__ import annotations

from django.apps import AppConfig


class PeopleConfig(AppConfig):
    name = "hospital.people"
    label = "people"

    def ready(self) -> None:
        from hospital.common.error_texts import register_titles

        from .texts import TITLES

        register_titles(TITLES)
