"""A patient asks to be erased: what no law keeps goes at once, the rest is only stored until its day, and says why."""

from __future__ import annotations

from datetime import date, timedelta
from typing import Any

import pytest
from rest_framework.test import APIClient

from hospital.access import services as access
from hospital.access.models import LoginCode, PatientAccount
from hospital.audit.models import AuditEntry
from hospital.common import retention
from hospital.common.clock import now
from hospital.common.errors import Conflict, Forbidden, Invalid, NotFound, Unauthenticated
from hospital.keeping import engine, services
from hospital.keeping.models import ErasureRequest, LegalHold, Restriction
from hospital.messages.models import Message
from hospital.messages.services import message_send
from hospital.people import accounts, break_glass, delegates, erasure
from hospital.people import selectors as people
from hospital.people import services as people_services
from hospital.people.models import AccountPatient, BreakGlass, Delegation, Patient
from teleconsult import selectors
from teleconsult import services as exams
from teleconsult.models import Exam
from tests.factories import World, make_world
from tests.services.kept import person, reported

pytestmark = pytest.mark.django_db
DOCUMENT = "310229195003150012"
SPOUSE = "330421193806300058"


@pytest.fixture
def world() -> World:
    return make_world()


def ask(world: World) -> ErasureRequest:
    return erasure.erasure_ask_own(principal=world.account(), patient_id=world.patient.id)


def classes(rows: list[dict[str, Any]]) -> dict[str, int]:
    return {row["class"]: row["count"] for row in rows}


def client(principal: Any) -> APIClient:
    account = PatientAccount.objects.filter(id=principal.id).first()
    from hospital.access.models import User

    user = None if account else User.objects.get(id=principal.id)
    token, _ = access.token_issue(life=timedelta(hours=1), user=user, account=account)
    return APIClient(HTTP_AUTHORIZATION=f"Bearer {token}")


def reported_in_silence(world: World) -> Exam:
    """Without what the booking itself told the patient."""
    exam = reported(world)
    Message.objects.all().delete()
    return exam


def test_the_answer_says_what_went_and_what_stays_until_when_and_why(world: World) -> None:
    exam = reported_in_silence(world)
    delegates.delegation_grant(
        principal=world.principals["desk"], patient=world.patient, name="沈梅", relation="女儿",
        phone="13900000077", scopes=["read"], days=30, paper="P-1",
    )  # fmt: skip
    context = {"hospital": "x", "name": "y", "at": "z"}
    message_send(to=world.patient.phone, channel="sms", template="break_glass", context=context)
    Message.objects.update(status="sent")
    row = ask(world)
    assert exam.ended_at is not None
    assert row.answered_at is not None and row.answer["restricted"] is True
    gone = classes(row.answer["goes"])
    assert gone == {"people.account_link": 1, "people.delegation": 1, "people.message": 1}
    assert not AccountPatient.objects.exists() and not Delegation.objects.exists()
    assert not Message.objects.exists()
    kept = {line["class"]: line for line in row.answer["stays"]}
    assert {
        "records.report",
        "records.image",
        "records.frozen",
        "teleconsult.exam",
        "people.identity",
    } <= set(kept)
    report = kept["records.report"]
    assert report["count"] == 2
    assert report["until"] == retention.erasable_on(retention.RECORD, exam.ended_at).isoformat()
    assert "15年" in report["why_zh"] and "15 years" in report["why_en"]
    assert kept["teleconsult.process"]["until"] < report["until"]
    assert "3 years" in kept["teleconsult.process"]["why_en"]
    assert row.due_at > row.received_at and world.patient.name not in str(row.answer)
    entry = AuditEntry.objects.get(action="erasure.ask")
    assert (entry.actor_kind, entry.on_behalf_id) == ("patient", world.patient.id)


def test_what_is_still_to_be_sent_or_may_be_anothers_message_is_not_erased(world: World) -> None:
    reported_in_silence(world)
    context = {"hospital": "x", "name": "y", "at": "z"}
    for status in ("sent", "queued"):
        message = message_send(to=world.patient.phone, channel="sms", template="break_glass", context=context)
        Message.objects.filter(id=message.id).update(status=status)
    other, _ = people_services.patient_register(
        principal=world.principals["desk"], name="沈国强", document_type="01", document_number=SPOUSE,
        birth_date=date(1938, 6, 30), sex="1", phone=world.patient.phone,
    )  # fmt: skip
    assert "people.message" not in classes(ask(world).answer["goes"])
    assert Message.objects.count() == 2
    Patient.objects.filter(id=other.id).update(phone_index=b"x" * 32)
    part = next(one for one in retention.parts("patient") if one.name == "people.message")
    assert part.erase(world.patient.id, None) == 1
    assert Message.objects.get().status == "queued"


