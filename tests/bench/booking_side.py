"""Inside the benchmark's installation: ten robots with their teams, 64 desks, and 30 days that are two thirds full.

Prints one line of JSON: `{first, home, patient, tokens, teams, booked}`; rows are written as booking would write them.
"""

from __future__ import annotations

import json
import random
from datetime import date, timedelta
from typing import Any

import django

from tests.bench.booking import CLIENTS_N, DAYS, SLOTS_A_DAY
from tests.bench.slots_side import _group

SIZE, FULL, MINUTES = 50, 0.65, 20


def _desks(home: Any) -> list[str]:
    from hospital.access.models import Membership, User
    from hospital.access.services import token_issue

    tokens = []
    for number in range(CLIENTS_N):
        user = User.objects.create(username=f"d{number}", name=f"d{number}", password="!", totp_secret="-")
        Membership.objects.create(user=user, institution=home, role="scheduler")
        tokens.append(token_issue(life=timedelta(hours=1), user=user)[0])
    return tokens


def _patient(home: Any) -> Any:
    from hospital.access.models import User
    from hospital.access.selectors import principal_of_user
    from hospital.people.services import patient_register

    row, _ = patient_register(
        principal=principal_of_user(User.objects.get(username="d0")), name="王小东", document_type="03",
        document_number="T0000001", birth_date=date(1950, 1, 1), sex="1", phone="13900000001",
    )  # fmt: skip
    return row


def _teams(groups: list[list[Any]]) -> list[dict[str, str]]:
    """The ids of a booking for each team of calendars (remote, bedside, assistant, robot, room)."""
    from devices.fleet.models import Robot
    from hospital.scheduling.models import Resource

    users = dict(Resource.objects.filter(user__isnull=False).values_list("id", "user_id"))
    robots = dict(Robot.objects.values_list("resource_id", "id"))
    return [
        {
            "remote_physician_id": str(users[remote]), "bedside_physician_id": str(users[bedside]),
            "robot_id": str(robots[robot]), "room_id": str(room),
        }
        for remote, bedside, _, robot, room in groups
    ]  # fmt: skip


def _filled(
    first: Any, groups: list[list[Any]], teams: list[dict[str, str]], **about: Any
) -> list[list[Any]]:
    from hospital.scheduling.models import Appointment, Reservation
    from teleconsult.models import Exam

    chance, booked = random.Random(5), []
    appointments, reservations = [], []
    exams: list[Exam] = []
    for number, (remote, bedside, _, robot, room) in enumerate(groups):
        for place in range(DAYS * SLOTS_A_DAY):
            if chance.random() >= FULL:
                continue
            start = first + timedelta(days=place // SLOTS_A_DAY, minutes=MINUTES * (place % SLOTS_A_DAY))
            end = start + timedelta(minutes=MINUTES)
            row = Appointment(starts_at=start, ends_at=end, created_by_id=about["patient"].id)
            exam = Exam(
                accession=f"B{len(exams):09d}", starts_at=start, ends_at=end, appointment=row,
                exam_type_id="bench", clinical_question="bench", **teams[number], **about,
            )  # fmt: skip
            appointments.append(row)
            exams.append(exam)
            reservations += [
                Reservation(resource_id=one, appointment=row, period=(start, end))
                for one in (remote, bedside, robot, room)
            ]
            booked.append([str(exam.id), number, start.isoformat()])
    Appointment.objects.bulk_create(appointments, batch_size=2000)
    Reservation.objects.bulk_create(reservations, batch_size=2000)
    Exam.objects.bulk_create(exams, batch_size=1000)
    return booked


def main() -> None:
    django.setup()
    from hospital.access.models import Institution
    from hospital.common.clock import shanghai_day, today
    from hospital.scheduling.models import ExamType

    ExamType.objects.create(
        code="bench", name_zh="上腹部", name_en="Abdomen", minutes=MINUTES, service="remote_ultrasound"
    )
    groups = _group(SIZE)
    home = Institution.objects.get(short_name="50-00-home")
    expert = Institution.objects.get(short_name="50-00-expert")
    tokens, patient, teams = _desks(home), _patient(home), _teams(groups)
    first = shanghai_day(today() + timedelta(days=1))[0] + timedelta(hours=8)
    about = {"patient": patient, "requesting_institution": home, "performing_institution": expert}
    print(
        json.dumps(
            {
                "first": first.isoformat(),
                "home": str(home.id),
                "patient": str(patient.id),
                "tokens": tokens,
                "teams": teams,
                "booked": _filled(first, groups, teams, **about),
            }
        )
    )


if __name__ == "__main__":
    main()
