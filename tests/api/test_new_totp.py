"""Changing to another authenticator: proven before, confirmed after, the old one good until then."""

from __future__ import annotations

import time
from datetime import timedelta
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
from django.db import connection
from rest_framework.test import APIClient

from hospital.access import services, totp
from hospital.access.models import AccessToken, NewTotp, User
from hospital.audit.models import AuditEntry
from hospital.common.clock import now
from tests.api.test_keys import post, staff, stepped_up, with_key

pytestmark = pytest.mark.django_db


@pytest.fixture
def wang() -> User:
    from hospital.access.models import Membership
    from tests.factories import make_world

    user, _, _ = services.user_create(username="wang", name="王", password="correct horse battery")
    Membership.objects.create(user=user, institution=make_world().places["home"], role="scheduler")
    return user


def code_of(secret: str, step: int = 0) -> str:
    return totp.code(secret, int(time.time()) // totp.STEP_S + step)


def begun(client: APIClient, user: User) -> dict[str, Any]:
    stepped_up(client, user, action="auth.totp")
    answer = post(client, "auth/totp")
    assert answer.status_code == 201
    return dict(answer.json())


def confirm(client: APIClient, code: str) -> tuple[int, str | None]:
    answer = post(client, "auth/totp/confirm", {"totp": code})
    return answer.status_code, answer.json()["code"] if answer.content else None


def steps_up(client: APIClient, secret: str) -> bool:
    User.objects.update(totp_last_step=0)
    return bool(post(client, "auth/step-up", {"totp": code_of(secret)}).status_code == 200)


def test_the_old_authenticator_counts_until_the_new_one_has_shown_a_code(wang: User) -> None:
    client, elsewhere = staff(wang), staff(wang)
    new = begun(client, wang)["totp_secret"]
    assert steps_up(client, wang.totp_secret) and not steps_up(client, new)
    assert confirm(client, code_of(new)) == (204, None)
    assert steps_up(client, new) and not steps_up(client, wang.totp_secret)
    assert elsewhere.get("/api/v1/auth/sessions").status_code == 401
    assert not NewTotp.objects.exists()
    log = AuditEntry.objects.filter(action__startswith="auth.totp").values_list("action", "object_id")
    assert list(log) == [("auth.totp_begin", wang.id), ("auth.totp_change", wang.id)]


def test_it_begins_with_a_fresh_proof_once_by_code_or_key(wang: User) -> None:
    client = staff(wang)
    assert post(client, "auth/totp").json()["code"] == "proof_required"
    begun(client, wang)
    assert post(client, "auth/totp").json()["code"] == "proof_required"
    key = with_key(client, wang)
    asked = post(client, "auth/step-up/challenge", {"action": "auth.totp"}).json()
    touch = {"challenge_id": asked["challenge_id"], "credential": key.get(asked["options"])}
    assert post(client, "auth/step-up", touch | {"action": "auth.totp"}).status_code == 200
    assert post(client, "auth/totp").status_code == 201


def test_the_code_that_confirms_counts_nowhere_else(wang: User) -> None:
    client = staff(wang)
    new = begun(client, wang)["totp_secret"]
    code = code_of(new)
    assert confirm(client, code) == (204, None)
    assert post(client, "auth/step-up", {"totp": code}).status_code == 403
    assert confirm(client, code) == (409, "totp_change_over")


def test_five_wrong_codes_end_it_and_change_nothing(wang: User) -> None:
    client = staff(wang)
    new = begun(client, wang)["totp_secret"]
    old = [confirm(client, code_of(wang.totp_secret, step)) for step in range(5)]
    assert old == [(422, "totp_wrong")] * 5
    assert confirm(client, code_of(new)) == (409, "totp_change_over")
    assert steps_up(client, wang.totp_secret)
    assert AuditEntry.objects.filter(action="auth.totp_change", outcome="refused").count() >= 5


def test_it_is_over_after_ten_minutes_in_another_sign_in_and_when_begun_again(wang: User) -> None:
    client, other = staff(wang), staff(wang)
    first = begun(client, wang)["totp_secret"]
    assert confirm(other, code_of(first)) == (409, "totp_change_over")
    second = begun(client, wang)["totp_secret"]
    assert confirm(client, code_of(first)) == (422, "totp_wrong")
    row = NewTotp.objects.get()
    assert timedelta(minutes=9) < row.expires_at - now() <= timedelta(minutes=10)
    NewTotp.objects.update(expires_at=now())
    assert confirm(client, code_of(second)) == (409, "totp_change_over")
    assert AccessToken.objects.filter(user=wang, revoked_at=None).count() == 2


def test_the_secret_is_told_as_text_address_and_picture_and_kept_unreadable(wang: User) -> None:
    told = begun(staff(wang), wang)
    assert parse_qs(urlsplit(told["otpauth"]).query)["secret"] == [told["totp_secret"]]
    assert {len(row) for row in told["qr"]} == {len(told["qr"])}
    finder = ["1111111", "1000001", "1011101", "1011101", "1011101", "1000001", "1111111"]
    assert [row[:7] for row in told["qr"][:7]] == finder
    with connection.cursor() as cursor:
        cursor.execute("SELECT secret FROM access_newtotp")
        [(stored,)] = cursor.fetchall()
    assert told["totp_secret"].encode() not in bytes(stored)
