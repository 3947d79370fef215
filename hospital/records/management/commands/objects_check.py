from __future__ import annotations

from typing import Any

from django.core.management.base import BaseCommand, CommandError

from hospital.common import objects
from hospital.common.errors import Unavailable
from hospital.records.selectors import object_paths


class Command(BaseCommand):
    help = "Read every stored picture and frame and check its hash. Ends with 1 if one is damaged or missing."

    def handle(self, *args: Any, **given: Any) -> None:
        named = object_paths()
        damaged = [path for path in sorted(named) if not self._good(path)]
        for path in damaged:
            self.stdout.write(f"DAMAGED {path}")
        for path in objects.stored():
            if path not in named and not objects.is_named(path):
                self.stdout.write(f"unnamed {path}")  # an upload that was rolled back, or erasing still to do
        self.stdout.write(f"checked {len(named)} objects")
        if damaged:
            raise CommandError(f"{len(damaged)} objects are damaged or missing")

    def _good(self, path: str) -> bool:
        try:
            objects.read(path)
        except Unavailable:
            return False
        return True
