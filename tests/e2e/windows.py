"""A world whose people can sign in, and a window of a real browser on the whole server beside it."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from django.contrib.auth.hashers import make_password
from playwright.sync_api import BrowserContext

from hospital.access.models import User
from tests.e2e.asgi import served
from tests.e2e.browser import chromium
from tests.e2e.key_steps import PASSWORD
from tests.factories import World, make_world


def world_of(settings: Any, *usernames: str) -> World:
    """These of its people have the password that `key_steps` types."""
    settings.EMBEDDED = True
    made = make_world()
    User.objects.filter(username__in=usernames).update(password=make_password(PASSWORD))
    return made


@contextmanager
def site_of(settings: Any) -> Iterator[str]:
    """The server's address, as its own settings know it."""
    with served() as address:
        settings.BASE_URL, settings.CSRF_TRUSTED_ORIGINS = address, [address]
        yield address


@contextmanager
def window_of(settings: Any, width: int = 1366, height: int = 900) -> Iterator[BrowserContext]:
    with site_of(settings) as address, chromium() as browser:
        yield browser.new_context(base_url=address, viewport={"width": width, "height": height})
