from __future__ import annotations

import time
from datetime import timedelta
from typing import Any

import pytest
from django.test import Client
from rest_framework.test import APIClient

from hospital.access import selectors, services, sessions, totp
from hospital.access.models import AccessToken, Membership, RefreshToken, User
from hospital.audit.models import AuditEntry
from hospital.common.clock import now
from hospital.common.errors import Forbidden, Invalid
from tests.factories import World, make_world

pytestmark = pytest.mark.django_db
PASSWORD, RENEWED = "correct horse battery", "another horse battery"
OPERATOR_S, STAFF_S = 600, 1800


@pytest.fixture
def world() -> World:
    return make_world()


def code(user: User, step: int = 0) -> str:
    return totp.code(user.totp_secret, int(time.time()) // totp.STEP_S + step)


def signed_in(user: User) -> tuple[APIClient, AccessToken]:
    token, row = services.token_issue(life=timedelta(hours=1), user=user)
    return APIClient(HTTP_AUTHORIZATION=f"Bearer {token}"), row


def unused_for(row: AccessToken, seconds: float) -> None:
    AccessToken.objects.filter(id=row.id).update(last_used_at=now() - timedelta(seconds=seconds))


@pytest.mark.parametrize(
    ("who", "idle_s"), [("expert", OPERATOR_S), ("bedside", OPERATOR_S), ("desk", STAFF_S)]
)
def test_an_unused_sign_in_ends_after_the_time_of_its_role(world: World, who: str, idle_s: int) -> None:
    client, row = signed_in(world.users[who])
    unused_for(row, idle_s - 20)
    assert client.get("/api/v1/auth/sessions").status_code == 200
    unused_for(row, idle_s + 1)
    answer = client.get("/api/v1/auth/sessions")
    assert (answer.status_code, answer.json()["code"]) == (401, "not_authenticated")


def test_use_keeps_a_sign_in_and_a_pages_own_questions_do_not(world: World) -> None:
    client, row = signed_in(world.users["desk"])
    unused_for(row, STAFF_S - 60)
    client.get("/api/v1/auth/sessions", headers={"X-Background": "1"})
    row.refresh_from_db()
    assert (now() - row.last_used_at).total_seconds() > STAFF_S - 70
    client.get("/api/v1/auth/sessions")
    row.refresh_from_db()
    assert (now() - row.last_used_at).total_seconds() < 5


def test_a_page_at_an_open_exam_keeps_its_sign_in_and_after_the_exam_no_more(world: World) -> None:
    from teleconsult import live
    from teleconsult.models import Exam, Presence

    exam = world.book()
    principal = world.principals["bedside"]
    assert principal.token_id is not None
    Presence.objects.create(exam=exam, role="bedside", user_id=principal.id, peer_id="a")
    row = AccessToken.objects.get(id=principal.token_id)
    for state, kept in (("booked", True), ("cancelled", False)):
        Exam.objects.filter(id=exam.id).update(state=state)
        unused_for(row, 300)
        live.page_beat(exam_id=exam.id, role="bedside", peer_id="a", token_id=row.id)
        row.refresh_from_db()
        assert ((now() - row.last_used_at).total_seconds() < 5) is kept, state


def test_people_see_and_end_their_own_sign_ins_and_nobody_elses(world: World) -> None:
    client, _ = signed_in(world.users["desk"])
    _, other = signed_in(world.users["desk"])
    _, stranger = signed_in(world.users["expert"])
    listed = client.get("/api/v1/auth/sessions").json()["results"]
    assert {str(other.id)} < {found["id"] for found in listed}
    assert str(stranger.id) not in {found["id"] for found in listed}
    assert [found["current"] for found in listed].count(True) == 1
    assert client.delete(f"/api/v1/auth/sessions/{stranger.id}").status_code == 404
    stranger.refresh_from_db()
    assert stranger.revoked_at is None
    assert client.delete(f"/api/v1/auth/sessions/{other.id}").status_code == 204
    assert selectors.principal_of_token_id(other.id) is None
    assert AuditEntry.objects.filter(action="auth.session_revoke", object_id=other.id).exists()


def test_a_password_of_ninety_days_opens_nothing_but_its_own_change(world: World) -> None:
    user, _, _ = services.user_create(username="old", name="旧", password=PASSWORD)
    User.objects.filter(id=user.id).update(password_set_at=now() - timedelta(days=91))
    with pytest.raises(Forbidden, match="password_old"):
        services.staff_sign_in(username="old", password=PASSWORD, code=code(user))
    assert not AccessToken.objects.filter(user=user).exists()
    services.staff_sign_in(username="old", password=PASSWORD, code=code(user, 1), new_password=RENEWED)
    user.refresh_from_db()
    assert user.password_set_at > now() - timedelta(minutes=1)


@pytest.mark.parametrize("weak", ["short", "password12", "my.username1", "1234567890"])
def test_a_weak_new_password_is_refused_before_the_code_is_used_up(weak: str) -> None:
    user, _, _ = services.user_create(username="username", name="名", password=PASSWORD)
    with pytest.raises(Invalid, match="password_weak"):
        services.staff_sign_in(username="username", password=PASSWORD, code=code(user), new_password=weak)
    assert services.staff_sign_in(username="username", password=PASSWORD, code=code(user))


def test_the_old_password_is_no_new_one() -> None:
    user, _, _ = services.user_create(username="again", name="又", password=PASSWORD)
    with pytest.raises(Invalid, match="password_same"):
        services.staff_sign_in(username="again", password=PASSWORD, code=code(user), new_password=PASSWORD)


def test_changing_the_password_ends_the_persons_other_sign_ins(world: World) -> None:
    user, _, _ = services.user_create(username="wang", name="王", password=PASSWORD)
    Membership.objects.create(user=user, institution=world.places["home"], role="scheduler")
    client, row = signed_in(user)
    _, other = signed_in(user)
    body = {"password": PASSWORD, "new_password": RENEWED, "totp": code(user)}
    assert client.post("/api/v1/auth/password", body, format="json").status_code == 204
    assert selectors.principal_of_token_id(other.id) is None
    assert selectors.principal_of_token_id(row.id) is not None
    services.staff_sign_in(username="wang", password=RENEWED, code=code(user, 1))


def test_a_wrong_old_password_changes_nothing_and_counts(world: World) -> None:
    user, _, _ = services.user_create(username="li", name="李", password=PASSWORD)
    Membership.objects.create(user=user, institution=world.places["home"], role="scheduler")
    client, _ = signed_in(user)
    body = {"password": "wrong", "new_password": RENEWED, "totp": code(user)}
    answer = client.post("/api/v1/auth/password", body, format="json")
    assert (answer.status_code, answer.json()["code"]) == (401, "bad_credentials")
    user.refresh_from_db()
    assert user.failed_n == 1


def test_the_page_asks_for_a_new_password_when_the_old_one_is_too_old(world: World) -> None:
    user, _, _ = services.user_create(username="page", name="页", password=PASSWORD)
    Membership.objects.create(user=user, institution=world.places["home"], role="scheduler")
    User.objects.filter(id=user.id).update(password_set_at=now() - timedelta(days=91))
    browser = Client(HTTP_HOST="localhost")
    form = {"username": "page", "password": PASSWORD, "totp": code(user)}
    asked = browser.post("/console/sign-in/", form)
    assert asked.status_code == 403
    assert 'name="new_password"' in asked.content.decode()
    renewed = browser.post("/console/sign-in/", form | {"totp": code(user, 1), "new_password": RENEWED})
    assert renewed.status_code == 302
    assert "account.js" in browser.get("/console/account/").content.decode()


def patient(world: World) -> dict[str, Any]:
    from hospital.messages.models import Message

    client = APIClient()
    client.post("/api/v1/auth/patient/code", {"phone": "13900000001"}, format="json")
    message = Message.objects.order_by("-created_at").first()
    assert message is not None
    body = {"phone": "13900000001", "code": message.code, "document_number": "310229195003150012"}
    answer = client.post("/api/v1/auth/patient/token", body, format="json")
    assert answer.status_code == 200
    return dict(answer.json())


def exchange(refresh: str) -> Any:
    return APIClient().post("/api/v1/auth/patient/refresh", {"refresh": refresh}, format="json")


def opens(token: str) -> bool:
    return APIClient(HTTP_AUTHORIZATION=f"Bearer {token}").get("/api/v1/me/exams").status_code == 200


def test_a_refresh_token_gives_the_next_pair_and_ends_the_last_access(world: World) -> None:
    first = patient(world)
    answer = exchange(first["refresh"])
    assert answer.status_code == 200
    assert opens(answer.json()["access"])
    assert not opens(first["access"])


def test_a_refresh_token_seen_twice_ends_its_family_and_is_on_record(world: World) -> None:
    first = patient(world)
    second = exchange(first["refresh"]).json()
    reused = exchange(first["refresh"])
    assert (reused.status_code, reused.json()["code"]) == (401, "refresh_invalid")
    assert not opens(second["access"])
    assert exchange(second["refresh"]).status_code == 401
    assert AuditEntry.objects.filter(action="auth.refresh", reason="refresh_reused").exists()


@pytest.mark.parametrize("token", ["", "x", "é" * 40, "a" * 80])
def test_a_refresh_token_that_is_none_opens_nothing(token: str) -> None:
    assert exchange(token).status_code in (401, 422)


def test_a_refresh_token_lives_a_month(world: World) -> None:
    first = patient(world)
    RefreshToken.objects.update(expires_at=now())
    assert exchange(first["refresh"]).status_code == 401


def test_a_patient_ends_a_lost_phones_sign_in_with_all_that_refreshes_it(world: World) -> None:
    first = patient(world)
    client = APIClient(HTTP_AUTHORIZATION=f"Bearer {first['access']}")
    found = client.get("/api/v1/auth/sessions").json()["results"][0]
    assert client.delete(f"/api/v1/auth/sessions/{found['id']}").status_code == 204
    assert exchange(first["refresh"]).status_code == 401


def test_idle_ends_follow_the_roles_a_person_has() -> None:
    assert sessions.idle_s_of(["scheduler", "remote_physician"]) == OPERATOR_S
    assert sessions.idle_s_of(["scheduler"]) == STAFF_S
