"""Demo data of the embedded default: two hospitals, their agreement, people, a robot, the day's bookings.

All people are invented; the identity numbers are synthetic. Passwords and TOTP secrets are made at the first start
and kept in DATA_DIR/demo.json (mode 0600), because the database keeps only their hashes.
"""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import UUID

from django.conf import settings
from django.db import transaction

from devices.fleet.models import Robot
from hospital.access.models import Institution, Membership, User
from hospital.access.principals import SYSTEM
from hospital.access.services import user_create
from hospital.access.stale import is_stale, user_enable
from hospital.common.clock import SHANGHAI, now, shanghai_day, today
from hospital.common.errors import Conflict
from hospital.people import selectors as people
from hospital.people import services as people_services
from hospital.people.models import (
    Agreement,
    ConsentText,
    Patient,
    Practitioner,
    Privilege,
    Registration,
)
from hospital.scheduling.models import ExamType, Resource

from . import services
from .demo_texts import CONSENTS, MODEL_EN, MODEL_ZH, PATIENTS, STAFF, VIEWS
from .models import Exam
from .states import CONNECTED

SLOT = timedelta(minutes=5)
SOON = timedelta(minutes=15)  # one exam always starts within this time
LEAD = timedelta(minutes=5)  # ... and not before somebody could have opened the page
HOME, EXPERT = "310118", "310104"
CONSENT_VERSION = "2026-02"


def _secrets_file() -> Path:
    return Path(settings.DATA_DIR) / "demo.json"


def _institutions() -> dict[str, Institution]:
    rows = {
        HOME: ("上海市青浦区朱家角人民医院", "Zhujiajiao People's Hospital", "朱家角", "12310118MB2F9901X3"),
        EXPERT: ("复旦大学附属中山医院", "Zhongshan Hospital", "中山", "12320509MB2F99028T"),
    }
    return {
        region: Institution.objects.get_or_create(
            uscc=uscc, defaults={"name": name, "name_en": name_en, "short_name": short, "region_code": region}
        )[0]
        for region, (name, name_en, short, uscc) in rows.items()
    }


def _staff(places: dict[str, Institution]) -> list[dict[str, str]]:
    """Create who is missing; returns what a person needs to sign in."""
    path = _secrets_file()
    known: dict[str, dict[str, str]] = json.loads(path.read_text()) if path.exists() else {}
    # Earlier houses had the sign-in name where pages in English look for a person's name.
    Resource.objects.filter(kind="person", name_en__in=[row[0] for row in STAFF]).update(name_en="")
    for username, name, role, region in STAFF:
        there = User.objects.filter(username=username).first()
        if there is not None and username in known:
            if not there.is_active or is_stale(
                there
            ):  # somebody comes back to the demonstration months later
                user_enable(user_id=there.id)
            continue
        user, password, totp_secret = user_create(username=username, name=name)
        Membership.objects.get_or_create(user=user, institution=places[region], role=role)
        if role in ("remote_physician", "bedside_physician", "assistant"):
            Resource.objects.get_or_create(
                user=user,
                defaults={"kind": "person", "institution": places[region], "name": name},
            )
        if role in ("remote_physician", "bedside_physician"):
            _licence(user, places[region])
            if role == "remote_physician":
                _may_operate(user, places)
        known[username] = {
            "role": role,
            "username": username,
            "password": password,
            "totp_secret": totp_secret,
        }
    path.parent.mkdir(parents=True, exist_ok=True)
    with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w") as file:
        json.dump(known, file)
    return [known[username] for username, *_ in STAFF]


def _may_operate(user: User, places: dict[str, Institution]) -> None:
    """What an expert from outside the zone needs besides the licence: a filing here, and a privilege at the robot."""
    Registration.objects.get_or_create(
        user=user,
        institution=places[HOME],
        kind="filing",
        defaults={
            "valid_from": today(),
            "valid_to": today() + timedelta(days=365),
            "paper": "中山医院同意多机构备案 2026-11",
        },
    )
    Privilege.objects.get_or_create(
        user=user,
        institution=places[EXPERT],
        defaults={
            "level": "independent",
            "simulator_hours": 24,
            "supervised_exams": 12,
            "valid_to": today() + timedelta(days=365),
        },
    )


