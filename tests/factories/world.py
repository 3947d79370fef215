from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from typing import Any

from devices.fleet.models import Robot, SelfTest
from hospital.access import selectors as access
from hospital.access.models import AccessToken, Institution, Membership, PatientAccount, User
from hospital.access.principals import Principal
from hospital.access.services import phone_index
from hospital.common.clock import SHANGHAI, now, today
from hospital.common.ids import uuid7
from hospital.people import services as people_services
from hospital.people.models import AccountPatient, Agreement, Patient, Practitioner, Privilege, Registration
from hospital.scheduling.models import ExamType, Resource
from teleconsult import services, turnover
from teleconsult.models import Exam, LinkQuality, Presence

PERSONS = (
    ("desk", "周敏", "scheduler", "home"),
    ("bedside", "李建国", "bedside_physician", "home"),
    ("bedside2", "徐芳", "bedside_physician", "home"),
    ("expert", "王思远", "remote_physician", "expert"),
    ("expert2", "赵雅琴", "remote_physician", "expert"),
    ("other_desk", "外院调度", "scheduler", "other"),
    ("other_expert", "外院专家", "remote_physician", "other"),
    ("admin", "冯涛", "system_admin", "home"),
)
PHYSICIANS = ("remote_physician", "bedside_physician")
SECRET = "JBSWY3DPEHPK3PXP"
LAST_HOUR = 18  # of an exam's start tomorrow
FINGERPRINT = "sha-256 " + ":".join(["AB"] * 32)


def _full_hour_tomorrow() -> datetime:
    ahead = (now() + timedelta(days=1)).astimezone(SHANGHAI)
    hour = min(ahead.hour, LAST_HOUR)
    return ahead.replace(hour=hour, minute=0, second=0, microsecond=0).astimezone(UTC)


@dataclass
class World:
    places: dict[str, Institution] = field(default_factory=dict)
    users: dict[str, User] = field(default_factory=dict)
    principals: dict[str, Principal] = field(default_factory=dict)
    room: Resource = field(init=False)
    room2: Resource = field(init=False)
    robot: Robot = field(init=False)
    patient: Patient = field(init=False)
    agreement: Agreement = field(init=False)
    full_hour: datetime = field(default_factory=_full_hour_tomorrow)

    def tomorrow(self, minutes: int = 0) -> datetime:
        """17 to 24 h ahead on a full hour, plus `minutes`: up to 5 h of them never leave tomorrow's Shanghai day.

        The same hour for a whole test, also for one that runs across a full hour.
        """
        return self.full_hour + timedelta(minutes=minutes)

    def booking(self, **changes: Any) -> dict[str, Any]:
        """The arguments of a booking that succeeds."""
        return {
            "patient_id": self.patient.id,
            "exam_type": "abdomen",
            "clinical_question": "胆囊结石？",
            "history": "",
            "remote_physician_id": self.users["expert"].id,
            "bedside_physician_id": self.users["bedside"].id,
            "robot_id": self.robot.id,
            "room_id": self.room.id,
            "starts_at": self.tomorrow(),
        } | changes

    def book(self, **changes: Any) -> Exam:
        return services.exam_book(principal=self.principals["desk"], **self.booking(**changes))

    def robot_online(self) -> None:
        """Seen a minute ahead: a slow machine must not make it look lost; tests that need that say so."""
        ahead = now() + timedelta(minutes=1)
        Robot.objects.filter(id=self.robot.id).update(connection="c", last_seen_at=ahead)

    def present(self, exam: Exam, role: str) -> Presence:
        user = exam.remote_physician_id if role == "console" else exam.bedside_physician_id
        row, _ = Presence.objects.update_or_create(
            exam=exam,
            role=role,
            defaults={
                "user_id": user,
                "peer_id": f"{role}-peer",
                "fingerprint": FINGERPRINT,
                "last_seen_at": now() + timedelta(minutes=1),
            },
        )
        return row

    def self_test_passed(self, exam: Exam) -> None:
        SelfTest.objects.create(
            robot=self.robot, exam_id=exam.id, asked_by=self.users["bedside"], finished_at=now(), passed=True
        )

    def link_good(self, exam: Exam) -> None:
        LinkQuality.objects.create(
            exam=exam, rtt_p50_ms=5, rtt_p95_ms=9, loss_pct=0, jitter_ms=1, fps=30, seconds=10, good=True
        )

    def consent(self, exam: Exam) -> None:
        services.exam_consent(
            principal=self.principals["bedside"],
            exam_id=exam.id,
            text_version="1",
            given_by="patient",
            method="witness",
            witness_name="钱丽",
        )

    def checklist(self, exam: Exam, **answers: Any) -> None:
        good = {
            "last_meal": "昨晚 18:00",
            "wound_or_stoma": False,
            "recent_surgery": False,
            "known_aneurysm": False,
            "pain": False,
            "can_lie_still": True,
            "gel_allergy": False,
        }
        services.checklist_answer(
            principal=self.principals["bedside"], exam_id=exam.id, answers=good | answers
        )

    def identify(self, exam: Exam, who: str) -> None:
        services.exam_identify(
            principal=self.principals[who], exam_id=exam.id, confirmed=["name", "birth_date"]
        )

    def turned_over(self) -> None:
        """Whoever works in the room signs what the last exam left to do."""
        by = self.principals["bedside2"]
        for row in turnover.standing(by):
            for item in turnover.open_items(row) if turnover.is_due(row) else ():
                means = "quat_wipe" if item.with_means else ""
                services.turnover_sign(principal=by, turnover_id=row.id, item=item.code, means=means)

    def ready(self) -> Exam:
        """An exam at *ready*, both pages present, link measured; only the lease is missing."""
        exam = self.book()
        services.exam_check_in(principal=self.principals["desk"], exam_id=exam.id)
        self.robot_online()
        for who in ("bedside", "expert"):
            self.identify(exam, who)
        self.checklist(exam)
        self.consent(exam)
        self.self_test_passed(exam)
        for role in ("console", "bedside"):
            self.present(exam, role)
        self.link_good(exam)
        self.turned_over()
        return services.exam_ready(principal=self.principals["bedside"], exam_id=exam.id)

    def live(self) -> Exam:
        exam = self.ready()
        services.lease_take(principal=self.principals["expert"], exam_id=exam.id)
        return services.exam_start(principal=self.principals["expert"], exam_id=exam.id)

    def ended(self) -> Exam:
        exam = self.live()
        return services.exam_end(principal=self.principals["expert"], exam_id=exam.id)

    def account(self, phone: str = "13900000001", *, linked: bool = True) -> Principal:
        """A signed-in patient's account."""
        account, _ = PatientAccount.objects.get_or_create(
            phone_index=phone_index(phone), defaults={"phone": phone}
        )
        if linked:
            AccountPatient.objects.get_or_create(account=account, patient=self.patient)
        token = AccessToken.objects.create(
            digest=uuid7().bytes * 2, account=account, expires_at=now() + timedelta(minutes=5)
        )
        principal = access.principal_of_token_id(token.id)
        assert principal is not None
        return principal


