"""SEC-05: accounts nobody uses end by themselves; leftovers of sign-ins are cleared away."""

from __future__ import annotations

import time
from datetime import timedelta
from typing import Any

import pytest

from hospital.access import keys, services, stale, tasks, totp
from hospital.access.models import AccessToken, KeyChallenge, UnknownName, User
from hospital.audit.models import AuditEntry
from hospital.common.clock import now
from hospital.common.errors import TooMany, Unauthenticated
from hospital.keeping.tasks import clear

pytestmark = pytest.mark.django_db
PASSWORD = "correct horse battery"


def person(name: str, **fields: Any) -> User:
    user, _, _ = services.user_create(username=name, name=name, password=PASSWORD)
    User.objects.filter(id=user.id).update(**fields)
    user.refresh_from_db()
    return user


def code(user: User) -> str:
    return totp.code(user.totp_secret, int(time.time()) // totp.STEP_S)


def test_ninety_days_without_a_sign_in_end_an_account_and_its_sign_ins() -> None:
    old = now() - timedelta(days=91)
    gone = person("gone", active_since=old, last_sign_in_at=old)
    never = person("never", active_since=old)
    new = person("new", last_sign_in_at=None)
    back = person("back", active_since=old, last_sign_in_at=now())
    services.token_issue(life=timedelta(hours=1), user=gone)
    tasks.tidy()
    active = set(User.objects.filter(is_active=True).values_list("username", flat=True))
    assert active == {new.username, back.username}
    assert AccessToken.objects.get().revoked_at is not None
    ended = set(AuditEntry.objects.filter(action="user.expire").values_list("object_id", flat=True))
    assert ended == {gone.id, never.id}


def test_an_unused_account_opens_nothing_even_before_the_sweep_has_come_by() -> None:
    user = person("late", active_since=now() - timedelta(days=91))
    with pytest.raises(Unauthenticated):
        services.staff_sign_in(username="late", password=PASSWORD, code=code(user))
    stale.user_enable(user_id=user.id)
    assert services.staff_sign_in(username="late", password=PASSWORD, code=code(user))


def test_how_long_is_the_houses_choice(settings: Any) -> None:
    person("unused", active_since=now() - timedelta(days=31))
    settings.STALE_AFTER_DAYS = 0
    assert stale.accounts_expire() == 0
    settings.STALE_AFTER_DAYS = 30
    assert stale.accounts_expire() == 1


def test_signing_in_counts_as_use() -> None:
    user = person("used", active_since=now() - timedelta(days=89))
    services.staff_sign_in(username="used", password=PASSWORD, code=code(user))
    user.refresh_from_db()
    assert user.last_sign_in_at is not None
    User.objects.update(active_since=now() - timedelta(days=95))
    assert stale.accounts_expire() == 0


def test_a_locked_unknown_name_opens_again_after_half_an_hour_and_is_forgotten_after_a_day() -> None:
    def attempt() -> None:
        services.staff_sign_in(username="nobody", password="x", code="000000")

    for _ in range(5):
        with pytest.raises(Unauthenticated):
            attempt()
    with pytest.raises(TooMany):
        attempt()
    UnknownName.objects.update(locked_until=now() - timedelta(seconds=1))
    with pytest.raises(Unauthenticated):
        attempt()
    clear()
    assert UnknownName.objects.exists()
    UnknownName.objects.update(last_at=now() - timedelta(days=2), locked_until=None)
    clear()
    assert not UnknownName.objects.exists()


def test_old_challenges_are_forgotten() -> None:
    keys.sign_in_challenge()
    clear()
    assert KeyChallenge.objects.exists()
    KeyChallenge.objects.update(expires_at=now() - timedelta(days=2))
    clear()
    assert not KeyChallenge.objects.exists()
