from __future__ import annotations

import time
from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest
from django.test import Client
from django.urls import URLPattern, URLResolver, get_resolver
from rest_framework.test import APIClient

from hospital.access import services, totp
from hospital.access.models import AccessToken, LoginCode, Membership, PatientAccount, User
from hospital.access.table import ACTIONS
from hospital.audit.models import AuditEntry
from hospital.common.api import PUBLIC, Door
from hospital.common.clock import now
from hospital.messages.models import Message
from tests.factories import World, make_world

pytestmark = pytest.mark.django_db
SECRET, PASSWORD = "JBSWY3DPEHPK3PXP", "correct horse battery"
PHONE, DOCUMENT = "13900000001", "310229195003150012"
PROBLEM = "application/problem+json"


@pytest.fixture
def world() -> World:
    return make_world()


def code(step: int = 0) -> str:
    return totp.code(SECRET, int(time.time()) // totp.STEP_S + step)


def staff(world: World, who: str = "expert") -> APIClient:
    token, _ = services.token_issue(life=timedelta(hours=1), user=world.users[who])
    return APIClient(HTTP_AUTHORIZATION=f"Bearer {token}")


@pytest.fixture
def known() -> dict[str, str]:
    user, password, _ = services.user_create(username="wang", name="王", password=PASSWORD)
    User.objects.filter(id=user.id).update(totp_secret=SECRET)
    return {"username": "wang", "password": password}


def post(path: str, body: Any, client: APIClient | None = None) -> Any:
    return (client or APIClient()).post(f"/api/v1/{path}", body, format="json")


def test_password_and_code_give_a_bearer_token_that_opens_doors(known: dict[str, str], world: World) -> None:
    Membership.objects.create(
        user=User.objects.get(username="wang"), institution=world.places["home"], role="scheduler"
    )
    answer = post("auth/staff", known | {"totp": code()})
    assert answer.status_code == 200
    client = APIClient(HTTP_AUTHORIZATION=f"Bearer {answer.json()['access']}")
    assert client.get("/api/v1/patients?q=zzz").status_code == 200


@pytest.mark.parametrize(
    "change",
    [
        {"password": "wrong"},
        {"totp": "000000"},
        {"totp": "１２３４５６"},
        {"totp": "abc"},
        {"username": "nobody"},
        {"username": "王"},
    ],
)
def test_wrong_credentials_are_one_problem_and_no_token(
    known: dict[str, str], change: dict[str, str]
) -> None:
    answer = post("auth/staff", known | {"totp": code()} | change)
    assert (answer.status_code, answer.json()["code"]) == (401, "bad_credentials")
    assert answer["Content-Type"].startswith(PROBLEM)
    assert not AccessToken.objects.exists()


@pytest.mark.parametrize(
    "body", [{}, [], "x", {"username": None}, {"username": "a", "password": "b", "totp": {}}]
)
def test_a_body_that_is_no_sign_in_is_a_problem(body: Any) -> None:
    answer = post("auth/staff", body)
    assert answer.status_code == 422
    assert answer["Content-Type"].startswith(PROBLEM)


def test_a_locked_account_says_when_to_come_back(known: dict[str, str]) -> None:
    for _ in range(5):
        post("auth/staff", known | {"totp": code(), "password": "wrong"})
    answer = post("auth/staff", known | {"totp": code()})
    assert (answer.status_code, answer.json()["code"]) == (429, "locked")
    assert 1700 < int(answer["Retry-After"]) <= 1800


@pytest.mark.parametrize("header", ["Bearer", "Bearer x", "Bearer " + "a" * 5000, "Basic YTpi", "Bearer é"])
def test_a_token_that_is_none_is_not_authenticated(header: str) -> None:
    answer = APIClient(HTTP_AUTHORIZATION=header).get("/api/v1/patients")
    assert (answer.status_code, answer.json()["code"]) == (401, "not_authenticated")


def test_wrong_step_up_codes_count_and_lock_like_at_sign_in(world: World) -> None:
    client = staff(world)
    for _ in range(5):
        answer = post("auth/step-up", {"totp": "000000"}, client)
        assert (answer.status_code, answer.json()["code"]) == (403, "bad_credentials")
    assert post("auth/step-up", {"totp": code()}, client).status_code == 429
    assert not AccessToken.objects.filter(stepped_up_at__isnull=False).exists()


def test_a_step_up_is_good_for_ten_minutes(world: World) -> None:
    answer = post("auth/step-up", {"totp": code()}, staff(world))
    assert answer.status_code == 200
    assert set(answer.json()) == {"expires_at"}


def test_patients_get_no_ticket_and_the_refusal_is_on_record(world: World) -> None:
    principal = world.account()
    account = PatientAccount.objects.get(id=principal.id)
    token, _ = services.token_issue(life=timedelta(minutes=5), account=account)
    answer = post("auth/ticket", {}, APIClient(HTTP_AUTHORIZATION=f"Bearer {token}"))
    assert (answer.status_code, answer.json()["code"]) == (403, "not_permitted")
    entry = AuditEntry.objects.get(action="auth.ticket")
    assert (entry.outcome, entry.reason, entry.actor_id) == ("refused", "not_permitted", principal.id)
    assert entry.address == "127.0.0.1"


def test_a_ticket_is_for_half_a_minute(world: World) -> None:
    answer = post("auth/ticket", {}, staff(world))
    assert answer.status_code == 201
    assert services.ticket_redeem(ticket=answer.json()["ticket"]).id == world.users["expert"].id


def page(known: dict[str, str], *, csrf: bool = False) -> Client:
    """A browser that has signed in through the page."""
    client = Client(enforce_csrf_checks=csrf)
    client.get("/console/sign-in/")
    form = known | {"totp": code(), "csrfmiddlewaretoken": client.cookies["csrftoken"].value if csrf else ""}
    assert client.post("/console/sign-in/", form).status_code == 302
    return client


def test_the_pages_session_uses_the_api_only_with_the_csrf_token(known: dict[str, str], world: World) -> None:
    Membership.objects.create(
        user=User.objects.get(username="wang"), institution=world.places["home"], role="scheduler"
    )
    client = page(known, csrf=True)
    refused = client.post("/api/v1/auth/ticket", {}, content_type="application/json")
    assert (refused.status_code, refused.json()["code"]) == (403, "csrf_failed")
    headers = {"X-CSRFToken": client.cookies["csrftoken"].value}
    answer = client.post("/api/v1/auth/ticket", {}, content_type="application/json", headers=headers)
    assert answer.status_code == 201


def test_signing_out_ends_the_session_and_its_token(known: dict[str, str]) -> None:
    client = page(known)
    client.post("/console/sign-out/")
    assert client.get("/api/v1/patients").status_code == 401
    assert AccessToken.objects.get().revoked_at is not None


def test_signing_in_again_ends_what_the_browser_had_before(known: dict[str, str]) -> None:
    client = page(known)
    before = client.session.session_key
    client.post("/console/sign-in/", known | {"totp": code(1)})
    assert client.session.session_key != before
    assert AccessToken.objects.filter(revoked_at=None).count() == 1


def patient_token(**body: str) -> Any:
    return post("auth/patient/token", {"phone": PHONE, "document_number": DOCUMENT} | body)


def sent_code() -> str:
    assert post("auth/patient/code", {"phone": PHONE}).status_code == 202
    message = Message.objects.order_by("-created_at").first()
    assert message is not None
    return str(message.code)


def test_a_patient_signs_in_and_asks_for_the_own_exams(world: World) -> None:
    answer = patient_token(code=sent_code())
    assert answer.status_code == 200
    client = APIClient(HTTP_AUTHORIZATION=f"Bearer {answer.json()['access']}")
    assert client.get("/api/v1/me/exams").status_code == 200
    assert client.get("/api/v1/patients").status_code == 403


def test_known_and_unknown_phones_are_answered_alike(world: World) -> None:
    answers = [post("auth/patient/code", {"phone": phone}) for phone in (PHONE, "13911112222")]
    assert answers[0].status_code == answers[1].status_code == 202
    assert answers[0].json() == answers[1].json()
    refused = [post("auth/patient/code", {"phone": phone}) for phone in (PHONE, "13911112222")]
    assert refused[0].status_code == refused[1].status_code == 429
    assert refused[0].json()["code"] == refused[1].json()["code"] == "too_many"


def test_one_address_cannot_ask_for_codes_without_end(world: World) -> None:
    LoginCode.objects.bulk_create(
        LoginCode(phone_index=bytes([n]) * 32, address="127.0.0.1", code_hash=b"", expires_at=now())
        for n in range(60)
    )
    assert post("auth/patient/code", {"phone": PHONE}).status_code == 429
    assert not Message.objects.exists()


@pytest.mark.parametrize(
    ("body", "status", "answer"),
    [
        ({"document_number": ""}, 422, "document_required"),
        ({"document_number": "320584194802290036"}, 401, "code_invalid"),
        ({"document_number": "٣٣٣٣٣٣٣٣٣٣٣٣٣٣٣"}, 401, "code_invalid"),
        ({"code": "abc"}, 401, "code_invalid"),
        ({"phone": "12"}, 422, "phone_invalid"),
        ({"phone": "13911112222"}, 401, "code_invalid"),
    ],
)
def test_what_does_not_fit_opens_nothing(
    world: World, body: dict[str, str], status: int, answer: str
) -> None:
    given = {"code": sent_code()} | body
    found = patient_token(**given)
    assert (found.status_code, found.json()["code"]) == (status, answer)
    assert not AccessToken.objects.exclude(account=None).exists()


def test_a_new_code_ends_the_one_before(world: World) -> None:
    first = sent_code()
    LoginCode.objects.update(created_at=now() - timedelta(minutes=2))
    second = sent_code()
    assert first == second or patient_token(code=first).status_code == 401
    assert patient_token(code=second).status_code == 200


def test_a_number_unused_for_half_a_year_proves_everything_again(world: World) -> None:
    token = patient_token(code=sent_code()).json()["access"]
    AccessToken.objects.exclude(account=None).update(expires_at=now())
    LoginCode.objects.update(created_at=now() - timedelta(days=181))
    row = AccessToken.objects.exclude(account=None).get()
    assert row.account is not None
    row.account.last_sign_in_at = now() - timedelta(days=181)
    row.account.save()
    answer = patient_token(code=sent_code(), document_number="")
    assert (answer.status_code, answer.json()["code"]) == (422, "document_required")
    assert APIClient(HTTP_AUTHORIZATION=f"Bearer {token}").get("/api/v1/me/exams").status_code == 401


def test_a_patient_whose_phone_changed_is_no_longer_seen_from_the_old_one(world: World) -> None:
    from hospital.access.phones import phone_index

    token = patient_token(code=sent_code()).json()["access"]
    world.book()
    client = APIClient(HTTP_AUTHORIZATION=f"Bearer {token}")
    assert len(client.get("/api/v1/me/exams").json()["results"]) == 1
    world.patient.phone, world.patient.phone_index = "13911112222", phone_index("13911112222")
    world.patient.save()
    assert client.get("/api/v1/me/exams").json()["results"] == []


def doors(patterns: list[Any]) -> Iterator[type[Door]]:
    for pattern in patterns:
        if isinstance(pattern, URLResolver):
            yield from doors(pattern.url_patterns)
        elif isinstance(pattern, URLPattern):
            view = getattr(pattern.callback, "view_class", None)
            if isinstance(view, type) and issubclass(view, Door):
                yield view


def test_every_method_of_every_door_has_a_row_in_the_permission_table() -> None:
    found = list(doors(get_resolver().url_patterns))
    assert len(found) > 20
    for door in found:
        methods = {name.upper() for name in ("get", "post", "put", "patch", "delete") if hasattr(door, name)}
        assert methods == set(door.actions), door
        assert set(door.actions.values()) <= {*ACTIONS, PUBLIC}, door
