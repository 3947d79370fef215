"""Two registrations of one person become one and two again, to the byte."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest
from django.apps import apps
from django.db import IntegrityError, connection, models, transaction
from django.test.utils import isolate_apps

from devices.fleet.authentication import robot_principal
from hospital.access.models import PatientAccount
from hospital.access.phones import phone_index
from hospital.access.principals import Principal
from hospital.audit.models import AuditEntry
from hospital.audit.services import audit_record
from hospital.common.clock import now
from hospital.common.errors import Conflict, Forbidden, Invalid, NotFound
from hospital.keeping.models import ErasureRequest, Restriction
from hospital.people import accesses, corrections, delegates, merges, references, selectors, services
from hospital.people.models import (
    AccountPatient,
    BreakGlass,
    Delegation,
    MessageWish,
    Patient,
    PatientArchive,
)
from hospital.records import services as records
from hospital.records.models import Image
from teleconsult import live
from teleconsult import selectors as exams
from teleconsult import services as exam_services
from teleconsult.models import Exam
from tests.access.house import META
from tests.factories import World, make_world
from tests.interop.synthetic import still

from .doubles import OTHER_PHONE, PASSPORT, merge, proven, registered, unmerge

pytestmark = pytest.mark.django_db
# Traces of the deeds themselves, and the history of merges, which is meant to grow.
GROWING = {
    "audit_auditentry",
    "audit_auditseal",
    "audit_auditcheckpoint",
    "access_accesstoken",
    "common_work",
}
GROWING |= {"people_patientmerge", "people_duplicatereview"}


@pytest.fixture
def world() -> World:
    return make_world()


@pytest.fixture
def double(world: World) -> Patient:
    """The same man again, at the same desk, with his passport and his daughter's phone."""
    return registered(world)


def rows() -> dict[str, list[str]]:
    """Every row of every table, each as JSON text."""
    with connection.cursor() as cursor:
        found = {}
        for table in connection.introspection.table_names(cursor):
            if table not in GROWING:
                cursor.execute(
                    f"SELECT to_jsonb(t)::text FROM {connection.ops.quote_name(table)} t ORDER BY 1"
                )
                found[table] = [row[0] for row in cursor.fetchall()]
        return found


def full(world: World, patient: Patient, phone: str) -> None:
    """Something of this patient in every table that a merge moves."""
    exam = world.book(patient_id=patient.id, starts_at=world.tomorrow(180 + 30 * Exam.objects.count()))
    exam_services.request_add(
        principal=world.principals["desk"], patient_id=patient.id, exam_type="abdomen",
        institution_id=world.places["home"].id, clinical_question="胆囊结石？", priority="routine",
    )  # fmt: skip
    services.consent_record(
        principal=world.principals["bedside"], patient_id=patient.id, kind="remote_exam", exam_id=exam.id,
        text_version="1", given_by="patient", method="witness", witness_name="钱丽",
    )  # fmt: skip
    records.image_store(
        exam_id=exam.id,
        patient_id=patient.id,
        meta=META | {"kind": "still", "sop_uid": f"2.25.{exam.id.int}", "frames": 1},
        data=str(exam.id).encode(),
    )
    delegates.delegation_grant(
        principal=world.principals["desk"], patient=patient, name="沈梅", relation="女儿", phone=phone,
        scopes=["read"], days=30, paper="P-1",
    )  # fmt: skip
    BreakGlass.objects.create(
        patient=patient, user=world.users["bedside2"], institution=world.places["home"], reason="急诊需要",
        ends_at=now() + timedelta(hours=1),
    )  # fmt: skip
    account = world.account(patient.phone, linked=False)
    corrections.correction_ask(
        principal=account, patient=patient, field="name" if phone.endswith("1") else "phone",
        wanted="王晓东" if phone.endswith("1") else "13900000099", reason="写错了",
    )  # fmt: skip
    for asked in (account.id, world.users["desk"].id):  # the second one's job is there for both
        PatientArchive.objects.create(patient=patient, account_id=asked)
    AccountPatient.objects.create(account_id=account.id, patient=patient)
    MessageWish.objects.create(patient=patient, changed_by_kind="patient", changed_by_id=account.id)
    asked_before = ErasureRequest.objects.create(
        patient_id=patient.id, institution=world.places["home"], by_kind="patient", by_id=account.id,
        due_at=now(), answered_at=now(),
    )  # fmt: skip
    Restriction.objects.create(
        patient_id=patient.id, request=asked_before, lifted_at=now(), lifted_by=world.users["desk"],
        lifted_paper="R-1",
    )  # fmt: skip


