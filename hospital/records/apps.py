from __future__ import annotations

from django.apps import AppConfig


class RecordsConfig(AppConfig):
    name = "hospital.records"
    label = "records"

    def ready(self) -> None:
        from hospital.common.error_texts import register_titles
        from hospital.people.references import How, merge_knows

        from .texts import TITLES

        register_titles(TITLES)
        merge_knows("records.Image", "patient", How.MOVE)
