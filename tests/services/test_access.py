from __future__ import annotations

import time
from datetime import timedelta
from typing import Any

import argon2
import pytest
from django.contrib.auth.hashers import Argon2PasswordHasher

from hospital.access import selectors, services, totp
from hospital.access.models import AccessToken, Ticket, User
from hospital.access.principals import SYSTEM
from hospital.access.table import ACTIONS, allowed, require
from hospital.audit.models import AuditEntry
from hospital.common.clock import now
from hospital.common.errors import Forbidden, TooMany, Unauthenticated
from tests.factories import World, make_world

pytestmark = pytest.mark.django_db


@pytest.fixture
def user() -> tuple[str, str, str]:
    made, password, secret = services.user_create(username="expert", name="专家")
    return made.username, password, secret


def code_at(secret: str, steps: int = 0) -> str:
    return totp.code(secret, int(time.time()) // totp.STEP_S + steps)


@pytest.mark.parametrize(
    ("seconds", "code"),
    [(59, "287082"), (1111111109, "081804"), (1234567890, "005924"), (20000000000, "353130")],
)
def test_codes_follow_the_vectors_of_rfc_6238(seconds: int, code: str) -> None:
    assert totp.code("GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ", seconds // 30) == code


def test_password_and_code_together_give_a_token(user: tuple[str, str, str]) -> None:
    name, password, secret = user
    token, _ = services.staff_sign_in(username=name, password=password, code=code_at(secret))
    principal = selectors.principal_of_bearer(token)
    assert principal is not None
    assert principal.kind == "staff"


def test_only_the_digest_of_a_token_is_stored(user: tuple[str, str, str]) -> None:
    name, password, secret = user
    token, row = services.staff_sign_in(username=name, password=password, code=code_at(secret))
    assert token.encode() not in bytes(row.digest)


def test_a_code_counts_once(user: tuple[str, str, str]) -> None:
    name, password, secret = user
    code = code_at(secret)
    services.staff_sign_in(username=name, password=password, code=code)
    with pytest.raises(Unauthenticated):
        services.staff_sign_in(username=name, password=password, code=code)


def test_wrong_name_password_and_code_get_the_same_answer(user: tuple[str, str, str]) -> None:
    name, password, secret = user
    for given in (
        (name, "x", code_at(secret)),
        (name, password, "000000"),
        ("nobody", password, code_at(secret)),
    ):
        with pytest.raises(Unauthenticated, match="bad_credentials"):
            services.staff_sign_in(username=given[0], password=given[1], code=given[2])


def test_five_failures_lock_the_account_and_say_until_when(user: tuple[str, str, str]) -> None:
    name, password, secret = user
    for _ in range(5):
        with pytest.raises(Unauthenticated):
            services.staff_sign_in(username=name, password="wrong", code=code_at(secret))
    with pytest.raises(TooMany) as caught:
        services.staff_sign_in(username=name, password=password, code=code_at(secret))
    assert caught.value.code == "locked"
    User.objects.update(locked_until=now() - timedelta(seconds=1))
    assert services.staff_sign_in(username=name, password=password, code=code_at(secret))


def test_sign_ins_and_failures_are_in_the_log(user: tuple[str, str, str]) -> None:
    name, password, secret = user
    with pytest.raises(Unauthenticated):
        services.staff_sign_in(username=name, password="wrong", code=code_at(secret))
    services.staff_sign_in(username=name, password=password, code=code_at(secret))
    outcomes = (
        AuditEntry.objects.filter(action="auth.sign_in").order_by("at").values_list("outcome", flat=True)
    )
    assert list(outcomes) == ["refused", "done"]


@pytest.mark.parametrize("change", [{"revoked_at": now()}, {"expires_at": now()}])
def test_ended_tokens_open_nothing(user: tuple[str, str, str], change: dict[str, object]) -> None:
    name, password, secret = user
    token, _ = services.staff_sign_in(username=name, password=password, code=code_at(secret))
    AccessToken.objects.update(**change)
    assert selectors.principal_of_bearer(token) is None


def test_people_who_left_are_out_at_once(user: tuple[str, str, str]) -> None:
    name, password, secret = user
    token, _ = services.staff_sign_in(username=name, password=password, code=code_at(secret))
    User.objects.update(is_active=False)
    assert selectors.principal_of_bearer(token) is None


def test_a_proof_of_identity_is_good_for_one_signature() -> None:
    principal = make_world().principals["expert"]
    with pytest.raises(Forbidden, match="proof_required"):
        services.proof_consume(principal=principal)
    services.step_up(principal=principal, code=code_at("JBSWY3DPEHPK3PXP"))
    services.proof_consume(principal=principal)
    with pytest.raises(Forbidden, match="proof_required"):
        services.proof_consume(principal=principal)


def test_an_old_proof_is_no_proof() -> None:
    principal = make_world().principals["expert"]
    services.step_up(principal=principal, code=code_at("JBSWY3DPEHPK3PXP"))
    AccessToken.objects.update(stepped_up_at=now() - timedelta(minutes=11))
    with pytest.raises(Forbidden, match="proof_required"):
        services.proof_consume(principal=principal)


def test_a_ticket_opens_one_socket_within_30_seconds() -> None:
    world = make_world()
    ticket, _ = services.ticket_issue(principal=world.principals["expert"])
    assert services.ticket_redeem(ticket=ticket).id == world.users["expert"].id
    with pytest.raises(Unauthenticated, match="ticket_invalid"):
        services.ticket_redeem(ticket=ticket)
    late, _ = services.ticket_issue(principal=world.principals["expert"])
    Ticket.objects.update(expires_at=now())
    with pytest.raises(Unauthenticated, match="ticket_invalid"):
        services.ticket_redeem(ticket=late)


@pytest.fixture
def world() -> World:
    return make_world()


def test_every_action_has_somebody_and_nobody_has_every_action(world: World) -> None:
    for action, row in ACTIONS.items():
        assert row, action
    for principal in world.principals.values():
        assert not all(allowed(principal, action) for action in ACTIONS)


def test_a_misspelt_permission_raises_and_is_never_an_answer(world: World) -> None:
    for principal in (world.principals["desk"], SYSTEM, None):
        with pytest.raises(KeyError):
            require(principal, "exam.reed")


def test_nobody_is_not_authenticated_and_the_wrong_role_is_not_permitted(world: World) -> None:
    with pytest.raises(Unauthenticated):
        require(None, "exam.read")
    with pytest.raises(Forbidden):
        require(world.principals["desk"], "exam.lease")


def test_a_kept_password_costs_its_finder_memory_and_time(real_argon2: None) -> None:
    """At least what OWASP asks of argon2id: 19 MiB, two rounds."""
    user, _, _ = services.user_create(username="known", name="名", password="correct horse battery")
    kept = argon2.extract_parameters(user.password.removeprefix("argon2"))
    assert kept.type is argon2.Type.ID
    assert kept.memory_cost >= 19 * 1024 and kept.time_cost >= 2


@pytest.mark.parametrize("name", ["known", "locked", "nobody", "left"])
def test_every_wrong_sign_in_costs_the_same_work(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """One argon2 each, whatever the name: time does not tell who exists, is locked or has left."""
    for username in ("known", "locked", "left"):
        services.user_create(username=username, name="名", password="correct horse battery")
    User.objects.filter(username="locked").update(locked_until=now() + timedelta(minutes=5))
    User.objects.filter(username="left").update(is_active=False)
    work: list[str] = []
    for method in ("encode", "verify"):
        original = getattr(Argon2PasswordHasher, method)

        def counted(self: Any, *given: Any, _original: Any = original, **named: Any) -> Any:
            work.append("argon2")
            return _original(self, *given, **named)

        monkeypatch.setattr(Argon2PasswordHasher, method, counted)
    with pytest.raises((Unauthenticated, TooMany)):
        services.staff_sign_in(username=name, password="wrong", code="000000")
    assert work == ["argon2"]
