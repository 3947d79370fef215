from __future__ import annotations

from django.apps import AppConfig


class FleetConfig(AppConfig):
    name = "devices.fleet"
    label = "fleet"

    def ready(self) -> None:
        from hospital.access.scopes import scope_register
        from hospital.access.table import INSTITUTION
        from hospital.common.error_texts import register_titles
        from hospital.common.retention import register

        from . import retention, schema  # noqa: F401  schema registers how the API document names a robot's sign-in
        from .selectors import of_institution
        from .texts import TITLES

        register_titles(TITLES)
        scope_register("robot", INSTITUTION, of_institution)
        register(retention.SUBJECT, *retention.PARTS)
