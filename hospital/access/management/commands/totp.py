from __future__ import annotations

import time
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError

from hospital.access import totp
from hospital.access.models import User


class Command(BaseCommand):
    help = "Embedded default only: the next one-time code of USER that has not been used; waits when it must."

    def add_arguments(self, parser: Any) -> None:
        parser.add_argument("username")

    def handle(self, *args: Any, username: str, **options: Any) -> None:
        if not settings.EMBEDDED:
            raise CommandError("codes belong to each person's own device outside the embedded default.")
        user = User.objects.filter(username=username).first()
        if user is None:
            raise CommandError(f"there is no user {username}.")
        step = totp.next_step(now_s=time.time(), after=user.totp_last_step)
        while step > int(time.time()) // totp.STEP_S + totp.WINDOW:
            time.sleep(0.2)
        self.stdout.write(totp.code(user.totp_secret, step))
