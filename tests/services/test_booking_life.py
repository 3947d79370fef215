"""The booking life against a simple model: a table of who has which time. Hypothesis tries orders nobody thinks of."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

import pytest
from django.db import transaction
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    Bundle,
    RuleBasedStateMachine,
    consumes,
    invariant,
    multiple,
    rule,
    run_state_machine_as_test,
)

from hospital.common.errors import DomainError, NotFound
from hospital.scheduling.models import Reservation
from teleconsult import services
from teleconsult.models import Exam, ExamRequest
from tests.factories import World, make_world

SLOTS = 6  # half an hour each: an exam of twenty minutes meets no neighbour
TEAMS = (("expert", "bedside", 1), ("expert2", "bedside2", 2))  # the one robot is in both


@contextmanager
def told(code: str | None) -> Iterator[None]:
    """With a code: this refusal and no other; without: none."""
    if code is None:
        yield
        return
    with pytest.raises(DomainError) as caught, transaction.atomic():
        yield
    assert caught.value.code == code, caught.value.code


class BookingLife(RuleBasedStateMachine):
    """`busy` is the model: slot -> what has the robot then. Everything the services say is compared with it."""

    world: World
    holds, exams, asked = Bundle("holds"), Bundle("exams"), Bundle("asked")

    def __init__(self) -> None:
        super().__init__()
        self.busy: dict[int, object] = {}
        self.at: dict[UUID, int] = {}  # exam or hold -> slot
        self.state: dict[UUID, str] = {}
        self.priority: dict[UUID, str] = {}
        self.savepoint = transaction.savepoint()

    def teardown(self) -> None:
        transaction.savepoint_rollback(self.savepoint)

    def start(self, slot: int) -> datetime:
        return self.world.tomorrow(60 * 24 + 30 * slot)

    def team(self, number: int) -> dict[str, Any]:
        expert, bedside, room = TEAMS[number]
        return {
            "remote_physician_id": self.world.users[expert].id,
            "bedside_physician_id": self.world.users[bedside].id,
            "robot_id": self.world.robot.id,
            "room_id": (self.world.room if room == 1 else self.world.room2).id,
        }

    @property
    def desk(self) -> Any:
        return self.world.principals["desk"]

    @rule(target=holds, slot=st.integers(0, SLOTS - 1), team=st.integers(0, 1))
    def hold(self, slot: int, team: int) -> Any:
        kept = sum(one in self.at and self.state.get(one) == "hold" for one in self.at)
        code = "too_many_holds" if kept >= 5 else "taken" if slot in self.busy else None
        with told(code):
            hold_id, _ = services.exam_hold(
                principal=self.desk, exam_type="abdomen", starts_at=self.start(slot), **self.team(team)
            )
        if code:
            return multiple()
        self.busy[slot], self.at[hold_id], self.state[hold_id] = hold_id, slot, "hold"
        return (hold_id, team)

    @rule(held=consumes(holds))
    def release(self, held: tuple[UUID, int]) -> None:
        alive = self.state[held[0]] == "hold"
        try:
            services.exam_hold_release(principal=self.desk, hold_id=held[0])
            assert alive
        except NotFound:
            assert not alive
        self._gone(held[0])

    def _gone(self, ident: UUID) -> None:
        self.state[ident] = "gone"
        if self.busy.get(self.at[ident]) == ident:
            del self.busy[self.at[ident]]

    @rule(target=exams, slot=st.integers(0, SLOTS - 1), team=st.integers(0, 1))
    def book(self, slot: int, team: int) -> Any:
        code = "taken" if slot in self.busy else None
        with told(code):
            exam = self.world.book(starts_at=self.start(slot), **self.team(team))
        return multiple() if code else self._booked(exam, slot)

    def _booked(self, exam: Exam, slot: int) -> UUID:
        self.busy[slot] = exam.id
        self.at[exam.id], self.state[exam.id], self.priority[exam.id] = slot, "booked", exam.priority
        return exam.id

    @rule(target=exams, held=consumes(holds))
    def book_held(self, held: tuple[UUID, int]) -> Any:
        hold_id, team = held
        slot, alive = self.at[hold_id], self.state[hold_id] == "hold"
        with told(None if alive else "hold_over"):
            exam = self.world.book(starts_at=self.start(slot), hold_id=hold_id, **self.team(team))
        if not alive:
            return multiple()
        self._gone(hold_id)
        return self._booked(exam, slot)

    @rule(target=asked)
    def ask(self) -> UUID:
        row = services.request_add(
            principal=self.desk, patient_id=self.world.patient.id, exam_type="abdomen",
            institution_id=self.world.places["home"].id, clinical_question="?", priority="routine",
        )  # fmt: skip
        self.state[row.id] = "asked"
        return row.id

    @rule(target=exams, request_id=asked, slot=st.integers(0, SLOTS - 1))
    def book_asked(self, request_id: UUID, slot: int) -> Any:
        closed = self.state[request_id] != "asked"
        code = "request_closed" if closed else "taken" if slot in self.busy else None
        with told(code):
            exam = services.request_book(
                principal=self.desk, request_id=request_id, starts_at=self.start(slot), **self.team(0)
            )
        if code:
            return multiple()
        self.state[request_id] = "done"
        return self._booked(exam, slot)

    @rule(exam_id=exams, slot=st.integers(0, SLOTS - 1), stale=st.booleans())
    def move(self, exam_id: UUID, slot: int, stale: bool) -> None:
        before = self.at[exam_id]
        seen = self.start(before + SLOTS) if stale else self.start(before)
        over, taken = self.state[exam_id] != "booked", self.busy.get(slot, exam_id) != exam_id
        refusals = {"illegal_transition": over, "changed_meanwhile": stale, "taken": taken}
        code = next((name for name, true in refusals.items() if true), None)
        with told(code):
            services.exam_move(
                principal=self.desk, exam_id=exam_id, starts_at=self.start(slot), expected_starts_at=seen
            )
        if code:
            return
        del self.busy[before]
        self.busy[slot], self.at[exam_id] = exam_id, slot

    @rule(exam_id=exams)
    def cancel(self, exam_id: UUID) -> None:
        over = self.state[exam_id] not in ("booked", "checked_in")
        with told("illegal_transition" if over else None):
            services.exam_cancel(principal=self.desk, exam_id=exam_id, reason="x")
        if not over:
            self._gone(exam_id)

    @rule(exam_id=exams)
    def check_in(self, exam_id: UUID) -> None:
        legal = self.state[exam_id] == "booked"
        with told(None if legal else "illegal_transition"):
            services.exam_check_in(principal=self.desk, exam_id=exam_id)
        if legal:
            self.state[exam_id] = "checked_in"

    @rule(target=exams, slot=st.integers(0, SLOTS - 1))
    def emergency(self, slot: int) -> Any:
        there = self.busy.get(slot)
        planned = isinstance(there, UUID) and (
            self.state[there] == "hold"
            or (self.state[there] == "booked" and self.priority[there] == "routine")
        )
        code = None if there is None or planned else "cannot_displace"
        with told(code):
            exam = services.exam_displace(
                principal=self.desk, reason="急诊", **self.world.booking(starts_at=self.start(slot))
            )
        if code:
            return multiple()
        if isinstance(there, UUID):
            if self.state[there] == "booked":
                assert ExamRequest.objects.filter(state="waiting", waiting__front=True).exists()
            self._gone(there)
        return self._booked(exam, slot)

    @invariant()
    def the_robots_calendar_is_the_models(self) -> None:
        rows = Reservation.objects.filter(
            resource_id=self.world.robot.resource_id, status__in=["hold", "booked"]
        )
        found = {
            row.period.lower: row.hold_id if row.status == "hold" else row.appointment_id for row in rows
        }
        exams = dict(Exam.objects.values_list("id", "appointment_id"))
        wanted = {self.start(slot): exams.get(one, one) for slot, one in self.busy.items()}  # type: ignore[call-overload]
        assert found == wanted
        assert all(row.period.upper - row.period.lower == timedelta(minutes=20) for row in rows)

    @invariant()
    def every_booking_has_its_four_calendars(self) -> None:
        for state in ("booked", "checked_in"):
            for exam in Exam.objects.filter(state=state):
                assert Reservation.objects.filter(appointment=exam.appointment, status="booked").count() == 4


@pytest.mark.django_db
def test_whatever_the_order_the_house_books_as_the_model_does() -> None:
    world = make_world()
    run_state_machine_as_test(
        type("Life", (BookingLife,), {"world": world}),
        settings=settings(
            max_examples=12,
            stateful_step_count=25,
            deadline=None,
            suppress_health_check=list(HealthCheck),
            database=None,
        ),
    )
