"""Nothing goes inside its time, everything goes outside it: records, the robot's file, and what serves the moment."""

from __future__ import annotations

from datetime import timedelta
from io import StringIO
from typing import Any
from uuid import UUID

import pytest
from django.core.management import call_command
from django.core.management.base import CommandError
from django.db import DatabaseError, connection, transaction

from devices.fleet import services as fleet
from devices.fleet.models import ControlLease, Robot, RobotEvent, SelfTest
from hospital.access.models import (
    AccessToken,
    Activation,
    CodeTry,
    IdentityProvider,
    KeyChallenge,
    LoginCode,
    NewTotp,
    PatientAccount,
    Proof,
    ProviderRequest,
    RefreshToken,
    Tablet,
    TabletOpening,
    Ticket,
    UnknownName,
)
from hospital.audit.models import AuditEntry
from hospital.common import objects, retention, work
from hospital.common.clock import SHANGHAI, now
from hospital.common.errors import Conflict, Invalid, NotFound
from hospital.common.models import IdempotentRequest, Work
from hospital.keeping import engine, services
from hospital.keeping.models import Erasure
from hospital.messages.models import Message
from hospital.people.models import Patient
from hospital.records.models import FrozenFrame, Image, Measurement, Report
from teleconsult.models import CalendarFeed, Exam, LinkQuality
from tests.factories import World, make_world
from tests.services.kept import aged, person, reported

pytestmark = pytest.mark.django_db
YEARS_15 = 15 * 365.25 + 3  # days, certainly over
CLINICAL = (Image, FrozenFrame, Measurement, Report, Exam, Patient)


@pytest.fixture
def world() -> World:
    return make_world()


def erase(patient_id: UUID) -> engine.Plan:
    return engine.record_erase(kind="patient", subject_id=patient_id)


def everything() -> dict[str, int]:
    return {model.__name__: model._base_manager.count() for model in CLINICAL}


def files() -> list[str]:
    return list(objects.stored())


def test_a_record_inside_its_15_years_cannot_be_erased_by_any_call(world: World) -> None:
    exam = aged(reported(world), 15 * 365 - 2)
    before = everything(), files()
    assert engine.erase_due().keys() == {"teleconsult.process"}
    with pytest.raises(Conflict) as caught:
        erase(exam.patient_id)
    assert caught.value.code == "retention_runs"
    assert exam.ended_at is not None
    until = retention.erasable_on(retention.RECORD, exam.ended_at)
    assert caught.value.data["until"] == until.isoformat()
    assert (everything(), files()) == before


@pytest.mark.parametrize("model", CLINICAL)
def test_the_database_itself_refuses_a_delete_without_an_erasure(world: World, model: Any) -> None:
    aged(reported(world), YEARS_15)
    with pytest.raises(DatabaseError), transaction.atomic():
        model._base_manager.filter(pk=model._base_manager.order_by("pk").last().pk)._raw_delete("default")


@pytest.mark.parametrize("days", [1, 4000])
def test_the_database_refuses_an_erasure_before_its_day(world: World, days: int) -> None:
    statement = (
        "INSERT INTO keeping_erasure (id, subject_kind, subject_id, scope, kept_until, classes)"
        " VALUES (gen_random_uuid(), 'patient', %s, '{}', %s, '{}')"
    )
    day = (now() + timedelta(days=days)).astimezone(SHANGHAI).date()
    with connection.cursor() as cursor, pytest.raises(DatabaseError, match="before its time"):
        cursor.execute(statement, [world.patient.id, day])


def test_an_erasure_is_never_changed_or_taken_back(world: World) -> None:
    exam = aged(reported(world), YEARS_15)
    erase(exam.patient_id)
    for act in (lambda: Erasure.objects.update(classes={}), lambda: Erasure.objects.all().delete()):
        with pytest.raises(DatabaseError), transaction.atomic():
            act()


