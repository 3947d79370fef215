"""Merging against booking and registering at the same moment: no row is left with a registration that is no more."""

from __future__ import annotations

import threading
from datetime import date
from typing import Any
from unittest.mock import patch

import pytest

from hospital.access.models import AccessToken
from hospital.common.clock import now
from hospital.common.errors import Conflict
from hospital.people import merges, references, selectors, services
from hospital.people.models import Patient, PatientMerge
from teleconsult.models import Exam
from tests.factories import World, make_world
from tests.owner import as_owner

from .at_once import together

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def world() -> World:
    return make_world()


def registered(world: World, number: str = "E12345678") -> Patient:
    patient, _ = services.patient_register(
        principal=world.principals["desk"], name="王小东", document_type="03", document_number=number,
        birth_date=date(1950, 3, 15), sex="1", phone="13900000088",
    )  # fmt: skip
    return patient


def merge(world: World, source: Patient, survivor: Patient) -> PatientMerge:
    AccessToken.objects.filter(user=world.users["desk"]).update(stepped_up_at=now())
    return merges.patient_merge(
        principal=world.principals["desk"], source_id=source.id, survivor_id=survivor.id, reason="同一位患者"
    )


def booked_during_the_merge(world: World, double: Patient) -> list[object]:
    looked, merged, look = threading.Event(), threading.Event(), selectors.patient_get
    first = threading.Lock()

    def slow_look(**given: Any) -> Patient:
        found = look(**given)
        if first.acquire(blocking=False):
            looked.set()
            assert merged.wait(20)
        return found

    def merging() -> PatientMerge:
        assert looked.wait(20)
        try:
            return merge(world, double, world.patient)
        finally:
            merged.set()

    with patch.object(selectors, "patient_get", slow_look):
        return together([lambda: world.book(patient_id=double.id), merging])


def not_held(*, principal: Any, patient_id: Any, action: str = "patient.read") -> Patient:
    return selectors.patient_get(principal=principal, patient_id=patient_id, action=action)


def without_guard() -> None:
    as_owner("DROP TRIGGER people_merged_refuse ON teleconsult_exam")


def with_guard() -> None:
    as_owner(
        "CREATE OR REPLACE TRIGGER people_merged_refuse BEFORE INSERT OR UPDATE OF patient_id ON teleconsult_exam"
        " FOR EACH ROW EXECUTE FUNCTION people_merged_refuse('patient_id')"
    )


def test_without_lock_and_guard_a_booking_is_left_with_the_merged_registration(world: World) -> None:
    double = registered(world)
    without_guard()
    try:
        with patch.object(selectors, "patient_for_writing", not_held):
            booked_during_the_merge(world, double)
        assert Exam.objects.get().patient_id == double.id
        assert Patient.objects.get(id=double.id).merged_into_id == world.patient.id
    finally:
        with_guard()


def test_without_the_lock_the_database_refuses_that_booking(world: World) -> None:
    double = registered(world)
    with patch.object(selectors, "patient_for_writing", not_held):
        booking, merged = booked_during_the_merge(world, double)
    assert isinstance(merged, PatientMerge)
    assert "merged into another" in str(booking)
    assert not Exam.objects.exists()


def test_a_booking_that_read_before_a_merge_goes_to_the_one_who_stays(world: World) -> None:
    double = registered(world)
    booking, merged = booked_during_the_merge(world, double)
    assert isinstance(booking, Exam), booking
    assert isinstance(merged, PatientMerge), merged
    assert Exam.objects.get().patient_id == world.patient.id


def test_two_merges_of_the_same_two_the_other_way_round_make_one(world: World) -> None:
    double = registered(world)
    AccessToken.objects.update(stepped_up_at=now())
    results = together(
        [lambda: merge(world, double, world.patient), lambda: merge(world, world.patient, double)]
    )
    assert len([one for one in results if isinstance(one, PatientMerge)]) == 1, results
    assert all(isinstance(one, PatientMerge | Conflict | Exception) for one in results)
    assert PatientMerge.objects.count() == 1
    assert Patient.objects.exclude(merged_into=None).count() == 1


def test_desks_that_register_one_person_at_once_get_one_registration(world: World) -> None:
    results = together([lambda: registered(world, "E55555555").id for _ in range(6)])
    assert len(set(results)) == 1, results
    assert Patient.objects.count() == 2
    assert references.unknown() == []
