"""The limits of patients' one-time codes: per phone, per account, per address; also when all ask at once."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from rest_framework.test import APIClient

from hospital.access import patient_codes
from hospital.access.models import CodeTry, LoginCode
from hospital.access.patient_codes import code_check
from hospital.common.clock import now
from hospital.common.errors import TooMany, Unauthenticated
from hospital.messages.models import Message
from hospital.people import services as people
from tests.factories import make_world
from tests.races.at_once import together

pytestmark = pytest.mark.django_db
PHONE = "13900000001"


def post(path: str, body: Any) -> Any:
    return APIClient().post(f"/api/v1/auth/patient/{path}", body, format="json")


def aged(minutes: float) -> None:
    LoginCode.objects.update(created_at=now() - timedelta(minutes=minutes))


def asked(address: str = "::1", phone: str = PHONE) -> int:
    return people.patient_code_send(phone=phone, channel="sms", address=address)


def codes(count: int, *, minutes: float, address: str = "a") -> None:
    index = patient_codes.phone_index(PHONE)
    LoginCode.objects.bulk_create(
        LoginCode(
            phone_index=index, address=address, code_hash=b"", expires_at=now(),
            created_at=now() - timedelta(minutes=minutes),
        )
        for _ in range(count)
    )  # fmt: skip


@pytest.mark.parametrize(
    ("count", "minutes", "limit", "wait_s"),
    [(1, 0.5, "phone", 30), (5, 50, "phone", 600), (10, 23 * 60, "account", 3600)],
)
def test_each_limit_says_whose_it_is_and_when_it_ends(
    count: int, minutes: float, limit: str, wait_s: int
) -> None:
    make_world()
    codes(count, minutes=minutes)
    answer = post("code", {"phone": PHONE})
    assert (answer.status_code, answer.json()["code"], answer.json()["limit"]) == (429, "too_many", limit)
    assert abs(int(answer["Retry-After"]) - wait_s) <= 5


def test_nine_codes_in_a_day_leave_one_more() -> None:
    make_world()
    codes(9, minutes=120)
    assert asked() == 300


def test_a_code_can_be_read_out_digit_by_digit() -> None:
    make_world()
    assert post("code", {"phone": PHONE, "channel": "voice"}).status_code == 202
    message = Message.objects.get()
    assert message.channel == "voice"
    assert message.code is not None
    assert "，".join(message.code) in message.text


def test_an_accounts_tries_end_for_the_day_whatever_address_they_come_from() -> None:
    make_world()
    index = patient_codes.phone_index(PHONE)
    CodeTry.objects.bulk_create(CodeTry(phone_index=index, address=str(n)) for n in range(20))
    asked()
    message = Message.objects.get()
    answer = post("token", {"phone": PHONE, "code": message.code, "document_number": "310229195003150012"})
    assert (answer.status_code, answer.json()["limit"]) == (429, "account")
    CodeTry.objects.update(at=now() - timedelta(hours=25))
    answer = post("token", {"phone": PHONE, "code": message.code, "document_number": "310229195003150012"})
    assert answer.status_code == 200


def test_one_address_cannot_try_many_phones() -> None:
    CodeTry.objects.bulk_create(CodeTry(phone_index=bytes([n]), address="127.0.0.1") for n in range(120))
    answer = post("token", {"phone": "13911112222", "code": "000000"})
    assert (answer.status_code, answer.json()["limit"]) == (429, "address")


def test_tries_at_unknown_phones_are_limited_alike() -> None:
    found = [post("token", {"phone": "13911112222", "code": "000000"}).status_code for _ in range(21)]
    assert found == [401] * 20 + [429]


@pytest.mark.django_db(transaction=True)
def test_an_address_at_its_limit_is_at_it_for_all_who_ask_at_once() -> None:
    codes(59, minutes=1, address="wall")
    phones = [f"1391111222{n}" for n in range(4)]
    results = together([lambda phone=phone: asked("wall", phone) for phone in phones])  # type: ignore[misc]
    assert sum(isinstance(result, TooMany) for result in results) == 3
    assert LoginCode.objects.filter(address="wall").count() == 60


@pytest.mark.django_db(transaction=True)
def test_without_waiting_in_turn_the_limit_would_be_passed(monkeypatch: pytest.MonkeyPatch) -> None:
    """Shows that the test above can fail: all look before anybody writes."""
    import threading

    codes(59, minutes=1, address="wall")
    barrier, create = threading.Barrier(4), LoginCode.objects.create
    monkeypatch.setattr(patient_codes, "_one_at_a_time", lambda key: None)

    def slow(**fields: Any) -> LoginCode:
        barrier.wait(10)
        return create(**fields)

    monkeypatch.setattr(LoginCode.objects, "create", slow)
    phones = [f"1391111222{n}" for n in range(4)]
    together([lambda phone=phone: asked("wall", phone) for phone in phones])  # type: ignore[misc]
    assert LoginCode.objects.filter(address="wall").count() == 63


@pytest.mark.django_db(transaction=True)
def test_eight_guesses_at_once_use_up_five_tries() -> None:
    make_world()
    asked()
    code = Message.objects.get().code or ""
    wrong = "000000" if code != "000000" else "111111"
    results = together([lambda: code_check(phone=PHONE, code=wrong)] * 8)
    assert all(isinstance(result, Unauthenticated) for result in results)
    assert LoginCode.objects.get().attempts == 5
    with pytest.raises(Unauthenticated):
        code_check(phone=PHONE, code=code)
