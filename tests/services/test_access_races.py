"""What only the database can decide when two ask at once."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from datetime import date
from typing import Any

import pytest
from django.db import connection

from hospital.access import refresh, services, totp
from hospital.access.models import AccessToken, LoginCode, PatientAccount
from hospital.access.patient_codes import code_check, code_consume
from hospital.common.errors import TooMany, Unauthenticated
from hospital.messages.models import Message
from hospital.people import services as people
from hospital.people.models import Patient
from tests.factories import make_world

pytestmark = pytest.mark.django_db(transaction=True)
PHONE = "13900000001"


def together(act: Callable[[], object], times: int) -> list[object]:
    """The same deed from several threads at once; results or errors."""
    barrier = threading.Barrier(times)
    results: list[object] = []

    def run() -> None:
        try:
            barrier.wait(10)
            results.append(act())
        except Exception as error:
            results.append(error)
        finally:
            connection.close()

    threads = [threading.Thread(target=run) for _ in range(times)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)
    return results


def test_one_totp_code_typed_twice_at_once_signs_in_once() -> None:
    _, password, secret = services.user_create(username="expert", name="专家")
    code = totp.code(secret, int(time.time()) // totp.STEP_S)
    results = together(lambda: services.staff_sign_in(username="expert", password=password, code=code), 4)
    assert AccessToken.objects.count() == 1
    assert sum(isinstance(result, Unauthenticated) for result in results) == 3


def test_one_phone_asked_for_twice_at_once_gets_one_message() -> None:
    make_world()
    results = together(lambda: people.patient_code_send(phone=PHONE, channel="sms", address="::1"), 4)
    assert (Message.objects.count(), LoginCode.objects.count()) == (1, 1)
    assert sum(isinstance(result, TooMany) for result in results) == 3


def test_one_patient_code_used_twice_at_once_opens_one_token() -> None:
    make_world()
    people.patient_code_send(phone=PHONE, channel="sms", address="::1")
    code_id = code_check(phone=PHONE, code=Message.objects.get().code or "")
    results = together(lambda: code_consume(code_id=code_id, phone=PHONE), 4)
    assert AccessToken.objects.exclude(account=None).count() == 1
    assert sum(isinstance(result, Unauthenticated) for result in results) == 3


def test_two_desks_register_one_document_once_and_the_others_get_that_one() -> None:
    world = make_world()
    fields: dict[str, Any] = {
        "name": "陆志明",
        "document_type": "01",
        "document_number": "320584194802290036",
        "birth_date": date(1948, 2, 29),
        "sex": "1",
        "phone": "13900000003",
    }
    results = together(lambda: people.patient_register(principal=world.principals["desk"], **fields), 4)
    made = Patient.objects.exclude(id=world.patient.id).get()
    got = [result[0].id for result in results if isinstance(result, tuple)]
    assert got == [made.id] * 4, results


def test_one_refresh_token_used_twice_at_once_leaves_no_open_sign_in() -> None:
    """The first wins, the second proves that two have the token: the family ends."""
    account = PatientAccount.objects.create(phone="13900000001", phone_index=b"1" * 32)
    _, row = services.token_issue(life=services.PATIENT_LIFE, account=account)
    first = refresh.family_begin(row=row)
    results = together(lambda: refresh.refresh_exchange(refresh=first), 4)
    assert sum(isinstance(result, Unauthenticated) for result in results) == 3
    assert not AccessToken.objects.filter(family=row.family, revoked_at=None).exists()
