from __future__ import annotations

from django.apps import AppConfig


class MessagesConfig(AppConfig):
    name = "hospital.messages"
    label = "messages"

    def ready(self) -> None:
        from . import delivery  # noqa: F401  registers the worker
