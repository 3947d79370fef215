"""Three administrators: each has deeds of its own, none can do another's, nobody can give himself anything."""

from __future__ import annotations

import time
from functools import partial
from typing import Any

import pytest
from django.db import IntegrityError, transaction

from hospital.access import activation, administration, guarding, selectors, services, staffing, totp
from hospital.access.models import AccessToken, Activation, Membership, User
from hospital.access.principals import Principal
from hospital.audit.models import AuditEntry
from hospital.common.errors import Conflict, Forbidden, Invalid, NotFound, TooMany, Unauthenticated
from tests.factories import World, make_world
from tests.races.at_once import together

pytestmark = pytest.mark.django_db
PASSWORD = "a horse battery staple"
NEW = {"username": "he.nurse", "name": "何敏", "role": "nurse"}


@pytest.fixture
def world() -> World:
    return make_world()


def person(world: World, username: str, role: str, place: str = "home") -> Principal:
    user = User.objects.create(username=username, name=username, password="!", totp_secret="JBSWY3DPEHPK3PXP")
    Membership.objects.create(user=user, institution=world.places[place], role=role)
    _, row = services.token_issue(life=services.STAFF_LIFE, user=user)
    found = selectors.principal_of_token_id(row.id)
    assert found is not None
    return found


@pytest.fixture
def system(world: World) -> Principal:
    return person(world, "system1", "system_admin")


@pytest.fixture
def security(world: World) -> Principal:
    return person(world, "security1", "security_admin")


def added(world: World, system: Principal, **changes: Any) -> tuple[User, str]:
    given = NEW | {"institution_id": world.places["home"].id} | changes
    return staffing.member_add(principal=system, **given)