def _licence(user: User, place: Institution) -> None:
    Registration.objects.get_or_create(
        user=user,
        kind="main",
        defaults={"institution": place, "valid_from": date(2008, 7, 1), "paper": "医师执业证书"},
    )
    Practitioner.objects.get_or_create(
        user=user,
        defaults={
            "licence_number": f"1103100000{user.username[:5]:0<5}",
            "licence_expires_on": today() + timedelta(days=730),
            "practice_started_on": date(2008, 7, 1),
            "standing": "active",
            "scope": "ultrasound",
        },
    )


def _house(places: dict[str, Institution]) -> tuple[Robot, Resource, ExamType]:
    home = places[HOME]
    room, _ = Resource.objects.get_or_create(
        kind="room", institution=home, name="超声 1 室", defaults={"name_en": "Ultrasound room 1"}
    )
    Resource.objects.get_or_create(
        kind="room", institution=home, name="超声 2 室", defaults={"name_en": "Ultrasound room 2"}
    )
    machine, _ = Resource.objects.get_or_create(
        kind="robot", institution=home, name="超声机器人 1 号", defaults={"name_en": "Ultrasound robot 1"}
    )
    robot, _ = Robot.objects.get_or_create(
        resource=machine,
        defaults={
            "institution": home,
            "name": machine.name,
            "name_en": machine.name_en,
            "calibration_due_on": today() + timedelta(days=180),
            "maintenance_due_on": today() + timedelta(days=90),
        },
    )
    kind, _ = ExamType.objects.get_or_create(
        code="abdomen",
        defaults={
            "name_zh": "上腹部超声",
            "name_en": "Upper abdomen ultrasound",
            "minutes": 20,
            "service": "remote_ultrasound",
            "preparation_zh": "检查前一晚 20:00 后禁食，当日早晨空腹。",
            "preparation_en": "Nothing to eat after 20:00 the evening before; come fasting.",
            "views": VIEWS,
            "keeper": home,
        },
    )
    _fasting(home)
    if kind.views != VIEWS:  # data from before views had sides
        kind.views = VIEWS
        kind.save(update_fields=["views"])
    return robot, room, kind


def _fasting(home: Institution) -> None:
    """The same exam with the rules of a real one. The plain one stays without hours: a demonstration is shown at any
    hour of the day."""
    kind, made = ExamType.objects.get_or_create(
        code="abdomen_fasting",
        defaults={
            "name_zh": "上腹部超声（空腹，上午）",
            "name_en": "Upper abdomen ultrasound (fasting, mornings)",
            "minutes": 20,
            "service": "remote_ultrasound",
            "preparation_zh": "检查前一晚 20:00 后禁食，当日早晨空腹。",
            "preparation_en": "Nothing to eat after 20:00 the evening before; come fasting.",
            "views": VIEWS,
            "keeper": home,
        },
    )
    if made:
        kind.windows.create(opens_minute=7 * 60 + 30, closes_minute=11 * 60 + 30)
        kind.order_rules.create(procedure="gastroscopy", kind="before", days=1)
        kind.order_rules.create(procedure="barium", kind="days_after", days=3)
        kind.reminders.create(days_before=3, minute=9 * 60)
        kind.reminders.create(days_before=1, minute=18 * 60 + 30)


def _papers(places: dict[str, Institution]) -> None:
    Agreement.objects.get_or_create(
        inviting=places[HOME],
        invited=places[EXPERT],
        defaults={
            "services": ["remote_ultrasound"],
            "valid_from": today() - timedelta(days=30),
            "valid_to": today() + timedelta(days=365),
            "document_sha256": "0" * 64,
            "signed_by_inviting_at": now(),
            "signed_by_invited_at": now(),
            "inviting_signatory": "沈国平（院长）",
            "invited_signatory": "顾文华（副院长）",
        },
    )
    for kind, (zh, en) in CONSENTS.items():
        if not ConsentText.objects.filter(kind=kind, version=CONSENT_VERSION).exists():
            people_services.consent_text_publish(
                kind=kind, version=CONSENT_VERSION, body_zh=zh + MODEL_ZH, body_en=en + MODEL_EN
            )