def _persons(world: World) -> None:
    """All of `PERSONS`, a statement for each table: every test makes them."""
    users = {row[0]: User(username=row[0], name=row[1], password="!", totp_secret=SECRET) for row in PERSONS}
    User.objects.bulk_create(users.values())
    places = {username: world.places[place] for username, _, _, place in PERSONS}
    of = {username: {"user": users[username], "institution": places[username]} for username in users}
    roles = {username: role for username, _, role, _ in PERSONS}
    Membership.objects.bulk_create(Membership(**of[name], role=role) for name, role in roles.items())
    _physicians([name for name in users if roles[name] in PHYSICIANS], of)
    Privilege.objects.bulk_create(
        Privilege(
            **of[name], level="independent", simulator_hours=20, supervised_exams=10,
            valid_to=today() + timedelta(days=365),
        )
        for name in users if roles[name] == "remote_physician"
    )  # fmt: skip
    world.users, world.principals = users, _principals(users)


def _physicians(names: list[str], of: dict[str, dict[str, Any]]) -> None:
    Resource.objects.bulk_create(
        Resource(kind="person", **of[name], name=of[name]["user"].name) for name in names
    )
    Practitioner.objects.bulk_create(
        Practitioner(
            user=of[name]["user"],
            licence_number="1",
            licence_expires_on=today() + timedelta(days=365),
            practice_started_on=date(2010, 1, 1),
            scope="ultrasound",
        )
        for name in names
    )
    Registration.objects.bulk_create(
        Registration(**of[name], kind="main", valid_from=date(2010, 1, 1), paper="执业证书") for name in names
    )


def _principals(users: dict[str, User]) -> dict[str, Principal]:
    """Each as a sign-in with both factors lets them act."""
    tokens = [
        AccessToken(
            digest=user.id.bytes * 2, user=user, expires_at=now() + timedelta(hours=1), proven_at=now()
        )
        for user in users.values()
    ]
    AccessToken.objects.bulk_create(tokens)
    return {name: access.principal_of_token(row) for name, row in zip(users, tokens, strict=True)}


def make_world() -> World:
    world = World()
    for number, place in enumerate(("home", "expert", "other")):
        world.places[place] = Institution.objects.create(
            name=f"{place} 医院", name_en=place, short_name=place, region_code="310118", uscc=f"TEST{number}"
        )
    _persons(world)
    home = world.places["home"]
    world.room = Resource.objects.create(kind="room", institution=home, name="1 室")
    world.room2 = Resource.objects.create(kind="room", institution=home, name="2 室")
    machine = Resource.objects.create(kind="robot", institution=home, name="机器人")
    world.robot = Robot.objects.create(
        resource=machine,
        institution=home,
        name="机器人",
        calibration_due_on=today() + timedelta(days=30),
        maintenance_due_on=today() + timedelta(days=30),
    )
    ExamType.objects.create(
        code="abdomen",
        name_zh="上腹部",
        name_en="Abdomen",
        minutes=20,
        service="remote_ultrasound",
        views=[],
        keeper=home,
    )
    world.agreement = Agreement.objects.create(
        inviting=home,
        invited=world.places["expert"],
        services=["remote_ultrasound"],
        valid_from=today() - timedelta(days=1),
        valid_to=today() + timedelta(days=30),
        document_sha256="0" * 64,
        signed_by_inviting_at=now(),
        signed_by_invited_at=now(),
    )
    people_services.consent_text_publish(kind="remote_exam", version="1", body_zh="同意", body_en="consent")
    world.patient, _ = people_services.patient_register(
        principal=world.principals["desk"],
        name="王小东",
        document_type="01",
        document_number="310229195003150012",
        birth_date=date(1950, 3, 15),
        sex="1",
        phone="13900000001",
    )
    return world
