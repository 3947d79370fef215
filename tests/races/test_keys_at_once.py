"""A touch and a proof are used up once, also by two requests at the same moment."""

from __future__ import annotations

import time
from uuid import UUID

import pytest

from hospital.access import keys, services, totp
from hospital.access.keys import Deed, Touch
from hospital.access.models import AccessToken, KeyChallenge, NewTotp, Proof, User
from hospital.access.new_totp import totp_change_confirm
from hospital.access.proofs import proof_consume
from hospital.access.selectors import principal_of_user
from hospital.audit.models import AuditEntry
from hospital.common.clock import now
from hospital.common.errors import Conflict, Forbidden, Unauthenticated
from tests.authenticator import Authenticator
from tests.factories import World, make_world
from tests.races.at_once import together

pytestmark = pytest.mark.django_db(transaction=True)
DEED = Deed(action="report.sign", version="3")


def keyed(user: User) -> Authenticator:
    """A key that does not count: its counter alone would let only one through."""
    key = Authenticator(counts=False)
    row = AccessToken.objects.create(digest=b"k" * 32, user=user, expires_at=now())
    principal = principal_of_user(user, row.id)
    asked = keys.register_challenge(principal=principal)
    keys.key_register(
        principal=principal,
        challenge_id=UUID(asked["challenge_id"]),
        credential=key.create(asked["options"]),
        name="key",
    )
    return key


def test_one_touch_sent_four_times_at_once_signs_in_once() -> None:
    user, password, _ = services.user_create(username="expert", name="专家")
    key = keyed(user)
    asked = keys.sign_in_challenge()
    touch = Touch(challenge_id=UUID(asked["challenge_id"]), credential=key.get(asked["options"]))
    before = AccessToken.objects.count()
    results = together(
        [lambda: services.staff_sign_in(username="expert", password=password, touch=touch)] * 4
    )
    assert AccessToken.objects.count() == before + 1
    assert sum(isinstance(result, Unauthenticated) for result in results) == 3
    assert KeyChallenge.objects.filter(purpose="sign_in", used_at__isnull=False).count() == 1


@pytest.fixture
def world() -> World:
    return make_world()


def test_one_proof_is_good_for_one_of_four_deeds_at_once(world: World) -> None:
    principal = world.principals["expert"]
    assert principal.token_id is not None
    Proof.objects.create(
        token_id=principal.token_id,
        action=DEED.action,
        version=DEED.version,
        method="key",
        expires_at=now() + services.TICKET_LIFE,
    )
    results = together([lambda: proof_consume(principal=principal, deed=DEED)] * 4)
    assert sum(isinstance(result, Forbidden) for result in results) == 3
    assert results.count(None) == 1


def test_one_code_confirms_a_new_authenticator_once_of_four_at_once(world: World) -> None:
    principal = world.principals["expert"]
    assert principal.token_id is not None
    secret, ends = totp.new_secret(), now() + services.TICKET_LIFE
    NewTotp.objects.create(user_id=principal.id, token_id=principal.token_id, secret=secret, expires_at=ends)
    code = totp.code(secret, int(time.time()) // totp.STEP_S)
    results = together([lambda: totp_change_confirm(principal=principal, code=code)] * 4)
    assert results.count(None) == 1
    assert sum(isinstance(result, Conflict) for result in results) == 3
    assert AuditEntry.objects.filter(action="auth.totp_change", outcome="done").count() == 1
