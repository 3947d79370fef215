"""Holds, erasures, requests and bookings of one record at the same moment."""

from __future__ import annotations

import threading
from typing import Any
from uuid import UUID

import pytest
from django.db import connection

from hospital.common import objects, work
from hospital.common.errors import Conflict, NotFound
from hospital.keeping import engine, services
from hospital.keeping.models import ErasureRequest, LegalHold, Restriction
from hospital.people import erasure
from hospital.people import selectors as people
from hospital.people.models import Patient
from hospital.records import services as records
from hospital.records.models import FrozenFrame, Image
from hospital.scheduling import selectors as scheduling
from teleconsult import services as exams
from teleconsult.models import Exam
from tests.factories import World, make_world
from tests.races.at_once import together
from tests.services.kept import META, PNG, aged, person, reported
from tests.services.test_retention import YEARS_15
from tests.waiting import until

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def world() -> World:
    return make_world()


def in_another_thread(act: Any) -> list[object]:
    """Started at once; the list holds its result or error when it has ended."""
    found: list[object] = []

    def run() -> None:
        try:
            found.append(act())
        except Exception as error:
            found.append(error)
        finally:
            connection.close()

    thread = threading.Thread(target=run)
    thread.start()
    thread.join(2)  # long enough to end when nothing makes it wait
    return found


def _hold_while_erasing(world: World, monkeypatch: pytest.MonkeyPatch) -> list[object]:
    """The eraser has looked and not yet deleted; at this moment somebody sets a hold."""
    exam = aged(reported(world), YEARS_15)
    auditor = person(world.places["home"], "audit_admin", "auditor")
    really = engine._permit
    held: list[list[object]] = []

    def permit(made: engine.Plan) -> None:
        really(made)
        held.append(
            in_another_thread(
                lambda: services.hold_set(
                    principal=auditor, subject_kind="patient", subject=str(exam.patient_id), case_number="1",
                    reason="诉讼", until=None,
                )
            )
        )  # fmt: skip

    monkeypatch.setattr(engine, "_permit", permit)
    engine.record_erase(kind="patient", subject_id=exam.patient_id)
    return held[0]


def test_without_the_lock_a_hold_would_stand_over_a_record_that_is_gone(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(engine, "lock", lambda kind, subject_id: None)
    (hold,) = _hold_while_erasing(world, monkeypatch)
    assert isinstance(hold, LegalHold)
    assert not Patient.objects.exists(), "held, and erased all the same"


def test_a_hold_during_an_erasure_waits_and_learns_that_nothing_is_left(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    waiting = _hold_while_erasing(world, monkeypatch)
    until(lambda: bool(waiting), what="the hold's answer")
    assert isinstance(waiting[0], NotFound)
    assert not LegalHold.objects.exists() and not Patient.objects.exists()


def test_of_a_hold_and_an_erasure_at_once_one_wins_whole(world: World) -> None:
    exam = aged(reported(world), YEARS_15)
    auditor = person(world.places["home"], "audit_admin", "auditor")
    hold, erased = together(
        [
            lambda: services.hold_set(
                principal=auditor, subject_kind="patient", subject=str(exam.patient_id), case_number="1",
                reason="诉讼", until=None,
            ),
            lambda: engine.record_erase(kind="patient", subject_id=exam.patient_id),
        ]
    )  # fmt: skip
    if isinstance(hold, LegalHold):
        assert isinstance(erased, Conflict) and Patient.objects.exists()
    else:
        assert isinstance(hold, NotFound) and not Patient.objects.exists()


def _booking_meets_a_request(world: World, monkeypatch: pytest.MonkeyPatch) -> tuple[object, list[object]]:
    """The desk has found the patient; before it books, the patient asks. (the booking, the request's answer)."""
    reported(world)
    desk, really = world.principals["desk"], scheduling.exam_type_get
    met: list[list[object]] = []

    def late(code: str) -> Any:
        met.append(
            in_another_thread(
                lambda: erasure.erasure_ask_on_paper(principal=desk, patient_id=world.patient.id, paper="P-9")
            )
        )
        return really(code)

    monkeypatch.setattr(scheduling, "exam_type_get", late)
    try:
        booked: object = world.book(starts_at=world.tomorrow(90))
    except NotFound as error:
        booked = error
    until(lambda: bool(met[0]), what="the answer")
    return booked, met[0]


def test_a_request_waits_for_a_booking_that_has_begun_and_cancels_it(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    booked, (row,) = _booking_meets_a_request(world, monkeypatch)
    assert isinstance(booked, Exam) and isinstance(row, ErasureRequest), (booked, row)
    assert [one["class"] for one in row.answer["goes"] if "booking" in one["class"]] == [
        "teleconsult.booking"
    ]
    assert not Exam.objects.filter(id=booked.id).exists() and Restriction.objects.count() == 1


def test_a_booking_that_did_not_hold_the_patient_is_undone(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Without that lock the request is faster; the booking then finds nobody and leaves nothing."""
    monkeypatch.setattr(people, "patient_for_writing", people.patient_get)
    booked, (row,) = _booking_meets_a_request(world, monkeypatch)
    assert isinstance(booked, NotFound) and isinstance(row, ErasureRequest)
    assert Exam.objects.count() == 1


def test_a_check_in_that_meets_a_request_finds_nobody(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing is running when the request looks; before it restricts, the desk checks the next exam in."""
    reported(world)
    exam = world.book(starts_at=world.tomorrow(90))
    desk = world.principals["desk"]
    met: list[list[object]] = []

    def late(patient_id: UUID) -> str:
        if not met:
            met.append(in_another_thread(lambda: exams.exam_check_in(principal=desk, exam_id=exam.id)))
        return ""

    monkeypatch.setattr(services, "_blockers", [*services._blockers, late])
    erasure.erasure_ask_on_paper(principal=desk, patient_id=world.patient.id, paper="P-9")
    until(lambda: bool(met[0]), what="the end of the check-in")
    assert isinstance(met[0][0], NotFound)
    assert Restriction.objects.exists() and not Exam.objects.filter(state="checked_in").exists()


def test_a_check_in_before_the_look_makes_the_request_wait(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The guard's other side: the exam is already running when the request gets its rows."""
    reported(world)
    exam = world.book(starts_at=world.tomorrow(90))
    desk = world.principals["desk"]
    first: list[object] = []

    def early(patient_id: UUID) -> str:
        if not first:
            first.append(in_another_thread(lambda: exams.exam_check_in(principal=desk, exam_id=exam.id)))
        return ""

    monkeypatch.setattr(services, "_blockers", [early, *services._blockers])
    row = erasure.erasure_ask_on_paper(principal=desk, patient_id=world.patient.id, paper="P-9")
    assert row.waits_for == "exam_running" and not Restriction.objects.exists()


def test_an_upload_of_the_same_bytes_keeps_a_file_that_is_being_erased(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The eraser comes between an upload's file and its row."""
    exam = world.ended()
    path, _ = objects.put(PNG)
    objects.erase(path)
    really = FrozenFrame.objects.get_or_create
    drained: list[list[object]] = []

    def late(**given: Any) -> Any:
        drained.append(in_another_thread(work.work_drain))
        return really(**given)

    monkeypatch.setattr(FrozenFrame.objects, "get_or_create", late)
    records.frozen_store(exam_id=exam.id, meta=META, data=PNG)
    until(lambda: bool(drained[0]), what="the eraser's end")
    assert objects.read(path) == PNG
    assert not Image.objects.filter(path=path).exists()
