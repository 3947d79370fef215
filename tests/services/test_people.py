from __future__ import annotations

from datetime import date, timedelta
from typing import Any

import pytest
from django.db import connection

from hospital.access.models import LoginCode, Membership
from hospital.access.patient_codes import code_check
from hospital.access.selectors import principal_of_user
from hospital.common.clock import now
from hospital.common.errors import (
    Conflict,
    DomainError,
    Invalid,
    NotFound,
    TooMany,
    Unauthenticated,
)
from hospital.common.ids import uuid7
from hospital.messages.models import Message
from hospital.people import selectors, services
from hospital.people.models import Consent, Patient
from tests.factories import World, make_world

pytestmark = pytest.mark.django_db
PHONE = "13900000001"


@pytest.fixture
def world() -> World:
    return make_world()


def register(world: World, **changes: Any) -> tuple[Patient, list[Patient]]:
    fields: dict[str, Any] = {
        "name": "陆志明",
        "document_type": "01",
        "document_number": "320584194802290036",
        "birth_date": date(1948, 2, 29),
        "sex": "1",
        "phone": "13900000003",
    }
    return services.patient_register(principal=world.principals["desk"], **(fields | changes))


def test_a_second_registration_of_a_document_names_the_first_patient(world: World) -> None:
    first, _ = register(world)
    with pytest.raises(Conflict) as caught:
        register(world, name="陆志铭")
    assert (caught.value.code, caught.value.data["patient_id"]) == ("patient_exists", str(first.id))


def test_a_namesake_is_pointed_out(world: World) -> None:
    _, namesakes = register(world, name="王小东")
    assert [row.mpi for row in namesakes] == [world.patient.mpi]


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"birth_date": date(1948, 2, 28)}, "document_conflict"),
        ({"sex": "2"}, "document_conflict"),
        ({"sex": "7"}, "sex_invalid"),
        ({"document_number": "320584194802290037"}, "document_invalid"),
        ({"name": "陆3"}, "name_invalid"),
        ({"phone": "12"}, "phone_invalid"),
        (
            {"document_type": "03", "document_number": "E12345678", "birth_date": date(2190, 1, 1)},
            "birth_date_invalid",
        ),
    ],
)
def test_wrong_data_is_refused_with_its_own_code_and_nothing_is_written(
    world: World, changes: dict[str, Any], code: str
) -> None:
    with pytest.raises(Invalid) as caught:
        register(world, **changes)
    assert caught.value.code == code
    assert Patient.objects.count() == 1


def test_names_numbers_and_phones_are_not_readable_in_the_database(world: World) -> None:
    with connection.cursor() as cursor:
        cursor.execute("SELECT name, document_number, phone FROM people_patient")
        row = cursor.fetchone()
    assert row is not None
    stored = b"".join(bytes(value) for value in row)
    for secret in (world.patient.name, world.patient.document_number, world.patient.phone):
        assert secret.encode() not in stored


@pytest.mark.parametrize(
    "query",
    [
        "王小东",
        "王",
        "小东",
        "wang xiao dong",
        "wangxiaodong",
        "Wáng",
        "wxd",
        "wangxd",
        "xiaod",
        "0012",
        "0001",
        PHONE,
        f"+86 {PHONE}",
        "310229195003150012",
        "３１０２２９195003150012",
        "310229500315001",
        "P",
    ],
)
def test_a_desk_finds_a_patient_by_name_sound_tails_and_numbers(world: World, query: str) -> None:
    query = world.patient.mpi if query == "P" else query
    found = selectors.patient_search(principal=world.principals["desk"], q=query)
    assert [row.id for row in found] == [world.patient.id]


@pytest.mark.parametrize(
    "query",
    ["王东", "zhang", "dongxiao", "wangx2", "0013", "%", "' or 1=1 --", "zz", "zz\0", "٣٣٣٣٣٣٣٣٣٣٣٣٣٣٣"],
)
def test_a_search_that_fits_nobody_finds_nobody(world: World, query: str) -> None:
    assert selectors.patient_search(principal=world.principals["desk"], q=query) == []


NAMED: list[dict[str, Any]] = [
    {"number": "310229195003150012"},
    {"number": "３１０２２９195003150012"},
    {"number": f"+86 {PHONE}"},
    {"name": "王小东", "birth_date": date(1950, 3, 15)},
]


@pytest.mark.parametrize("asked", NAMED)
def test_a_bedside_physician_finds_the_patient_whom_a_whole_number_or_name_and_birth_date_names(
    world: World, asked: dict[str, Any]
) -> None:
    found = selectors.patients_named(principal=world.principals["bedside"], **asked)
    assert [row.id for row in found] == [world.patient.id]


@pytest.mark.parametrize(
    "asked",
    [
        {"number": "0012"},
        {"number": "0001"},
        {"number": "王小东"},
        {"number": "P00000001"},
        {"name": "王小东", "birth_date": date(1950, 3, 16)},
        {"name": "王", "birth_date": date(1950, 3, 15)},
        {"name": "wang xiao dong", "birth_date": date(1950, 3, 15)},
    ],
)
def test_tails_parts_sounds_and_running_numbers_name_nobody_at_the_bedside(
    world: World, asked: dict[str, Any]
) -> None:
    Patient.objects.filter(id=world.patient.id).update(mpi="P00000001")
    assert selectors.patients_named(principal=world.principals["bedside"], **asked) == []


@pytest.mark.parametrize("asked", [{}, {"name": "王小东"}, {"birth_date": date(1950, 3, 15)}])
def test_half_a_description_is_refused_at_the_bedside(world: World, asked: dict[str, Any]) -> None:
    with pytest.raises(Invalid) as caught:
        selectors.patients_named(principal=world.principals["bedside"], **asked)
    assert caught.value.code == "find_too_little"


