"""Who says that a document is real: the desk, or an authority that may refuse, fail or say nothing."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from datetime import date
from typing import Any

import pytest

from hospital.audit.models import AuditEntry
from hospital.common.errors import Conflict, Invalid, NotFound, Unavailable
from hospital.people import corrections, services, verification
from hospital.people.models import IdentityVerification, Patient
from hospital.people.representations import patient_found, patient_full
from hospital.people.verification import Answer, Claim
from tests.factories import World, make_world

pytestmark = pytest.mark.django_db


@pytest.fixture
def world() -> World:
    return make_world()


@pytest.fixture
def authority(settings: Any) -> Iterator[Any]:
    """`authority(answer)` makes that function the installation's authority."""

    def choose(answer: Any) -> None:
        verification.authority_register("test", answer)
        settings.IDENTITY_AUTHORITY = "test"

    yield choose
    verification._authorities.pop("test", None)


def verify(world: World, **changes: Any) -> IdentityVerification:
    given: dict[str, Any] = {
        "principal": world.principals["desk"],
        "patient_id": world.patient.id,
        "seen": "card",
    }
    return verification.patient_verify(**(given | changes))


def test_by_default_a_member_of_staff_who_saw_the_card_verifies(world: World) -> None:
    assert not patient_found(world.patient)["verified"]
    row = verify(world)
    world.patient.refresh_from_db()
    assert (row.authority, row.outcome, row.seen, row.document_type) == ("staff", "verified", "card", "01")
    assert row.checked_by_id == world.users["desk"].id
    assert patient_full(world.patient)["verified_at"] == row.checked_at.isoformat()
    entry = AuditEntry.objects.get(action="patient.verify")
    assert (entry.actor_id, entry.object_id) == (world.users["desk"].id, world.patient.id)
    assert world.patient.document_number not in str(entry.details)
    assert verification.verification_of(world.patient) == row


def test_another_hospital_verifies_nobody_here(world: World) -> None:
    with pytest.raises(NotFound):
        verify(world, principal=world.principals["other_desk"])
    with pytest.raises(Invalid):
        verify(world, seen="a photograph")


def test_the_authority_is_asked_about_this_document_and_its_reference_is_kept(
    world: World, authority: Any
) -> None:
    asked: list[Claim] = []

    def answer(claim: Claim) -> Answer:
        asked.append(claim)
        return Answer(outcome="verified", reference="R-77")

    authority(answer)
    assert verify(world).reference == "R-77"
    assert (asked[0].number, asked[0].name) == (world.patient.document_number, world.patient.name)


def test_a_refusal_is_kept_and_ends_an_earlier_verification(world: World, authority: Any) -> None:
    verify(world)
    authority(lambda claim: Answer(outcome="refused"))
    with pytest.raises(Conflict, match="identity_refused"):
        verify(world)
    world.patient.refresh_from_db()
    assert world.patient.verified_at is None
    assert set(IdentityVerification.objects.values_list("outcome", flat=True)) == {"verified", "refused"}


def test_a_failing_authority_has_its_own_code_and_changes_nothing(world: World, authority: Any) -> None:
    def fail(claim: Claim) -> Answer:
        raise OSError("no route")

    authority(fail)
    with pytest.raises(Unavailable, match="authority_unavailable"):
        verify(world)
    assert not IdentityVerification.objects.exists()


def test_a_silent_authority_is_waited_for_no_longer_than_said_and_blocks_no_registration(
    world: World, authority: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(verification, "ANSWER_WITHIN_S", 0.1)
    over = threading.Event()

    def silent(claim: Claim) -> Answer:
        over.wait(30)
        return Answer(outcome="verified")

    authority(silent)
    try:
        with pytest.raises(Unavailable, match="authority_unavailable"):
            verify(world)
        patient, _ = services.patient_register(
            principal=world.principals["desk"], name="陆志明", document_type="01",
            document_number="320584194802290036", birth_date=date(1948, 2, 29), sex="1", phone="13900000003",
        )  # fmt: skip
        assert (patient.verified_at, patient_full(patient)["verified"]) == (None, False)
    finally:
        over.set()


def test_an_authority_that_is_not_there_is_unavailable(world: World, settings: Any) -> None:
    settings.IDENTITY_AUTHORITY = "nobody"
    with pytest.raises(Unavailable, match="authority_unavailable"):
        verify(world)


def test_an_answer_about_what_was_corrected_meanwhile_does_not_count(world: World, authority: Any) -> None:
    def slow(claim: Claim) -> Answer:
        return Answer(outcome="verified")

    authority(slow)
    before = verification.claim_of(world.patient)
    Patient.objects.filter(id=world.patient.id).update(name="王大东")
    world.patient.name = before.name
    with pytest.raises(Conflict, match="identity_changed"):
        verification._kept(world.principals["desk"], world.patient, "card", Answer(outcome="verified"))


def passport(number: str = "L898902C3") -> str:
    from hospital.people.mrz import check_digit

    head = f"{number:<9}".replace(" ", "<")
    head += (
        check_digit(head) + "UTO" + "500315" + check_digit("500315") + "M" + "401231" + check_digit("401231")
    )
    head += "<" * 14 + "<"
    return head + check_digit(head[:10] + head[13:20] + head[21:43])


@pytest.mark.parametrize(
    ("line", "code"),
    [
        (passport(), None),
        (passport("L898902C4"), "passport_line_other"),
        (passport()[:-1] + str((int(passport()[-1]) + 1) % 10), "passport_line"),
    ],
)
def test_a_passports_line_must_say_the_same_person(world: World, line: str, code: str | None) -> None:
    foreign, _ = services.patient_register(
        principal=world.principals["desk"], name="John Smith", document_type="03", document_number="L898902C3",
        birth_date=date(1950, 3, 15), sex="1", phone="13900000003",
    )  # fmt: skip
    if code is None:
        assert verify(world, patient_id=foreign.id, seen="passport", passport_line=line).outcome == "verified"
    else:
        with pytest.raises(Invalid, match=code):
            verify(world, patient_id=foreign.id, seen="passport", passport_line=line)


def test_a_corrected_name_is_no_longer_verified(world: World) -> None:
    verify(world)
    patient = Patient.objects.get(id=world.patient.id)
    corrections.patient_correct(
        principal=world.principals["desk"], patient=patient, field="phone", value="13900000055"
    )
    assert patient.verified_at is not None
    corrections.patient_correct(
        principal=world.principals["desk"], patient=patient, field="name", value="王晓东"
    )
    assert Patient.objects.get(id=patient.id).verified_at is None
