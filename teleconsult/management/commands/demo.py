from __future__ import annotations

import json
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError

from teleconsult.demo import demo_make


class Command(BaseCommand):
    help = "Embedded default only: make the demo data that is missing and print it as JSON."

    def handle(self, *args: Any, **options: Any) -> None:
        if not settings.EMBEDDED:
            raise CommandError(
                "demo data belongs to the embedded default; this installation has its own database."
            )
        self.stdout.write(json.dumps(demo_make(), ensure_ascii=False))