def _patients(places: dict[str, Institution]) -> list[Patient]:
    found = []
    for name, number, birth, sex, phone in PATIENTS:
        try:
            patient, _ = people_services.patient_register(
                principal=SYSTEM,
                institution_id=places[HOME].id,
                name=name,
                document_type="01",
                document_number=number,
                birth_date=date.fromisoformat(birth),
                sex=sex,
                phone=phone,
            )
        except Conflict as error:
            if "patient_id" not in error.data:
                continue  # restricted at the patient's own request
            patient = Patient.objects.get(id=error.data["patient_id"])
        found.append(patient)
    return found


def _book(robot: Robot, patient: Patient, starts_at: datetime, question: str) -> Exam | None:
    """One demo booking; None when somebody has the time already."""
    people = {
        role: User.objects.filter(memberships__role=role).order_by("username").first()
        for role in ("remote_physician", "bedside_physician")
    }
    room = Resource.objects.filter(kind="room", institution=robot.institution).order_by("name").first()
    assert room is not None and all(people.values())
    try:
        return services.exam_book(
            principal=SYSTEM,
            patient_id=patient.id,
            exam_type="abdomen",
            clinical_question=question,
            history="高血压 10 年；既往无腹部手术。",
            remote_physician_id=people["remote_physician"].id,  # type: ignore[union-attr]
            bedside_physician_id=people["bedside_physician"].id,  # type: ignore[union-attr]
            robot_id=robot.id,
            room_id=room.id,
            starts_at=starts_at,
        )
    except Conflict:
        return None


def _slots_from(moment: datetime) -> Iterator[datetime]:
    """Five-minute marks after `moment`."""
    mark = moment.replace(second=0, microsecond=0) - timedelta(minutes=moment.minute % 5)
    while True:
        mark += SLOT
        yield mark


def keep_one_exam_soon() -> Exam | None:
    """Book one exam within the next 15 minutes when there is none; nothing outside the demo."""
    robot = Robot.objects.filter(resource__name="超声机器人 1 号").first()
    patients = list(people.readable().order_by("mpi")[: len(PATIENTS)])
    if robot is None or not patients:
        return None
    soon = now() + SOON
    waiting = Exam.objects.filter(robot=robot, state__in=[str(s) for s in CONNECTED], ends_at__gt=now())
    if waiting.filter(starts_at__lte=soon).exists():
        return None
    for mark in _slots_from(now() + LEAD):
        if mark > soon:
            return None
        exam = _book(robot, patients[mark.minute // 5 % len(patients)], mark, "右上腹隐痛两周，胆囊结石？")
        if exam is not None:
            return exam
    return None


def _today(robot: Robot, patients: list[Patient]) -> None:
    """The day's list, once a day: on the hour, in what is left of the working day in Shanghai."""
    start, end = shanghai_day(today())
    if Exam.objects.filter(robot=robot, starts_at__gte=start, starts_at__lt=end).count() >= 3:
        return
    questions = ("脂肪肝复查", "体检：肝胆胰脾", "上腹饱胀", "胆囊息肉随访")
    for number, question in enumerate(questions):
        mark = start.astimezone(SHANGHAI) + timedelta(hours=9 + 2 * number)
        if mark > now() + SOON + timedelta(minutes=25):
            _book(robot, patients[number % len(patients)], mark, question)


@transaction.atomic
def demo_make() -> dict[str, Any]:
    """Create what is missing; returns what DATA_DIR/up.json promises."""
    places = _institutions()
    staff = _staff(places)
    robot, _, _ = _house(places)
    _papers(places)
    patients = _patients(places)
    _today(robot, patients)
    keep_one_exam_soon()
    return {
        "robot": {"id": str(robot.id)},
        "staff": staff,
        "patients": demo_patients(),
        "exams": demo_exams(robot.id),
    }


def demo_patients() -> list[dict[str, str]]:
    return [{"phone": phone, "document_number": number} for _, number, _, _, phone in PATIENTS]


def demo_exams(robot_id: UUID) -> list[dict[str, str]]:
    start, end = shanghai_day(today())
    exams = Exam.objects.filter(robot_id=robot_id, starts_at__gte=start, starts_at__lt=end + SOON)
    return [
        {"id": str(exam.id), "state": exam.state, "starts_at": exam.starts_at.isoformat()}
        for exam in exams.order_by("starts_at")
    ]
