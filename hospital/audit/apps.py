from __future__ import annotations

from django.apps import AppConfig


class AuditConfig(AppConfig):
    name = "hospital.audit"
    label = "audit"

    def ready(self) -> None:
        from hospital.common.error_texts import register_titles
        from hospital.common.reads import register_read_log

        from .reads import read_note
        from .texts import TITLES

        register_titles(TITLES)
        register_read_log(read_note)