def test_no_reason_given_to_a_patient_quotes_a_number_without_a_law(world: World) -> None:
    reported(world)
    row = ask(world)
    for line in row.answer["stays"]:
        named = next(c for c in retention.CLOCKS if c.why[1] == line["why_en"])
        assert named.law, line


def test_what_was_still_booked_is_cancelled_and_goes(world: World) -> None:
    reported(world)
    world.book(starts_at=world.tomorrow(90))
    row = ask(world)
    assert classes(row.answer["goes"])["teleconsult.booking"] == 1
    assert list(Exam.objects.values_list("state", flat=True)) == ["reported"]
    assert AuditEntry.objects.filter(action="exam.cancel").exists()


def test_who_never_came_is_erased_at_once_and_only_the_answer_stays(world: World) -> None:
    world.book()
    row = ask(world)
    assert row.answer["restricted"] is False and not Restriction.objects.exists()
    assert not Patient.objects.exists() and not Exam.objects.exists()
    assert ErasureRequest.objects.get().answer == row.answer
    assert classes(row.answer["goes"])["people.identity"] == 1


def test_a_request_waits_for_an_exam_and_its_report_and_is_answered_then(world: World) -> None:
    exam = world.live()
    row = ask(world)
    assert (row.answered_at, row.waits_for) == (None, "exam_running")
    assert selectors.exam_get(world.principals["expert"], exam.id), "the exam goes on"
    exams.exam_end(principal=world.principals["expert"], exam_id=exam.id)
    assert services.requests_answer() == 0
    assert ErasureRequest.objects.get().waits_for == "report_open"
    Exam.objects.update(state="reported")
    assert services.requests_answer() == 1
    assert Restriction.objects.filter(patient_id=world.patient.id, lifted_at=None).exists()
    with pytest.raises(NotFound):
        selectors.exam_get(world.principals["expert"], exam.id)


def test_a_report_nobody_writes_does_not_hold_up_a_request_for_ever(world: World) -> None:
    world.ended()
    Exam.objects.update(ended_at=now() - timedelta(days=31))
    assert ask(world).answered_at is not None


def test_an_emergency_access_is_reviewed_first(world: World) -> None:
    reported(world)
    entry = BreakGlass.objects.create(
        patient=world.patient, user=world.users["bedside2"], institution=world.places["home"], reason="急诊",
        ends_at=now() + timedelta(hours=1),
    )  # fmt: skip
    assert ask(world).waits_for == "review_open"
    reviewer = person(world.places["home"], "quality_control", "reviewer")
    break_glass.break_glass_review(principal=reviewer, entry_id=entry.id, verdict="justified", note="")
    assert services.requests_answer() == 1
    assert break_glass.to_review(reviewer) == []


def test_one_request_at_a_time_and_none_after_the_answer(world: World) -> None:
    exam = world.live()
    account = world.account()
    erasure.erasure_ask_own(principal=account, patient_id=world.patient.id)
    with pytest.raises(Conflict, match="erasure_asked"):
        services.erasure_ask(
            principal=account, patient_id=world.patient.id, institution_id=world.places["home"].id
        )
    exams.exam_abort(principal=world.principals["expert"], exam_id=exam.id, code="other", reason="x")
    services.requests_answer()
    with pytest.raises(Conflict, match="patient_restricted"):
        services.erasure_ask(
            principal=account, patient_id=world.patient.id, institution_id=world.places["home"].id
        )


def test_a_delegate_cannot_ask_and_the_desk_needs_a_paper(world: World) -> None:
    delegates.delegation_grant(
        principal=world.principals["desk"], patient=world.patient, name="沈梅", relation="女儿",
        phone="13900000077", scopes=["read", "book"], days=30, paper="P-1",
    )  # fmt: skip
    Delegation.objects.update(proven_at=now())
    carer = world.account("13900000077", linked=False)
    assert people.patients_of_account(carer.id).exists()
    with pytest.raises(NotFound):
        erasure.erasure_ask_own(principal=carer, patient_id=world.patient.id)
    for who, paper, error in (("desk", " ", Invalid), ("other_desk", "P-9", NotFound)):
        with pytest.raises(error):
            erasure.erasure_ask_on_paper(
                principal=world.principals[who], patient_id=world.patient.id, paper=paper
            )
    reported(world)
    row = erasure.erasure_ask_on_paper(
        principal=world.principals["desk"], patient_id=world.patient.id, paper="P-9"
    )
    entry = AuditEntry.objects.get(action="erasure.ask")
    assert row.answered_at and entry.on_behalf_id == world.patient.id and entry.on_behalf_kind == "patient"


