from __future__ import annotations

from django.apps import AppConfig


class CommonConfig(AppConfig):
    name = "hospital.common"
    label = "common"

    def ready(self) -> None:
        from . import scrub, start

        scrub.configure()
        start.check()
