from __future__ import annotations

from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from hospital.audit.export import audit_export
from hospital.audit.management.arguments import moment


class Command(BaseCommand):
    help = "Write a range of the audit log as a signed file; `audit_verify --file` checks it."

    def add_arguments(self, parser: Any) -> None:
        parser.add_argument(
            "--from", dest="start", type=moment, help="ISO date or time (Shanghai if none given)"
        )
        parser.add_argument("--to", dest="end", type=moment, help="the end, not included")
        parser.add_argument("--out", type=Path, required=True)

    def handle(self, *args: Any, **given: Any) -> None:
        try:
            rows_n = audit_export(path=given["out"], start=given["start"], end=given["end"])
        except OSError as error:
            raise CommandError(str(error)) from error
        self.stdout.write(f"{rows_n} entries in {given['out']}")