def test_a_record_outside_its_15_years_goes_with_its_files_and_leaves_its_count(world: World) -> None:
    exam = aged(reported(world), YEARS_15)
    assert len(files()) == 2
    assert engine.erase_due()["records.report"] == 2
    assert everything() == dict.fromkeys(everything(), 0)
    assert len(files()) == 2, "files go only after the commit, by due work"
    work.work_drain()
    assert files() == []
    entry = AuditEntry.objects.get(action="retention.erase")
    assert entry.object_id == exam.patient_id and entry.patient_ids == [exam.patient_id]
    counted = {"records.image": 1, "records.frozen": 1, "records.measurement": 1, "teleconsult.exam": 1}
    assert counted.items() <= entry.details["classes"].items()
    told = str(entry.details) + entry.reason + str(Erasure.objects.values())
    assert not [word for word in (world.patient.name, world.patient.phone, "肝脏", "胆囊") if word in told]


def test_the_log_of_who_read_the_record_stays(world: World) -> None:
    exam = aged(reported(world), YEARS_15)
    about = AuditEntry.objects.filter(patient_ids__contains=[exam.patient_id])
    before = set(about.values_list("id", flat=True))
    erase(exam.patient_id)
    assert before and before <= set(about.values_list("id", flat=True))


def test_one_younger_visit_keeps_the_whole_record(world: World) -> None:
    old = aged(reported(world), YEARS_15)
    world.robot_online()
    world.book(starts_at=world.tomorrow(60))
    Exam.objects.exclude(id=old.id).update(checked_in_at=now(), state="aborted", ended_at=now())
    assert engine.erase_due().keys() == {"teleconsult.process"}
    with pytest.raises(Conflict, match="retention_runs"):
        erase(old.patient_id)
    assert old.patient_id not in set(engine.candidates("patient", now()))


def test_a_booking_still_to_come_keeps_an_old_record(world: World) -> None:
    old = aged(reported(world), YEARS_15)
    world.book(starts_at=world.tomorrow(60))
    assert engine.erase_due().keys() == {"teleconsult.process"}
    with pytest.raises(Conflict, match="retention_runs"):
        erase(old.patient_id)
    assert Patient.objects.filter(id=old.patient_id).exists()


def test_the_session_traces_go_after_three_years_and_nothing_else(world: World) -> None:
    exam = aged(reported(world), 3 * 365.25 + 3)
    before = everything()
    assert LinkQuality.objects.filter(exam=exam).exists()
    assert set(engine.erase_due()) == {"teleconsult.process"}
    assert not LinkQuality.objects.filter(exam=exam).exists()
    assert everything() == before


def test_the_session_traces_stay_for_three_years(world: World) -> None:
    aged(reported(world), 3 * 365 - 2)
    assert engine.erase_due() == {}


def test_a_booking_nobody_came_to_goes_after_a_year_with_its_appointment(world: World) -> None:
    from hospital.scheduling.models import Appointment, Reservation
    from teleconsult import services as exams

    exam = world.book()
    exams.exam_cancel(principal=world.principals["desk"], exam_id=exam.id, reason="改期")
    aged(exam, 364)
    assert engine.erase_due() == {}
    aged(exam, 8)
    done = engine.erase_due()
    assert done["teleconsult.booking"] == 1
    assert not Appointment.objects.exists() and not Reservation.objects.exists()
    assert Patient.objects.count() in (0, 1)


def test_somebody_registered_who_never_came_goes_after_a_year(world: World) -> None:
    Patient.objects.update(created_at=now() - timedelta(days=360))
    assert engine.erase_due() == {}
    Patient.objects.update(created_at=now() - timedelta(days=368))
    assert engine.erase_due()["people.identity"] == 1
    assert not Patient.objects.exists()


