"""Inside the installation of `chaos`: what it books on, and afterwards what the database says of it.

`world SECONDS` prints `{home, patients, tokens, teams, days, full, booked}` as one line of JSON: four teams, six desks,
eight patients; the last team's day `full` is booked from end to end, so that who wants that person waits; reminders of
tomorrow's exams fall due within SECONDS. `after` reads what was answered from standard input and prints
`{lost, doubled}`, each a list of sentences.
"""

from __future__ import annotations

import json
import sys
from datetime import date, datetime, timedelta
from typing import Any

import django

TEAMS_N, DESKS_N, PATIENTS_N, DAYS, SLOTS_A_DAY, MINUTES = 4, 6, 8, 8, 28, 20
REMINDERS_EVERY_S = 60


def _desks(home: Any) -> list[str]:
    from hospital.access.models import Membership, User
    from hospital.access.services import token_issue

    tokens = []
    for number in range(DESKS_N):
        user = User.objects.create(username=f"d{number}", name=f"d{number}", password="!", totp_secret="-")
        Membership.objects.create(user=user, institution=home, role="scheduler")
        tokens.append(token_issue(life=timedelta(hours=2), user=user)[0])
    return tokens


def _patients() -> list[Any]:
    from hospital.access.models import User
    from hospital.access.selectors import principal_of_user
    from hospital.people.services import patient_register

    desk = principal_of_user(User.objects.get(username="d0"))
    return [
        patient_register(
            principal=desk, name=f"王小{'东南西北上下左右'[number]}", document_type="03",
            document_number=f"T000000{number}", birth_date=date(1950, 1, 1), sex="1", phone=f"1390000000{number}",
        )[0]
        for number in range(PATIENTS_N)
    ]  # fmt: skip


def _days() -> list[datetime]:
    """Eight in the morning of the next days that are no holidays, tomorrow first where it is none."""
    from hospital.common.clock import shanghai_day, today
    from hospital.scheduling.holidays import weekday_of

    ahead = [today() + timedelta(days=number) for number in range(1, 40)]
    return [shanghai_day(day)[0] + timedelta(hours=8) for day in ahead if weekday_of(day) is not None][:DAYS]


def _type(first: datetime, seconds: int) -> None:
    """The reminders are for the first of the days, every minute from the next on."""
    from hospital.common.clock import SHANGHAI, now
    from hospital.scheduling.models import ExamReminder, ExamType

    kind = ExamType.objects.create(
        code="bench", name_zh="上腹部", name_en="Abdomen", minutes=MINUTES, service="remote_ultrasound"
    )
    day = first.astimezone(SHANGHAI).date()
    for after in range(REMINDERS_EVERY_S // 2, seconds + REMINDERS_EVERY_S, REMINDERS_EVERY_S):
        at = (now() + timedelta(seconds=after)).astimezone(SHANGHAI)
        before, minute = (day - at.date()).days, at.hour * 60 + at.minute
        ExamReminder.objects.get_or_create(exam_type=kind, days_before=before, minute=minute)


def _filled(first: datetime, team: dict[str, str], groups: list[Any], **about: Any) -> list[list[str]]:
    """One day of one team, as booking would write it; nobody was told of these."""
    from hospital.scheduling.models import Appointment, Reservation
    from teleconsult.models import Exam

    booked = []
    for place in range(SLOTS_A_DAY):
        start = first + timedelta(minutes=MINUTES * place)
        end = start + timedelta(minutes=MINUTES)
        row = Appointment.objects.create(starts_at=start, ends_at=end, created_by_id=about["patient"].id)
        exam = Exam.objects.create(
            accession=f"B{place:09d}", starts_at=start, ends_at=end, appointment=row, exam_type_id="bench",
            clinical_question="bench", **team, **about,
        )  # fmt: skip
        Reservation.objects.bulk_create(
            [Reservation(resource_id=one, appointment=row, period=(start, end)) for one in groups]
        )
        booked.append([str(exam.id), start.isoformat()])
    return booked


def world(seconds: int) -> dict[str, Any]:
    from hospital.access.models import Institution
    from tests.bench.booking_side import _teams
    from tests.bench.slots_side import _group

    days, size = _days(), TEAMS_N * 5
    _type(days[0], seconds)
    groups = _group(size)
    home = Institution.objects.get(short_name=f"{size}-00-home")
    expert = Institution.objects.get(short_name=f"{size}-00-expert")
    tokens, teams = _desks(home), _teams(groups)
    patients = _patients()
    about = {"patient": patients[0], "requesting_institution": home, "performing_institution": expert}
    remote, bedside, _, robot, room = groups[-1]
    return {
        "home": str(home.id),
        "patients": [str(one.id) for one in patients],
        "tokens": tokens,
        "teams": teams,
        "days": [day.isoformat() for day in days],
        "full": days[2].isoformat(),
        "booked": _filled(days[2], teams[-1], [remote, bedside, robot, room], **about),
    }


def main() -> None:
    django.setup()
    if sys.argv[1] == "world":
        print(json.dumps(world(int(sys.argv[2]))))
    else:
        from tests.bench.chaos_after import after

        print(json.dumps(after(json.load(sys.stdin)), ensure_ascii=False))


if __name__ == "__main__":
    main()
