from __future__ import annotations

from typing import Any

from django.core.management.base import BaseCommand, CommandError

from hospital.access.principals import SYSTEM
from hospital.audit.services import audit_record
from hospital.common import keyring, rotation


class Command(BaseCommand):
    help = (
        "A new key for data at rest, and everything stored put under it, while the house works. A run that was"
        " interrupted is continued. Runs as the database's owner."
    )

    def add_arguments(self, parser: Any) -> None:
        parser.add_argument("--batch", type=int, default=rotation.BATCH, help="rows a transaction")
        parser.add_argument(
            "--same-key", action="store_true", help="no new key: after FIELD_CIPHER changed, or to repeat"
        )

    def handle(self, *args: Any, batch: int, same_key: bool, **options: Any) -> None:
        if not rotation.one_at_a_time():
            raise CommandError("another rotation is running")
        number = self._key(same_key)
        outcome = rotation.reencrypt_all(say=self._say, size=batch)
        self._say(f"{outcome.rows} rows and {outcome.objects} objects are now under key {number}")
        audit_record(
            principal=SYSTEM,
            action="keys.rotate",
            object_kind="key",
            object_id=None,
            details={"key": number, "rows": outcome.rows, "objects": outcome.objects, "left": outcome.left},
        )
        for name in outcome.unreadable:
            self._say(f"UNREADABLE {name}")
        if outcome.left or outcome.unreadable:
            raise CommandError(f"{outcome.left} rows are still under older keys: see above, then run again")
        keyring.rotation_done()

    def _key(self, same_key: bool) -> int:
        known = keyring.ring(look=True)
        if known.rotating or same_key:
            self._say(f"continuing with key {known.current}")
            return known.current
        number = keyring.key_add()
        self._say(f"new key {number}; older keys stay readable")
        return number

    def _say(self, line: str) -> None:
        self.stdout.write(line)
        self.stdout.flush()
