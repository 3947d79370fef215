from __future__ import annotations

from typing import Any
from uuid import UUID

from django.core.management.base import BaseCommand

from devices.fleet.services import robot_pairing_code


class Command(BaseCommand):
    help = "Print a one-time pairing code (15 minutes) for a robot's box."

    def add_arguments(self, parser: Any) -> None:
        parser.add_argument("--robot", required=True, type=UUID)

    def handle(self, *args: Any, robot: UUID, **options: Any) -> None:
        self.stdout.write(robot_pairing_code(robot_id=robot))
