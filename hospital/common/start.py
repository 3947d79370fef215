"""What is checked once when a program of the server starts: better not to start than to write with a wrong key."""

from __future__ import annotations

from django.conf import settings
from django.core.exceptions import ImproperlyConfigured

from .crypto import SUITES
from .keyring import KeyUnknown, key_of, ring


def check() -> None:
    """ImproperlyConfigured names the setting that is wrong, never its value."""
    if settings.FIELD_CIPHER not in SUITES:
        raise ImproperlyConfigured(f"FIELD_CIPHER must be one of {', '.join(SUITES)}")
    try:
        key_of(settings.FIELD_KEY, "FIELD_KEY")
        if settings.SIGNING_KEY:
            key_of(settings.SIGNING_KEY, "SIGNING_KEY")
        ring(look=True)
    except (KeyUnknown, ValueError, KeyError) as error:
        raise ImproperlyConfigured(f"keys of data at rest: {error}") from None
    if not settings.EMBEDDED and len(settings.SECRET_KEY) < 32:
        raise ImproperlyConfigured("SECRET_KEY must have at least 32 characters")
