from __future__ import annotations

from django.apps import AppConfig


class AccessConfig(AppConfig):
    name = "hospital.access"
    label = "access"

    def ready(self) -> None:
        from hospital.common.api import register_permission_check
        from hospital.common.error_texts import register_titles

        from . import (
            peers,
            schema,  # noqa: F401  registers how the API document names our sign-ins
        )
        from .table import require
        from .texts import TITLES

        register_titles(TITLES)
        register_permission_check(require)
        peers.register()
