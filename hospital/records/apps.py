from __future__ import annotations

from django.apps import AppConfig


class RecordsConfig(AppConfig):
    name = "hospital.records"
    label = "records"

    def ready(self) -> None:
        from hospital.common.error_texts import register_titles
        from hospital.common.objects import register_named
        from hospital.people.references import How, merge_knows

        from .selectors import object_named
        from .texts import TITLES

        register_titles(TITLES)
        merge_knows("records.Image", "patient", How.MOVE)
        register_named(object_named)
