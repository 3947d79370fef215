"""Security keys over the REST doors: adding, signing in, stepping up, signing, losing and copying one."""

from __future__ import annotations

import copy
import time
from datetime import timedelta
from typing import Any
from uuid import uuid4

import pytest
from rest_framework.test import APIClient

from hospital.access import services, totp
from hospital.access.models import AccessToken, KeyChallenge, Proof, SecurityKey, User
from hospital.audit.models import AuditEntry
from hospital.common.clock import now
from teleconsult import reporting
from tests.authenticator import Authenticator
from tests.factories import World, make_world

pytestmark = pytest.mark.django_db
PASSWORD = "correct horse battery"


@pytest.fixture
def world() -> World:
    return make_world()


def staff(user: User) -> APIClient:
    token, _ = services.token_issue(life=timedelta(hours=1), user=user)
    return APIClient(HTTP_AUTHORIZATION=f"Bearer {token}")


def post(client: APIClient, path: str, body: Any = None) -> Any:
    return client.post(f"/api/v1/{path}", body or {}, format="json")


def code(user: User, step: int = 0) -> str:
    return totp.code(user.totp_secret, int(time.time()) // totp.STEP_S + step)


def stepped_up(client: APIClient, user: User, **deed: Any) -> None:
    User.objects.filter(id=user.id).update(totp_last_step=0)
    assert post(client, "auth/step-up", {"totp": code(user), **deed}).status_code == 200


def with_key(client: APIClient, user: User, key: Authenticator | None = None) -> Authenticator:
    """The person adds a key, as the account page does."""
    key = key or Authenticator()
    stepped_up(client, user, action="auth.key_add")
    asked = post(client, "auth/keys/options").json()
    body = {"challenge_id": asked["challenge_id"], "credential": key.create(asked["options"]), "name": "蓝色"}
    assert post(client, "auth/keys", body).status_code == 201
    return key


@pytest.fixture
def wang(world: World) -> User:
    user, _, _ = services.user_create(username="wang", name="王", password=PASSWORD)
    world.users["wang"] = user
    from hospital.access.models import Membership

    Membership.objects.create(user=user, institution=world.places["home"], role="scheduler")
    return user


@pytest.fixture
def keyed(wang: User) -> tuple[User, Authenticator]:
    return wang, with_key(staff(wang), wang)


def sign_in(key: Authenticator, **changes: Any) -> Any:
    asked = post(APIClient(), "auth/staff/challenge").json()
    body = {"username": "wang", "password": PASSWORD, "challenge_id": asked["challenge_id"]}
    return post(APIClient(), "auth/staff", body | {"credential": key.get(asked["options"])} | changes)


def test_password_and_key_sign_in(keyed: tuple[User, Authenticator]) -> None:
    answer = sign_in(keyed[1])
    assert answer.status_code == 200
    client = APIClient(HTTP_AUTHORIZATION=f"Bearer {answer.json()['access']}")
    assert client.get("/api/v1/auth/keys").json()["results"][0]["name"] == "蓝色"
    assert AuditEntry.objects.get(action="auth.sign_in").details == {"method": "key"}


def test_a_sign_in_challenge_names_no_credential_and_no_person(keyed: tuple[User, Authenticator]) -> None:
    asked = post(APIClient(), "auth/staff/challenge").json()
    assert set(asked) == {"challenge_id", "expires_at", "options"}
    assert not asked["options"].get("allowCredentials")
    assert asked["options"]["rpId"] == "localhost"


def test_password_or_key_alone_is_nothing(keyed: tuple[User, Authenticator]) -> None:
    assert sign_in(keyed[1], password="wrong").status_code == 401
    assert sign_in(Authenticator()).status_code == 401
    body = {"username": "wang", "password": PASSWORD}
    assert post(APIClient(), "auth/staff", body).status_code == 422
    assert not AccessToken.objects.filter(user=keyed[0], created_at__gt=now()).exists()
    keyed[0].refresh_from_db()
    assert keyed[0].failed_n == 2


def test_another_persons_key_does_not_fit_this_persons_password(
    keyed: tuple[User, Authenticator], world: World
) -> None:
    other = with_key(staff(world.users["expert"]), world.users["expert"])
    answer = sign_in(other)
    assert (answer.status_code, answer.json()["code"]) == (401, "bad_credentials")


@pytest.mark.parametrize(
    "change", [{"origin": "https://hospital.example"}, {"rp_id": "hospital.example"}, {"flags": 0}]
)
def test_another_sites_or_an_untouched_key_opens_nothing(
    keyed: tuple[User, Authenticator], change: dict[str, Any]
) -> None:
    for name, value in change.items():
        setattr(keyed[1], name, value)
    assert sign_in(keyed[1]).status_code == 401


def test_an_answer_counts_once_and_only_for_its_own_challenge(keyed: tuple[User, Authenticator]) -> None:
    key = keyed[1]
    asked = post(APIClient(), "auth/staff/challenge").json()
    other = post(APIClient(), "auth/staff/challenge").json()
    body = {"username": "wang", "password": PASSWORD, "credential": key.get(asked["options"])}
    assert post(APIClient(), "auth/staff", body | {"challenge_id": other["challenge_id"]}).status_code == 401
    assert post(APIClient(), "auth/staff", body | {"challenge_id": asked["challenge_id"]}).status_code == 200
    assert post(APIClient(), "auth/staff", body | {"challenge_id": asked["challenge_id"]}).status_code == 401


def test_a_challenge_ends_after_two_minutes(keyed: tuple[User, Authenticator]) -> None:
    asked = post(APIClient(), "auth/staff/challenge").json()
    KeyChallenge.objects.update(expires_at=now())
    body = {"username": "wang", "password": PASSWORD, "challenge_id": asked["challenge_id"]}
    assert (
        post(APIClient(), "auth/staff", body | {"credential": keyed[1].get(asked["options"])}).status_code
        == 401
    )


def test_one_address_cannot_ask_for_challenges_without_end() -> None:
    KeyChallenge.objects.bulk_create(
        KeyChallenge(
            challenge=n.to_bytes(32, "big"), purpose="sign_in", address="127.0.0.1", expires_at=now()
        )
        for n in range(120)
    )
    answer = post(APIClient(), "auth/staff/challenge")
    assert (answer.status_code, answer["Retry-After"]) == (429, "300")


def test_a_counter_that_did_not_grow_suspends_the_key_for_good(keyed: tuple[User, Authenticator]) -> None:
    user, key = keyed
    copied = copy.copy(key)
    assert sign_in(key).status_code == 200
    copied.count = 1
    assert sign_in(copied).status_code == 401
    assert sign_in(key).status_code == 401
    assert staff(user).get("/api/v1/auth/keys").json()["results"][0]["suspended"] is True
    assert AuditEntry.objects.filter(action="auth.key_suspend", reason="sign_count").exists()


def test_a_key_that_does_not_count_works_every_time(wang: User) -> None:
    key = with_key(staff(wang), wang, Authenticator(counts=False))
    assert [sign_in(key).status_code for _ in range(3)] == [200, 200, 200]


@pytest.mark.parametrize("credential", [{}, {"id": 1}, {"id": "AA", "rawId": "AA"}, {"id": "é" * 40}])
def test_an_answer_that_is_none_is_wrong_credentials(
    keyed: tuple[User, Authenticator], credential: dict[str, Any]
) -> None:
    assert sign_in(keyed[1], credential=credential).status_code == 401


def test_adding_a_key_takes_a_fresh_proof_each_time(wang: User) -> None:
    client = staff(wang)
    answer = post(client, "auth/keys/options")
    assert (answer.status_code, answer.json()["code"]) == (403, "proof_required")
    stepped_up(client, wang, action="auth.key_add")
    assert post(client, "auth/keys/options").status_code == 201
    assert post(client, "auth/keys/options").status_code == 403


def test_a_key_is_registered_once_and_by_whoever_asked(world: World, wang: User) -> None:
    client, key = staff(wang), Authenticator()
    stepped_up(client, wang, action="auth.key_add")
    asked = post(client, "auth/keys/options").json()
    body = {"challenge_id": asked["challenge_id"], "credential": key.create(asked["options"]), "name": "a"}
    stolen = post(staff(world.users["expert"]), "auth/keys", body)
    assert (stolen.status_code, stolen.json()["code"]) == (422, "challenge_invalid")
    assert post(client, "auth/keys", body).status_code == 201
    assert post(client, "auth/keys", body).json()["code"] == "challenge_invalid"
    again = staff(world.users["expert"])
    stepped_up(again, world.users["expert"], action="auth.key_add")
    asked = post(again, "auth/keys/options").json()
    body = {"challenge_id": asked["challenge_id"], "credential": key.create(asked["options"]), "name": "a"}
    assert post(again, "auth/keys", body).json()["code"] == "key_known"


def test_a_registration_from_another_origin_is_refused(wang: User) -> None:
    client = staff(wang)
    stepped_up(client, wang, action="auth.key_add")
    asked = post(client, "auth/keys/options").json()
    credential = Authenticator(origin="http://evil.example").create(asked["options"])
    body = {"challenge_id": asked["challenge_id"], "credential": credential, "name": "a"}
    assert post(client, "auth/keys", body).json()["code"] == "key_refused"
    assert not SecurityKey.objects.exists()


def test_keys_are_the_persons_own(keyed: tuple[User, Authenticator], world: World) -> None:
    key = SecurityKey.objects.get()
    stranger = staff(world.users["expert"])
    assert stranger.get("/api/v1/auth/keys").json()["results"] == []
    assert stranger.delete(f"/api/v1/auth/keys/{key.id}").status_code == 404
    assert staff(keyed[0]).delete(f"/api/v1/auth/keys/{key.id}").status_code == 204
    assert AuditEntry.objects.filter(action="auth.key_remove", object_id=key.id).exists()
    assert sign_in(keyed[1]).status_code == 401


def test_the_last_factor_stays(keyed: tuple[User, Authenticator]) -> None:
    user = keyed[0]
    user.totp_secret = ""
    user.save()
    answer = staff(user).delete(f"/api/v1/auth/keys/{SecurityKey.objects.get().id}")
    assert (answer.status_code, answer.json()["code"]) == (409, "last_factor")
    assert sign_in(keyed[1]).status_code == 200


def test_removing_takes_a_proof_from_the_last_ten_minutes(keyed: tuple[User, Authenticator]) -> None:
    client = staff(keyed[0])
    AccessToken.objects.update(proven_at=now() - timedelta(minutes=11))
    answer = client.delete(f"/api/v1/auth/keys/{SecurityKey.objects.get().id}")
    assert (answer.status_code, answer.json()["code"]) == (403, "step_up_required")


def test_without_totp_no_code_is_right(wang: User) -> None:
    """An empty secret would make codes that anybody can compute."""
    wang.totp_secret = ""
    wang.save()
    body = {"username": "wang", "password": PASSWORD, "totp": code(wang)}
    assert post(APIClient(), "auth/staff", body).status_code == 401


def touch(client: APIClient, key: Authenticator, **deed: Any) -> Any:
    asked = post(client, "auth/step-up/challenge", deed).json()
    answer = key.get(asked["options"])
    return post(client, "auth/step-up", {"challenge_id": asked["challenge_id"], "credential": answer, **deed})


def test_a_touch_steps_up_and_nobody_elses_does(keyed: tuple[User, Authenticator]) -> None:
    client = staff(keyed[0])
    assert touch(client, keyed[1]).status_code == 200
    asked = post(client, "auth/step-up/challenge").json()
    body = {"challenge_id": asked["challenge_id"], "credential": Authenticator().get(asked["options"])}
    assert post(client, "auth/step-up", body).status_code == 403


def test_a_challenge_of_another_sign_in_is_none(keyed: tuple[User, Authenticator]) -> None:
    asked = post(staff(keyed[0]), "auth/step-up/challenge").json()
    body = {"challenge_id": asked["challenge_id"], "credential": keyed[1].get(asked["options"])}
    assert post(staff(keyed[0]), "auth/step-up", body).status_code == 403


def test_who_has_no_key_is_told_so(world: World) -> None:
    answer = post(staff(world.users["desk"]), "auth/step-up/challenge")
    assert (answer.status_code, answer.json()["code"]) == (409, "no_key")


def test_a_touch_answers_only_for_what_it_was_asked(keyed: tuple[User, Authenticator]) -> None:
    client, key = staff(keyed[0]), keyed[1]
    asked = post(client, "auth/step-up/challenge", {"action": "auth.key_add"}).json()
    body = {"challenge_id": asked["challenge_id"], "credential": key.get(asked["options"])}
    assert post(client, "auth/step-up", body | {"action": "report.sign"}).status_code == 403
    assert not Proof.objects.filter(used_at=None).exists()


@pytest.fixture
def draft(world: World) -> Any:
    exam = world.ended()
    return reporting.report_save(
        principal=world.principals["expert"], exam_id=exam.id, findings="肝脏", impression="无", revision=0
    )


def test_one_touch_signs_one_report_in_the_version_that_was_seen(world: World, draft: Any) -> None:
    user = world.users["expert"]
    client = staff(user)
    key = with_key(client, user)
    deed = {"action": "report.sign", "object_id": str(draft.id), "version": str(draft.revision)}
    assert touch(client, key, **deed | {"object_id": str(uuid4())}).status_code == 200
    assert post(client, f"reports/{draft.id}/sign").json()["code"] == "proof_required"
    assert touch(client, key, **deed).status_code == 200
    reporting.report_save(
        principal=world.principals["expert"],
        exam_id=draft.exam_id,
        findings="改",
        impression="无",
        revision=1,
    )
    assert post(client, f"reports/{draft.id}/sign").json()["code"] == "proof_required"
    assert touch(client, key, **deed | {"version": "2"}).status_code == 200
    assert post(client, f"reports/{draft.id}/sign").status_code == 200
    assert Proof.objects.filter(used_at__isnull=False, version="2", method="key").count() == 1


def test_a_proof_for_one_deed_ends_after_two_minutes(world: World, draft: Any) -> None:
    user = world.users["expert"]
    client = staff(user)
    stepped_up(client, user, action="report.sign", object_id=str(draft.id), version=str(draft.revision))
    Proof.objects.update(expires_at=now())
    assert post(client, f"reports/{draft.id}/sign").json()["code"] == "proof_required"


def test_the_first_lease_takes_a_fresh_proof_and_coming_back_does_not(world: World) -> None:
    exam = world.ready()
    client = staff(world.users["expert"])
    AccessToken.objects.update(proven_at=now() - timedelta(minutes=11))
    answer = post(client, f"exams/{exam.id}/lease")
    assert (answer.status_code, answer.json()["code"]) == (403, "step_up_required")
    stepped_up(client, world.users["expert"])
    assert post(client, f"exams/{exam.id}/lease").status_code == 200
    AccessToken.objects.update(proven_at=now() - timedelta(minutes=11))
    assert client.delete(f"/api/v1/exams/{exam.id}/lease").status_code == 200
    assert post(client, f"exams/{exam.id}/lease").status_code == 200


def test_an_unknown_name_is_locked_like_a_known_one(wang: User) -> None:
    for name in ("wang", "nobody"):
        body = {"username": name, "password": "x", "totp": "000000"}
        found = [post(APIClient(), "auth/staff", body) for _ in range(6)]
        assert [one.status_code for one in found] == [401] * 5 + [429], name
        assert found[-1].json()["code"] == "locked"