def test_a_restricted_patient_is_not_booked_and_not_registered_again_and_the_desk_is_told_why(
    world: World,
) -> None:
    reported(world)
    ask(world)
    with pytest.raises(Conflict, match="patient_restricted"):
        world.book(starts_at=world.tomorrow(90))
    with pytest.raises(NotFound):
        exams.exam_book(
            principal=world.principals["other_desk"], **world.booking(starts_at=world.tomorrow(90))
        )
    person_again: dict[str, Any] = {
        "name": "王小东", "document_type": "01", "document_number": DOCUMENT,
        "birth_date": world.patient.birth_date, "sex": "1", "phone": "13900000001",
    }  # fmt: skip
    with pytest.raises(Conflict) as caught:
        people_services.patient_register(principal=world.principals["desk"], **person_again)
    assert (caught.value.code, caught.value.data) == ("patient_restricted", {})
    with pytest.raises(Conflict) as elsewhere:
        people_services.patient_register(principal=world.principals["other_desk"], **person_again)
    assert elsewhere.value.code == "patient_exists"


def test_a_restricted_patients_phone_signs_nobody_in_and_no_glass_breaks(world: World) -> None:
    reported_in_silence(world)
    ask(world)
    accounts.patient_code_send(phone=world.patient.phone, channel="sms", address="10.0.0.1")
    assert not Message.objects.exists(), "nobody's phone gets no code"
    assert LoginCode.objects.exists(), "and the caller can't tell"
    with pytest.raises(Unauthenticated):
        accounts.patient_sign_in(phone=world.patient.phone, code="000000", document_number=DOCUMENT)
    bedside = world.principals["bedside2"]
    from hospital.access.models import AccessToken

    AccessToken.objects.filter(user_id=bedside.id).update(stepped_up_at=now())
    with pytest.raises(NotFound):
        break_glass.break_glass_open(
            principal=bedside, document_number=DOCUMENT, reason="急诊昏迷，需要查看既往"
        )


def test_a_patient_who_comes_back_is_read_again_by_a_recorded_act(world: World) -> None:
    exam = reported(world)
    ask(world)
    desk = world.principals["desk"]
    with pytest.raises(Invalid, match="erasure_paper"):
        erasure.record_reopen(principal=desk, document_number=DOCUMENT, paper=" ")
    with pytest.raises(NotFound):
        erasure.record_reopen(principal=world.principals["other_desk"], document_number=DOCUMENT, paper="R-1")
    assert not people.patients(desk).exists()
    patient = erasure.record_reopen(principal=desk, document_number=DOCUMENT, paper="R-1")
    assert people.patient_get(principal=desk, patient_id=patient.id) == world.patient
    assert selectors.exam_get(desk, exam.id)
    entry = AuditEntry.objects.get(action="record.reopen")
    assert (entry.details, entry.on_behalf_id) == ({"paper": "R-1"}, patient.id)
    with pytest.raises(NotFound):
        erasure.record_reopen(principal=desk, document_number=DOCUMENT, paper="R-1")
    again = erasure.erasure_ask_on_paper(principal=desk, patient_id=patient.id, paper="P-9")
    assert again.answer["restricted"], "and may ask again"


def test_a_held_record_is_only_restricted_and_its_answer_names_no_case(world: World) -> None:
    reported(world)
    audit = person(world.places["home"], "audit_admin", "auditor")
    services.hold_set(
        principal=audit, subject_kind="patient", subject=world.patient.mpi, case_number="沪01民初1号",
        reason="诉讼", until=None,
    )  # fmt: skip
    row = ask(world)
    assert row.answer["goes"] == [] and row.answer["restricted"] is True
    assert {line["why_en"] for line in row.answer["stays"]} == {"a legal procedure needs it"}
    assert "沪01" not in str(row.answer) and not people.readable().exists()


def test_a_hold_is_lifted_by_another_person_only(world: World) -> None:
    audit = person(world.places["home"], "audit_admin", "auditor")
    security = person(world.places["home"], "security_admin", "security")
    given: dict[str, Any] = {"subject_kind": "patient", "case_number": "1", "reason": "诉讼", "until": None}
    for text in (world.patient.mpi, DOCUMENT, str(world.patient.id)):
        services.hold_set(principal=audit, subject=text, **given)
    hold = LegalHold.objects.first()
    assert hold is not None
    with pytest.raises(Forbidden, match="legal_hold_own"):
        services.hold_lift(principal=audit, hold_id=hold.id, reason="x")
    assert services.hold_lift(principal=security, hold_id=hold.id, reason="结案").lifted_at
    with pytest.raises(Conflict, match="legal_hold_over"):
        services.hold_lift(principal=security, hold_id=hold.id, reason="x")
    with pytest.raises(NotFound):
        services.hold_set(
            principal=person(world.places["other"], "audit_admin", "elsewhere"), subject=DOCUMENT, **given
        )
    assert AuditEntry.objects.filter(action__in=["hold.set", "hold.lift"]).count() == 4