@pytest.mark.parametrize("asked", NAMED)
def test_another_hospitals_bedside_physician_and_an_expert_find_nobody(
    world: World, asked: dict[str, Any]
) -> None:
    Membership.objects.filter(user=world.users["bedside2"]).update(institution=world.places["other"])
    for who in (principal_of_user(world.users["bedside2"]), world.principals["expert"]):
        assert selectors.patients_named(principal=who, **asked) == []


def test_another_hospitals_desk_neither_finds_nor_reads_the_patient(world: World) -> None:
    stranger = world.principals["other_desk"]
    assert selectors.patient_search(principal=stranger, q="王小东") == []
    with pytest.raises(NotFound):
        selectors.patient_get(principal=stranger, patient_id=world.patient.id)


def _send(phone: str = PHONE) -> str:
    services.patient_code_send(phone=phone, channel="sms", address="127.0.0.1")
    code = Message.objects.order_by("-created_at").first()
    assert code is not None
    assert code.code is not None
    return str(code.code)


def test_phone_code_and_document_open_the_own_record_and_later_the_code_alone(world: World) -> None:
    token, row, _ = services.patient_sign_in(phone=PHONE, code=_send(), document_number="310229195003150012")
    assert token
    assert row.account_id is not None
    assert [p.id for p in selectors.patients_of_account(row.account_id)] == [world.patient.id]
    LoginCode.objects.update(created_at=now() - timedelta(minutes=2))
    services.patient_sign_in(phone=PHONE, code=_send(), document_number="")


def test_a_phone_alone_opens_nothing(world: World) -> None:
    with pytest.raises(Invalid, match="document_required"):
        services.patient_sign_in(phone=PHONE, code=_send(), document_number="")


@pytest.mark.parametrize("number", ["320584194802290036", "310229195003150013", "x"])
def test_somebody_elses_document_is_refused_like_a_wrong_code(world: World, number: str) -> None:
    with pytest.raises(Unauthenticated, match="code_invalid"):
        services.patient_sign_in(phone=PHONE, code=_send(), document_number=number)


def test_a_right_document_from_another_phone_is_refused(world: World) -> None:
    register(world, phone="13900000077")
    with pytest.raises(Unauthenticated, match="code_invalid"):
        services.patient_sign_in(
            phone="13900000077", code=_send("13900000077"), document_number="310229195003150012"
        )


def test_a_code_is_used_once(world: World) -> None:
    code = _send()
    services.patient_sign_in(phone=PHONE, code=code, document_number="310229195003150012")
    with pytest.raises(Unauthenticated):
        services.patient_sign_in(phone=PHONE, code=code, document_number="")


def test_five_wrong_tries_end_a_code(world: World) -> None:
    code = _send()
    wrong = f"{(int(code) + 1) % 10**6:06d}"
    for _ in range(5):
        with pytest.raises(Unauthenticated):
            code_check(phone=PHONE, code=wrong)
    with pytest.raises(Unauthenticated):
        code_check(phone=PHONE, code=code)


def test_an_old_code_is_refused(world: World) -> None:
    code = _send()
    LoginCode.objects.update(expires_at=now())
    with pytest.raises(Unauthenticated):
        code_check(phone=PHONE, code=code)


def test_codes_are_limited_per_phone_and_per_hour(world: World) -> None:
    _send()
    with pytest.raises(TooMany):
        _send()
    for _ in range(4):
        LoginCode.objects.update(created_at=now() - timedelta(minutes=2))
        _send()
    LoginCode.objects.update(created_at=now() - timedelta(minutes=2))
    with pytest.raises(TooMany):
        _send()


def test_unknown_phones_get_the_same_answer_and_no_message(world: World) -> None:
    known = services.patient_code_send(phone=PHONE, channel="sms", address="127.0.0.1")
    assert services.patient_code_send(phone="13900000099", channel="sms", address="127.0.0.1") == known
    assert Message.objects.count() == 1
    with pytest.raises(TooMany):
        services.patient_code_send(phone="13900000099", channel="sms", address="127.0.0.1")


CONSENT: dict[str, Any] = {
    "kind": "remote_exam",
    "text_version": "1",
    "given_by": "patient",
    "method": "witness",
    "witness_name": "钱丽",
}


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"text_version": "0"}, "consent_text_unknown"),
        ({"given_by": "guardian"}, "consent_guardian_missing"),
        ({"witness_name": " "}, "consent_proof_missing"),
        ({"method": "signature"}, "consent_proof_missing"),
        ({"method": "signature", "signature_png": "bm90IGEgcG5n"}, "signature_invalid"),
        ({"method": "signature", "signature_png": "%%%"}, "signature_invalid"),
    ],
)
def test_a_consent_that_lacks_something_is_refused(world: World, changes: dict[str, Any], code: str) -> None:
    with pytest.raises(DomainError) as caught:
        services.consent_record(
            principal=world.principals["bedside"],
            patient_id=world.patient.id,
            exam_id=uuid7(),
            **(CONSENT | changes),
        )
    assert caught.value.code == code
    assert not Consent.objects.exists()


def test_one_active_consent_per_exam_and_after_withdrawal_a_new_one(world: World) -> None:
    exam_id, bedside = uuid7(), world.principals["bedside"]

    def give() -> Consent:
        return services.consent_record(
            principal=bedside, patient_id=world.patient.id, exam_id=exam_id, **CONSENT
        )

    give()
    with pytest.raises(Conflict, match="consent_exists"):
        give()
    services.consent_withdraw(principal=bedside, exam_id=exam_id, kind="remote_exam", reason="不愿意")
    assert selectors.consent_active(exam_id=exam_id, kind="remote_exam") is None
    assert give().withdrawn_at is None