def owned(patient: Patient) -> dict[str, int]:
    return {one.label: one.rows(patient.id).count() for one in references.moving()}


def test_everything_of_one_becomes_the_others_and_goes_back_byte_for_byte(
    world: World, double: Patient
) -> None:
    full(world, world.patient, "13900000071")
    full(world, double, "13900000072")
    for kind, number in (("03", PASSPORT), ("01", world.patient.document_number)):
        registered(world, who="other_desk", document_type=kind, document_number=number)  # links both there
    before, mine = rows(), owned(double)
    assert {label for label, n in mine.items() if not n} == {"people.Patient.merged_into"}
    row = merge(world, double, world.patient)
    # The other hospital knows both, one account asked for copies of both, both said how to be told: the second of
    # each waits at the alias.
    assert {label: n for label, n in owned(double).items() if n} == {
        "people.PatientInstitution.patient": 1, "people.PatientArchive.patient": 1, "people.MessageWish.patient": 1,
    }  # fmt: skip
    assert row.moved.keys() == {label for label, n in mine.items() if n} - {
        "people.PatientInstitution.patient",
        "people.MessageWish.patient",
    }
    assert rows() != before
    unmerge(world, row)
    after = rows()
    assert after.keys() == before.keys()
    assert {table: after[table] for table in after if after[table] != before[table]} == {}


def test_a_removed_picture_moves_too_and_still_never_changes_otherwise(world: World, double: Patient) -> None:
    full(world, double, "13900000072")
    image = Image.objects.get()
    records.image_remove(image_id=image.id, reason="模糊", principal=world.principals["expert"])
    merge(world, double, world.patient)
    assert Image.objects.get().patient_id == world.patient.id
    for change in ({"patient_id": double.id, "sha256": "0" * 64}, {"sha256": "0" * 64}, {"view": "x"}):
        with pytest.raises(IntegrityError), transaction.atomic():
            Image.objects.filter(id=image.id).update(**change)


def test_a_picture_changes_its_patient_in_no_other_way(world: World, double: Patient) -> None:
    full(world, double, "13900000072")
    with pytest.raises(IntegrityError), transaction.atomic():
        Image.objects.update(patient=world.patient)


def test_after_a_merge_any_name_number_or_phone_finds_the_one_who_stays(
    world: World, double: Patient
) -> None:
    Patient.objects.filter(id=double.id).update(name="王晓冬")
    services.syllables_write(Patient.objects.get(id=double.id))
    merge(world, double, world.patient)
    for query in (PASSPORT, double.mpi, OTHER_PHONE, "王晓冬", "wangxiaodong", "5678", world.patient.mpi, ""):
        found = selectors.patient_search(principal=world.principals["desk"], q=query)
        assert [one.id for one in found] == [world.patient.id], query
    got = selectors.patient_get(principal=world.principals["desk"], patient_id=double.id)
    assert got.id == world.patient.id
    assert selectors.mpi_numbers(world.patient.id) == {double.mpi, world.patient.mpi}


def test_a_booking_for_the_merged_registration_is_the_survivors(world: World, double: Patient) -> None:
    merge(world, double, world.patient)
    assert world.book(patient_id=double.id).patient_id == world.patient.id


def test_a_merge_needs_a_fresh_proof_and_a_reason(world: World, double: Patient) -> None:
    desk = world.principals["desk"]
    with pytest.raises(Forbidden, match="proof_required"):
        merges.patient_merge(
            principal=desk, source_id=double.id, survivor_id=world.patient.id, reason="同一位患者"
        )
    proven(world)
    with pytest.raises(Invalid, match="reason_required"):
        merges.patient_merge(principal=desk, source_id=double.id, survivor_id=world.patient.id, reason=" ")
    with pytest.raises(Invalid, match="merge_same"):
        merges.patient_merge(principal=desk, source_id=double.id, survivor_id=double.id, reason="同一位患者")
    assert not merges.PatientMerge.objects.exists()


def test_another_hospital_neither_merges_nor_parts(world: World, double: Patient) -> None:
    with pytest.raises(NotFound):
        merge(world, double, world.patient, who="other_desk")
    row = merge(world, double, world.patient)
    proven(world, "other_desk")
    with pytest.raises(NotFound):
        merges.patient_unmerge(principal=world.principals["other_desk"], merge_id=row.id, reason="两个人呀")