def code_of(secret: str, step: int = 0) -> str:
    return totp.code(secret, int(time.time()) // totp.STEP_S + step)


def activated(username: str, code: str) -> None:
    secret, _ = activation.activation_begin(username=username, code=code)
    activation.activation_finish(username=username, code=code, password=PASSWORD, totp=code_of(secret))


# the system administrator


def test_a_new_account_is_closed_until_its_person_used_the_code_once(world: World, system: Principal) -> None:
    user, code = added(world, system)
    assert not User.objects.get(id=user.id).is_active
    secret, address = activation.activation_begin(username="he.nurse", code=code.lower().replace("-", " "))
    assert secret in address
    activation.activation_finish(username="he.nurse", code=code, password=PASSWORD, totp=code_of(secret))
    services.staff_sign_in(username="he.nurse", password=PASSWORD, code=code_of(secret, 1))
    with pytest.raises(Unauthenticated, match="activation_invalid"):
        activation.activation_begin(username="he.nurse", code=code)


def test_an_activation_code_is_guessed_five_times_at_most(world: World, system: Principal) -> None:
    _, code = added(world, system)
    for _ in range(activation.TRIES_MAX):
        with pytest.raises(Unauthenticated):
            activation.activation_begin(username="he.nurse", code="AAAA-AAAA-AAAA-AAAA")
    with pytest.raises(Unauthenticated):
        activation.activation_begin(username="he.nurse", code=code)
    assert AuditEntry.objects.filter(action="auth.activate", outcome="refused").count() == 5


def test_both_factors_are_set_together_or_not_at_all(world: World, system: Principal) -> None:
    user, code = added(world, system)
    with pytest.raises(Invalid, match="totp_wrong"):
        activation.activation_finish(username="he.nurse", code=code, password=PASSWORD, totp="000000")
    assert not User.objects.get(id=user.id).is_active


def test_the_code_is_kept_as_a_digest_and_never_in_the_log(world: World, system: Principal) -> None:
    _, code = added(world, system)
    kept = str(list(Activation.objects.values())) + str(list(AuditEntry.objects.values()))
    assert code not in kept and code.replace("-", "") not in kept


@pytest.mark.parametrize("role", ["system_admin", "security_admin", "audit_admin"])
def test_the_system_administrator_makes_no_administrator(world: World, system: Principal, role: str) -> None:
    home = world.places["home"].id
    with pytest.raises(Forbidden, match="role_not_yours"):
        added(world, system, role=role)
    with pytest.raises(Forbidden, match="role_not_yours"):
        staffing.role_give(principal=system, user_id=world.users["desk"].id, institution_id=home, role=role)


def test_nobody_works_on_an_account_of_another_hospital(
    world: World, system: Principal, security: Principal
) -> None:
    stranger = world.users["other_desk"].id
    with pytest.raises(NotFound):
        staffing.member_deactivate(principal=system, user_id=stranger)
    with pytest.raises(NotFound):
        guarding.account_lock(principal=security, user_id=stranger, reason="x")
    with pytest.raises(NotFound):
        added(world, system, institution_id=world.places["other"].id)
    assert not administration.staff_of(system, "admin.staff").filter(id=stranger).exists()


def test_a_deactivated_account_is_out_at_once(world: World, system: Principal) -> None:
    desk = world.principals["desk"]
    staffing.member_deactivate(principal=system, user_id=desk.id)
    assert desk.token_id is not None and selectors.principal_of_token_id(desk.token_id) is None


def test_roles_are_given_once_and_taken_back(world: World, system: Principal) -> None:
    given: dict[str, Any] = {
        "user_id": world.users["desk"].id,
        "institution_id": world.places["home"].id,
        "role": "nurse",
    }
    row = staffing.role_give(principal=system, **given)
    with pytest.raises(Conflict, match="role_held"):
        staffing.role_give(principal=system, **given)
    staffing.role_take(principal=system, membership_id=row.id)
    assert not Membership.objects.filter(id=row.id).exists()
    assert AuditEntry.objects.filter(action="admin.role_take").exists()


# a lost factor takes two people


def test_a_reset_has_no_code_before_the_second_person_agreed(
    world: World, system: Principal, security: Principal
) -> None:
    user = world.users["desk"]
    row = staffing.reset_ask(principal=system, user_id=user.id)
    assert Activation.objects.get(id=row.id).code_digest is None
    code = guarding.reset_approve(principal=security, activation_id=row.id)
    activated("desk", code)
    assert AccessToken.objects.filter(user=user, revoked_at=None).count() == 0
    with pytest.raises(Conflict, match="reset_over"):
        guarding.reset_approve(principal=security, activation_id=row.id)


def test_nobody_agrees_to_a_reset_of_his_own(world: World, system: Principal, security: Principal) -> None:
    row = staffing.reset_ask(principal=system, user_id=security.id)
    with pytest.raises(Forbidden, match="own_account"):
        guarding.reset_approve(principal=security, activation_id=row.id)


@pytest.mark.parametrize("same", ["asked_by_id", "user_id"])
def test_the_database_too_wants_two_people(
    world: World, system: Principal, security: Principal, same: str
) -> None:
    row = staffing.reset_ask(principal=system, user_id=world.users["desk"].id)
    with pytest.raises(IntegrityError), transaction.atomic():
        Activation.objects.filter(id=row.id).update(approved_by=getattr(row, same))
    with pytest.raises(IntegrityError), transaction.atomic():
        Activation.objects.filter(id=row.id).update(code_digest=b"x" * 32)


# the security administrator


def test_an_administrator_is_made_by_the_security_administrator(world: World, security: Principal) -> None:
    guarding.administrator_grant(
        principal=security, user_id=world.users["desk"].id,
        institution_id=world.places["home"].id, role="audit_admin",
    )  # fmt: skip
    assert Membership.objects.get(user=world.users["desk"], role="audit_admin").granted_by_id == security.id


def test_one_person_administers_one_thing(world: World, security: Principal) -> None:
    grant: dict[str, Any] = {"principal": security, "user_id": world.users["desk"].id}
    home = world.places["home"].id
    guarding.administrator_grant(**grant, institution_id=home, role="audit_admin")
    with pytest.raises(Conflict, match="one_administration"):
        guarding.administrator_grant(**grant, institution_id=home, role="system_admin")


@pytest.mark.parametrize("role", ["system_admin", "security_admin", "audit_admin", "nurse"])
def test_nobody_grants_himself_anything(
    world: World, system: Principal, security: Principal, role: str
) -> None:
    home = world.places["home"].id
    with pytest.raises((Forbidden, Invalid)):
        guarding.administrator_grant(principal=security, user_id=security.id, institution_id=home, role=role)
    with pytest.raises(Forbidden):
        staffing.role_give(principal=system, user_id=system.id, institution_id=home, role=role)
    with pytest.raises(IntegrityError), transaction.atomic():
        Membership.objects.create(
            user_id=system.id, institution_id=home, role="nurse", granted_by_id=system.id
        )


def test_a_locked_account_is_out_until_it_is_unlocked(
    world: World, system: Principal, security: Principal
) -> None:
    user, code = added(world, system)
    activated("he.nurse", code)
    secret = User.objects.get(id=user.id).totp_secret
    guarding.account_lock(principal=security, user_id=user.id, reason="设备丢失")
    with pytest.raises(TooMany, match="locked"):
        services.staff_sign_in(username="he.nurse", password=PASSWORD, code=code_of(secret, 1))
    guarding.account_unlock(principal=security, user_id=user.id)
    services.staff_sign_in(username="he.nurse", password=PASSWORD, code=code_of(secret, 1))
    with pytest.raises(Conflict, match="not_locked"):
        guarding.account_unlock(principal=security, user_id=user.id)


def test_a_colleagues_sign_in_is_ended_and_listed_no_more(world: World, security: Principal) -> None:
    desk = world.principals["desk"]
    assert desk.token_id is not None
    guarding.session_end(principal=security, session_id=desk.token_id)
    assert str(desk.token_id) not in {row["id"] for row in administration.sessions_json(security)}
    with pytest.raises(NotFound):
        guarding.session_end(principal=security, session_id=desk.token_id)


def test_a_new_hospital_gets_its_first_administrator_from_outside(
    world: World, system: Principal, security: Principal
) -> None:
    place = staffing.institution_add(
        principal=system, name="新院", name_en="New", short_name="新", region_code="330421",
        uscc="91350100M000100Y43",
    )  # fmt: skip
    guarding.administrator_grant(
        principal=security, user_id=world.users["desk"].id, institution_id=place.id, role="system_admin"
    )
    with pytest.raises(NotFound):
        guarding.administrator_grant(
            principal=security, user_id=world.users["bedside"].id, institution_id=place.id, role="audit_admin"
        )


def test_no_secret_is_part_of_what_administrators_see(
    world: World, system: Principal, security: Principal, settings: Any
) -> None:
    users = list(administration.staff_of(security, "admin.security"))
    seen = str(
        [
            administration.accounts_json(security, users),
            administration.keys_json(),
            administration.permissions_json(),
        ]
    )
    for secret in (settings.FIELD_KEY, settings.SECRET_KEY, "JBSWY3DPEHPK3PXP"):
        assert secret not in seen


# at once


@pytest.mark.django_db(transaction=True)
def test_two_security_administrators_cannot_revoke_each_other(world: World) -> None:
    """Whoever comes second has no office any more: one always stays."""
    people = [person(world, f"security{number}", "security_admin") for number in (1, 2)]
    rows = {one.id: Membership.objects.get(user_id=one.id).id for one in people}
    results = together(
        [
            partial(guarding.administrator_revoke, principal=me, membership_id=rows[other.id])
            for me, other in (people, people[::-1])
        ]
    )
    assert Membership.objects.filter(role="security_admin").count() == 1
    assert sum(isinstance(result, Exception) for result in results) == 1
