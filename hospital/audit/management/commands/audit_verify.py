from __future__ import annotations

import time
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from hospital.audit.export import Unreadable, export_verify
from hospital.audit.management.arguments import head, moment
from hospital.audit.sealer import PURPOSE
from hospital.audit.verifier import Result, audit_verify
from hospital.common.signing import public_bytes, signing_key


class Command(BaseCommand):
    help = (
        "Check the audit log's chain: one changed, missing or inserted entry is found. Ends with 1 if one is."
    )

    def add_arguments(self, parser: Any) -> None:
        parser.add_argument(
            "--from", dest="start", type=moment, help="ISO date or time (Shanghai if none given)"
        )
        parser.add_argument("--to", dest="end", type=moment, help="the end, not included")
        parser.add_argument("--file", type=Path, help="check an export instead of the database")
        parser.add_argument("--key", type=bytes.fromhex, help="with --file: the public key to trust, hex")
        parser.add_argument(
            "--head", type=head, help="NUMBER:SHA256 written down earlier: must still be there"
        )

    def handle(self, *args: Any, **given: Any) -> None:
        began = time.monotonic()
        try:
            if given["file"]:
                result = export_verify(path=given["file"], public=given["key"])
            else:
                result = audit_verify(start=given["start"], end=given["end"], head=given["head"])
        except (Unreadable, OSError) as error:
            raise CommandError(str(error)) from error
        self._say(result, time.monotonic() - began, whole=not given["file"])
        if result.problems:
            raise CommandError(f"{len(result.problems)} problems: the log is not as it was written")

    def _say(self, result: Result, took_s: float, *, whole: bool) -> None:
        for problem in result.problems:
            where = f"link {problem.number}" if problem.number else ""
            entry = f"seq {problem.seq}" if problem.seq else ""
            self.stdout.write(" ".join(filter(None, ["PROBLEM", problem.kind, where, entry, problem.text])))
        rate = result.checked / took_s if took_s else 0
        self.stdout.write(f"checked {result.checked} entries in {took_s:.2f} s ({rate:.0f} rows/s)")
        if whole:
            self.stdout.write(f"unsealed tail {result.unsealed}, sealed but not yet signed {result.unsigned}")
        if result.withheld:
            self.stdout.write(f"withheld {result.withheld} entries of other institutions")
        self.stdout.write(f"head {result.head[0]}:{result.head[1]}")
        self.stdout.write(f"public key {public_bytes(signing_key(PURPOSE)).hex()}")