def test_nobody_is_merged_or_parted_while_checked_in_or_scanned(world: World, double: Patient) -> None:
    exam = world.book(patient_id=double.id)
    exam_services.exam_check_in(principal=world.principals["desk"], exam_id=exam.id)
    with pytest.raises(Conflict) as caught:
        merge(world, double, world.patient)
    assert (caught.value.code, caught.value.data["exams"]) == ("merge_exam_open", [str(exam.id)])
    Exam.objects.filter(id=exam.id).update(state="booked")
    row = merge(world, double, world.patient)
    Exam.objects.filter(id=exam.id).update(state="live")
    with pytest.raises(Conflict, match="merge_exam_open"):
        unmerge(world, row)


def test_two_delegations_to_one_phone_refuse_until_a_person_ends_one(world: World, double: Patient) -> None:
    for patient in (world.patient, double):
        delegates.delegation_grant(
            principal=world.principals["desk"], patient=patient, name="沈梅", relation="女儿",
            phone="13900000077", scopes=["read"], days=30, paper="P-1",
        )  # fmt: skip
    before = rows()
    with pytest.raises(Conflict) as caught:
        merge(world, double, world.patient)
    assert (caught.value.code, caught.value.data["tables"]) == ("merge_rows_conflict", ["people.Delegation"])
    assert rows() == before
    Delegation.objects.filter(patient=double).update(revoked_at=now())
    merge(world, double, world.patient)


def test_one_phone_account_linked_to_both_is_no_hindrance_and_comes_back(world: World) -> None:
    double = registered(world, phone=world.patient.phone)
    account = world.account(world.patient.phone)
    AccountPatient.objects.create(account_id=account.id, patient=double)
    before = rows()
    row = merge(world, double, world.patient)
    assert [one.id for one in selectors.patients_of_account(account.id)] == [world.patient.id]
    unmerge(world, row)
    assert rows() == before
    assert {one.id for one in selectors.patients_of_account(account.id)} == {world.patient.id, double.id}


def test_the_phone_of_the_merged_registration_still_opens_the_record(world: World, double: Patient) -> None:
    exam = world.book(patient_id=world.patient.id)
    account = world.account(OTHER_PHONE, linked=False)
    AccountPatient.objects.create(account_id=account.id, patient=double)
    row = merge(world, double, world.patient)
    assert [one.id for one in exams.exams_of_account(account)] == [exam.id]
    unmerge(world, row)
    assert list(exams.exams_of_account(account)) == []


def test_either_document_with_either_phone_signs_in_after_a_merge(world: World, double: Patient) -> None:
    from hospital.access.models import LoginCode
    from hospital.messages.models import Message

    merge(world, double, world.patient)
    for phone in (OTHER_PHONE, world.patient.phone):
        for number in (PASSPORT, world.patient.document_number):
            LoginCode.objects.all().delete()
            services.patient_code_send(phone=phone, channel="sms", address="127.0.0.1")
            code = str(Message.objects.order_by("-created_at")[0].code)
            _, row, _ = services.patient_sign_in(phone=phone, code=code, document_number=number)
            assert row.account_id is not None
            assert [p.id for p in selectors.patients_of_account(row.account_id)] == [world.patient.id]


def test_a_third_registration_joins_and_only_the_last_merge_is_undone_first(
    world: World, double: Patient
) -> None:
    third = registered(world, document_number="E99999999", phone="13900000066")
    full(world, double, "13900000072")
    before = rows()
    one = merge(world, double, third)
    two = merge(world, third, world.patient)
    assert set(Patient.objects.exclude(merged_into=None).values_list("merged_into_id", flat=True)) == {
        world.patient.id
    }
    assert selectors.mpi_numbers(world.patient.id) == {double.mpi, third.mpi, world.patient.mpi}
    with pytest.raises(Conflict, match="merge_not_last"):
        unmerge(world, one)
    unmerge(world, two)
    unmerge(world, one)
    assert rows() == before
    with pytest.raises(Conflict, match="merge_undone"):
        unmerge(world, one)


def test_who_was_merged_is_not_merged_again(world: World, double: Patient) -> None:
    merge(world, double, world.patient)
    with pytest.raises(Conflict, match="merge_done"):
        merge(world, double, world.patient)
    with pytest.raises(Conflict, match="merge_done"):
        merge(world, world.patient, double)


def seen(world: World, phone: str, patient: UUID) -> set[str]:
    row, _ = PatientAccount.objects.get_or_create(phone_index=phone_index(phone), defaults={"phone": phone})
    AccountPatient.objects.get_or_create(account=row, patient_id=patient)
    account = Principal(kind="patient", id=row.id, name="", memberships=(), token_id=None)
    _, found = accesses.accesses_for(principal=account, patient_id=patient)
    return {row["reason"] for row in found if row["outcome"] == "read"}