def test_erasing_half_a_record_is_impossible(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """A part that fails takes everything of this record back, the entry in the log too."""
    exam = aged(reported(world), YEARS_15)
    before, entries = everything(), AuditEntry.objects.count()
    monkeypatch.setattr(engine, "audit_record", lambda **_: (_ for _ in ()).throw(RuntimeError("no log")))
    with pytest.raises(RuntimeError), transaction.atomic():
        erase(exam.patient_id)
    assert (everything(), AuditEntry.objects.count()) == (before, entries)
    work.work_drain()
    assert len(files()) == 2


def test_a_hold_set_in_the_middle_of_a_run_wins(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """The run has made its list; before this record's turn somebody sets a hold."""
    exam = aged(reported(world), YEARS_15)
    security, really, before = (
        person(world.places["home"], "security_admin", "security"), engine.record_erase, everything()
    )  # fmt: skip

    def late(**given: Any) -> engine.Plan:
        services.hold_set(
            principal=security, subject_kind="patient", subject=str(exam.patient_id), case_number="1",
            reason="诉讼", until=None,
        )  # fmt: skip
        return really(**given)

    monkeypatch.setattr(engine, "record_erase", late)
    assert engine.erase_due() == {}
    assert everything() == before
    with pytest.raises(Conflict, match="legal_hold"):
        really(kind="patient", subject_id=exam.patient_id)


def test_the_database_itself_refuses_an_erasure_under_a_hold(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    exam = aged(reported(world), YEARS_15)
    services.hold_set(
        principal=person(world.places["home"], "audit_admin", "auditor"), subject_kind="patient",
        subject=world.patient.mpi, case_number="1", reason="诉讼", until=None,
    )  # fmt: skip
    monkeypatch.setattr(engine.selectors, "held", lambda *_: False)
    with pytest.raises(DatabaseError, match="legal hold"), transaction.atomic():
        erase(exam.patient_id)


def test_a_file_that_another_picture_shares_stays(world: World) -> None:
    path, _ = objects.put(b"shared")
    objects.erase(path)
    from hospital.records import services as records
    from tests.services.kept import META

    exam = world.ended()
    meta = META | {"kind": "still", "sop_uid": "2.25.9", "frames": 1}
    records.image_store(exam_id=exam.id, patient_id=exam.patient_id, meta=meta, data=b"shared")
    work.work_drain()
    assert objects.read(path) == b"shared"


def test_the_robots_file_stays_for_its_life_and_five_years(world: World) -> None:
    exam = world.ended()
    robot = world.robot
    fleet.event_store(
        robot_id=robot.id, serial=1, kind="stop", at_ms=1_700_000_000_000, exam_id=exam.id, data={}
    )
    kept = [model.objects.count() for model in (ControlLease, SelfTest, RobotEvent)]
    assert all(kept)
    ControlLease.objects.update(granted_at=now() - timedelta(days=20000))
    with pytest.raises(Conflict, match="retention_runs"):
        engine.record_erase(kind="robot", subject_id=robot.id)
    with pytest.raises(DatabaseError), transaction.atomic():
        RobotEvent.objects.all().delete()
    fleet.robot_retire(principal=world.principals["admin"], robot_id=robot.id, reason="报废")
    Robot.objects.update(retired_at=now() - timedelta(days=5 * 365))
    assert "fleet.event" not in engine.erase_due()
    Robot.objects.update(retired_at=now() - timedelta(days=5 * 365 + 4))
    assert {"fleet.event", "fleet.lease", "fleet.self_test"} <= set(engine.erase_due())
    assert [model.objects.count() for model in (ControlLease, SelfTest, RobotEvent)] == [0, 0, 0]
    assert Robot.objects.filter(id=robot.id).exists()


def test_a_retired_robot_is_neither_booked_nor_paired_again(world: World) -> None:
    admin = world.principals["admin"]
    fleet.robot_retire(principal=admin, robot_id=world.robot.id, reason="报废")
    with pytest.raises(Invalid, match="unknown_resource"):
        world.book()
    with pytest.raises(NotFound):
        fleet.robot_pairing_code(robot_id=world.robot.id)
    with pytest.raises(Conflict, match="robot_retired"):
        fleet.robot_retire(principal=admin, robot_id=world.robot.id, reason="报废")


def test_only_the_robots_own_hospital_retires_it_and_not_while_it_is_held(world: World) -> None:
    other = person(world.places["other"], "system_admin", "other_admin")
    with pytest.raises(NotFound):
        fleet.robot_retire(principal=other, robot_id=world.robot.id, reason="报废")
    world.live()
    with pytest.raises(Conflict, match="robot_in_use"):
        fleet.robot_retire(principal=world.principals["admin"], robot_id=world.robot.id, reason="报废")


def _old_rows(world: World, ago: timedelta) -> None:
    """One of each class that serves the moment, over or done that long ago."""
    at, user = now() - ago, world.users["desk"]
    token = AccessToken.objects.create(digest=b"t" * 32, user=user, expires_at=at)
    live = AccessToken.objects.create(digest=b"l" * 32, user=user, expires_at=now() + timedelta(days=1))
    Ticket.objects.create(digest=b"k" * 32, token=live, expires_at=at)
    CalendarFeed.objects.create(resource=world.room, made_by=user, digest=b"f" * 32, revoked_at=at)
    CodeTry.objects.create(phone_index=b"p", address="", at=at)
    UnknownName.objects.create(digest=b"u" * 32, last_at=at)
    UnknownName.objects.create(digest=b"v" * 32, last_at=at, locked_until=now() + timedelta(minutes=5))
    KeyChallenge.objects.create(challenge=b"c" * 32, purpose="sign_in", expires_at=at)
    provider = IdentityProvider.objects.create(
        institution=world.places["home"], kind="staff", name="x", name_en="x", issuer="https://id.example.org",
        client_id="x", client_secret="x",
    )  # fmt: skip
    ProviderRequest.objects.create(
        state_digest=b"s" * 32, binding_digest=b"b" * 32, provider=provider, nonce="n", verifier="v",
        redirect_uri="x", expires_at=at,
    )  # fmt: skip
    tablet = Tablet.objects.create(
        institution=world.places["home"], room_id=world.room.id, name="1 室", created_by=user
    )
    TabletOpening.objects.create(tablet=tablet, user=user, opened_at=at - timedelta(hours=12), ends_at=at)
    for name, used_at in (("expert", at), ("expert2", None)):
        Activation.objects.create(
            user=world.users[name], purpose="new", asked_by=world.users["admin"], used_at=used_at
        )
    NewTotp.objects.create(user=user, token=live, secret="x", expires_at=at)
    Proof.objects.create(token=live, action="report.sign", method="totp", expires_at=at)
    account = PatientAccount.objects.create(
        phone="1", phone_index=b"p" * 32, created_at=at, last_sign_in_at=at
    )
    RefreshToken.objects.create(digest=b"r" * 32, account=account, family=token.id, expires_at=at)
    LoginCode.objects.create(phone_index=b"p", address="", code_hash=b"", created_at=at, expires_at=at)
    IdempotentRequest.objects.create(
        principal_id=user.id, key="k", request_sha256="", started_at=at, status=201
    )
    Work.objects.create(kind="x", key="x", finished_at=at, due_at=at)
    Work.objects.create(kind="x", key="waits", due_at=at)
    for code, status in (("123456", "sent"), (None, "sent"), (None, "queued")):
        Message.objects.create(
            channel="sms",
            to="1",
            to_index=b"m",
            template="t",
            text="x",
            code=code,
            status=status,
            created_at=at,
        )


def test_what_serves_the_moment_is_cleared_when_its_time_is_over(world: World) -> None:
    _old_rows(world, timedelta(days=400))
    names = {one.name for one in retention.rows()} - {"keeping.request", "sessions.page"}
    done = engine.rows_clear()
    assert set(done) == names
    assert not AccessToken.objects.filter(digest=b"t" * 32).exists()
    assert AccessToken.objects.filter(digest=b"l" * 32).exists(), "a sign-in that lasts"
    assert Work.objects.filter(key="waits").exists(), "work that is not done"
    assert UnknownName.objects.filter(digest=b"v" * 32).exists(), "a name that is locked still"
    assert Activation.objects.get().user == world.users["expert2"], "a way in that still waits"
    assert list(Message.objects.values_list("status", flat=True)) == ["queued"]
    assert engine.rows_clear() == {}
    assert AuditEntry.objects.get(action="retention.clear").details["classes"] == done


def test_what_serves_the_moment_stays_while_it_does(world: World) -> None:
    _old_rows(world, timedelta(minutes=30))
    assert engine.rows_clear() == {}


def test_a_sign_in_stays_for_six_months_as_the_network_log(world: World) -> None:
    AccessToken.objects.create(
        digest=b"t" * 32, user=world.users["desk"], expires_at=now() - timedelta(days=180), address="10.0.0.9"
    )
    assert engine.rows_clear() == {}
    AccessToken.objects.filter(digest=b"t" * 32).update(expires_at=now() - timedelta(days=187))
    assert engine.rows_clear() == {"access.token": 1}


def test_rows_are_cleared_in_batches(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    at = now() - timedelta(days=40)
    Work.objects.bulk_create(Work(kind="x", key=str(n), finished_at=at, due_at=at) for n in range(7))
    monkeypatch.setattr(engine, "BATCH", 3)
    assert engine.rows_clear()["common.work"] == 7


def command(*arguments: str) -> str:
    out = StringIO()
    call_command("retention", *arguments, stdout=out)
    return out.getvalue()


def test_a_dry_run_prints_what_would_go_and_what_stays_and_erases_nothing(world: World) -> None:
    exam = aged(reported(world), YEARS_15)
    before = everything()
    said = command("--dry-run")
    assert "records.report: would erase 2" in said and "people.identity: would erase 1" in said
    assert "outpatient records stay at least 15 years" in said and "audit: kept" in said
    since = retention.erasable_on(retention.RECORD, exam.ended_at or now()).isoformat()
    assert f"patient {world.patient.mpi}: due since {since}" in said and world.patient.name not in said
    assert "the nightly run is off" in said
    assert everything() == before and len(files()) == 2
    security = person(world.places["home"], "security_admin", "security")
    services.hold_set(
        principal=security, subject_kind="patient", subject=str(exam.patient_id), case_number="(2026)沪01民初1号",
        reason="诉讼", until=None,
    )  # fmt: skip
    said = command()
    assert "records.report: would erase 0" in said
    assert "records.report: keeps 2, a legal procedure needs it" in said
    assert f"patient {world.patient.mpi}: held, 0 rows go" in said
    assert "沪01" not in said, "whose case it is stays with those who set holds"


def test_apply_erases_and_says_how_many(world: World) -> None:
    aged(reported(world), YEARS_15)
    assert "erased records.report 2" in command("--apply")
    assert everything() == dict.fromkeys(everything(), 0)


def test_the_night_leaves_it_to_a_person_when_told_so(world: World, settings: Any) -> None:
    from hospital.keeping.tasks import erase as nightly

    aged(reported(world), YEARS_15)
    settings.RETENTION_NIGHTLY = False
    nightly()
    assert Exam.objects.exists()
    settings.RETENTION_NIGHTLY = True
    nightly()
    assert not Exam.objects.exists()


def test_a_check_of_all_objects_names_the_damaged_the_missing_and_what_nobody_names(world: World) -> None:
    reported(world)
    out = StringIO()
    call_command("objects_check", stdout=out)
    assert out.getvalue() == "checked 2 objects\n"
    objects.put(b"rolled back")
    image, frame = Image.objects.get(), FrozenFrame.objects.get()
    (objects._root() / frame.path).unlink()
    damaged = objects._root() / image.path
    whole = damaged.read_bytes()
    damaged.write_bytes(whole[:-1] + bytes([whole[-1] ^ 1]))  # another byte, whatever it was
    with pytest.raises(CommandError, match="2 objects"):
        call_command("objects_check", stdout=out)
    assert f"DAMAGED {image.path}" in out.getvalue() and f"DAMAGED {frame.path}" in out.getvalue()
    assert out.getvalue().count("unnamed ") == 1
