from __future__ import annotations

from django.apps import AppConfig


class CommonConfig(AppConfig):
    name = "hospital.common"
    label = "common"

    def ready(self) -> None:
        from django.db.backends.signals import connection_created

        from . import connections, scrub, start

        connection_created.connect(connections.opened)
        scrub.configure()
        start.check()