def read(world: World, patient: Patient, why: str, exam: Exam | None = None) -> None:
    audit_record(
        principal=world.principals["expert"], action="exam.read", object_kind="exam",
        object_id=exam.id if exam else patient.id, outcome="read", reason=why, patient_ids=(patient.id,),
    )  # fmt: skip


def test_who_read_follows_the_merge_and_the_log_stays_as_it_was_written(
    world: World, double: Patient
) -> None:
    exam = world.book(patient_id=double.id)
    read(world, double, "before")
    read(world, world.patient, "own")
    written = list(AuditEntry.objects.order_by("seq").values())
    row = merge(world, double, world.patient)
    read(world, world.patient, "meanwhile", exam)
    read(world, world.patient, "survivors own")
    assert seen(world, world.patient.phone, world.patient.id) == {
        "before", "own", "meanwhile", "survivors own",
    }  # fmt: skip
    unmerge(world, row)
    assert seen(world, OTHER_PHONE, double.id) == {"before", "meanwhile"}
    assert seen(world, world.patient.phone, world.patient.id) == {"own", "meanwhile", "survivors own"}
    assert list(AuditEntry.objects.order_by("seq").values())[: len(written)] == written


def test_every_column_that_names_a_patient_is_known_to_the_merge() -> None:
    assert references.unknown() == []
    assert len(references.known()) > 12


def test_a_new_table_that_the_merge_does_not_know_is_seen(monkeypatch: pytest.MonkeyPatch) -> None:
    with isolate_apps("teleconsult"):

        class Wristband(models.Model):
            patient = models.ForeignKey("people.Patient", models.PROTECT, related_name="+")
            old_patient_id = models.UUIDField()
            patients = models.JSONField()

            class Meta:
                app_label = "teleconsult"

    every = apps.get_models()
    monkeypatch.setattr(references.apps, "get_models", lambda: [*every, Wristband])
    key: Any = Wristband._meta.get_field("patient")
    key.remote_field.model = Patient
    assert references.unknown() == [
        f"teleconsult.Wristband.{name}" for name in ("patient", "old_patient_id", "patients")
    ]


def test_every_moving_table_refuses_rows_for_a_merged_patient_in_the_database(
    world: World, double: Patient
) -> None:
    with connection.cursor() as cursor:
        cursor.execute("SELECT tgrelid::regclass::text FROM pg_trigger WHERE tgname = 'people_merged_refuse'")
        guarded = {row[0] for row in cursor.fetchall()}
    assert guarded == {one.model_class()._meta.db_table for one in references.moving()}
    exam = world.book()
    merge(world, double, world.patient)
    attempts: list[Callable[[], object]] = [
        lambda: Exam.objects.filter(id=exam.id).update(patient=double),
        lambda: AccountPatient.objects.create(account_id=world.account().id, patient=double),
        lambda: BreakGlass.objects.create(
            patient=double, user=world.users["expert"], institution=world.places["home"], reason="x",
            ends_at=now() + timedelta(hours=1),
        ),
    ]  # fmt: skip
    for attempt in attempts:
        with pytest.raises(IntegrityError), transaction.atomic():
            attempt()


def test_a_late_upload_with_the_number_of_before_is_this_persons_and_a_strangers_is_not(
    world: World,
) -> None:
    double = registered(world)
    own, world.patient = world.patient, double
    exam = world.ended()
    world.patient = own
    row = merge(world, double, own)
    meta = {"frame_id": 5, "width": 32, "height": 24, "kind": "still", "frames": 1, "view": "liver"}

    def upload(number: str, uid: str) -> UUID:
        data = still(StudyInstanceUID=exam.study_uid, PatientID=number, SOPInstanceUID=uid)
        image, _ = live.image_received(
            principal=robot_principal(world.robot), exam_id=exam.id, meta=meta | {"sop_uid": uid}, data=data
        )
        return UUID(str(image.patient_id))

    assert [upload(double.mpi, "2.25.71"), upload(own.mpi, "2.25.72")] == [own.id, own.id]
    with pytest.raises(Invalid, match="dicom_mismatch"):
        upload("P99999999", "2.25.73")
    unmerge(world, row)
    assert upload(own.mpi, "2.25.74") == double.id  # made while the two were one
    assert set(Image.objects.values_list("patient_id", flat=True)) == {double.id}  # they go with their exam