def test_a_hold_ends_with_its_last_day(world: World) -> None:
    from hospital.common.clock import today
    from hospital.keeping import selectors as keeping

    audit = person(world.places["home"], "audit_admin", "auditor")
    given: dict[str, Any] = {"subject_kind": "patient", "case_number": "1", "reason": "诉讼"}
    with pytest.raises(Invalid, match="legal_hold_until"):
        services.hold_set(principal=audit, subject=DOCUMENT, until=today() - timedelta(days=1), **given)
    services.hold_set(principal=audit, subject=DOCUMENT, until=today(), **given)
    assert keeping.held("patient", world.patient.id)
    LegalHold.objects.update(until=today() - timedelta(days=1))
    assert not keeping.held("patient", world.patient.id)


def test_the_doors_answer_the_patient_and_the_desk(world: World) -> None:
    reported(world)
    app, desk = client(world.account()), client(world.principals["desk"])
    answer = app.post("/api/v1/me/erasure-requests", {"patient_id": str(world.patient.id)}, format="json")
    assert answer.status_code == 201 and answer.json()["restricted"] is True
    mine = app.get("/api/v1/me/erasure-requests").json()["results"]
    assert [row["id"] for row in mine] == [answer.json()["id"]], "the answer stays readable"
    assert app.get("/api/v1/me/exams").json()["results"] == []
    shown = desk.get(f"/api/v1/erasure-requests/{answer.json()['id']}")
    assert shown.json()["stays"] == answer.json()["stays"]
    again = desk.post(
        "/api/v1/restrictions/lift", {"document_number": DOCUMENT, "paper": "R-1"}, format="json"
    )
    assert again.status_code == 200 and again.json()["mpi"] == world.patient.mpi
    on_paper = desk.post(
        f"/api/v1/patients/{world.patient.id}/erasure-requests", {"paper": "P-9"}, format="json"
    )
    assert on_paper.status_code == 201 and on_paper.json()["on_paper"] == "P-9"


def test_an_answer_is_kept_three_years_and_longer_under_its_restriction(world: World) -> None:
    reported(world)
    row = ask(world)
    ErasureRequest.objects.update(answered_at=now() - timedelta(days=4 * 366))
    assert "keeping.request" not in engine.rows_clear()
    erasure.record_reopen(principal=world.principals["desk"], document_number=DOCUMENT, paper="R-1")
    Restriction.objects.all().delete()
    assert engine.rows_clear()["keeping.request"] == 1
    assert not ErasureRequest.objects.filter(id=row.id).exists()


def test_a_merged_patient_goes_and_is_restricted_with_every_name_and_number(world: World) -> None:
    """A hold on the number that was merged away counts, the alias is found by nobody, and both go in the end."""
    from hospital.access.models import AccessToken
    from hospital.people import merges
    from tests.services.kept import aged

    exam, desk = reported(world), world.principals["desk"]
    alias, _ = people_services.patient_register(
        principal=desk, name="王小东", document_type="03", document_number="E11111111",
        birth_date=world.patient.birth_date, sex="1", phone="13900000044",
    )  # fmt: skip
    auditor = person(world.places["home"], "audit_admin", "auditor")
    hold = services.hold_set(
        principal=auditor,
        subject_kind="patient",
        subject=alias.mpi,
        case_number="1",
        reason="诉讼",
        until=None,
    )
    AccessToken.objects.filter(user=world.users["desk"]).update(stepped_up_at=now())
    merges.patient_merge(
        principal=desk, source_id=alias.id, survivor_id=world.patient.id, reason="同一位患者"
    )
    aged(exam, 15 * 365.25 + 3)
    assert "records.report" not in engine.erase_due(), "held under the number of before"
    security = person(world.places["home"], "security_admin", "security")
    services.hold_lift(principal=security, hold_id=hold.id, reason="结案")
    Restriction.objects.create(patient_id=world.patient.id)
    for text in (alias.mpi, "E11111111", "13900000044", DOCUMENT):
        assert people.patient_search(principal=desk, q=text) == []
    done = engine.erase_due()
    assert done["people.identity"] == 2 and done["people.merge"] == 1
    assert not Patient.objects.exists()
