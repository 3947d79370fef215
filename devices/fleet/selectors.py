from __future__ import annotations

from collections.abc import Iterable
from datetime import date, timedelta
from uuid import UUID

from django.db.models import Q, QuerySet

from hospital.access.principals import Principal
from hospital.access.reach import reached
from hospital.access.scopes import Asked, within
from hospital.common.clock import now
from hospital.common.errors import NotFound
from hospital.common.prebuilt import Value, prebuilt

from .models import ControlLease, Robot, RobotEvent, SelfTest
from .services import SELF_TEST_LIMIT

ONLINE_WITHIN = timedelta(seconds=5)  # five missed status messages


def robot_get(robot_id: UUID) -> Robot:
    robot = _robot.one(robot_id=robot_id)
    if robot is None:
        raise NotFound()
    return robot


@prebuilt
def _robot(*, robot_id: Value) -> QuerySet[Robot]:
    return Robot.objects.select_related("resource", "institution").filter(id=robot_id)


def robot_of_institution(robot_id: UUID, institution_ids: tuple[UUID, ...]) -> Robot:
    robot = robot_get(robot_id)
    if robot.institution_id not in institution_ids:
        raise NotFound()
    return robot


def robot_within(principal: Principal, action: str, robot_id: UUID) -> Robot:
    """A robot with which the caller may do this; NotFound for any other."""
    robot = _robot_reached.one(principal, action, robot_id=robot_id)
    if robot is None:
        raise NotFound()
    return robot


@reached
def _robot_reached(principal: Principal, action: str, *, robot_id: Value, moment: Value) -> QuerySet[Robot]:
    reach = within(principal, action, "robot", moment=moment)
    return Robot.objects.select_related("resource", "institution").filter(reach, id=robot_id)


def robots(principal: Principal) -> list[Robot]:
    reach = within(principal, "robot.list", "robot")
    return list(Robot.objects.select_related("institution").filter(reach).order_by("name"))


def robots_at(institution_ids: Iterable[UUID]) -> list[Robot]:
    """The robots that stand there, for who looks for a time; scope is decided by who asked."""
    return list(Robot.objects.filter(institution_id__in=list(institution_ids), revoked_at=None))


def of_institution(asked: Asked) -> Q:
    """Robots that stand in the institutions where the role is held."""
    return Q(institution_id__in=asked.institutions)


def is_online(robot: Robot) -> bool:
    return bool(robot.connection and robot.last_seen_at and robot.last_seen_at > now() - ONLINE_WITHIN)


def is_overdue(robot: Robot, on: date) -> bool:
    """Regulation on supervision of medical devices, art 50 (SAF-07): no exam on overdue maintenance or calibration."""
    return robot.calibration_due_on < on or robot.maintenance_due_on < on or robot.revoked_at is not None


def lease_of(exam_id: UUID) -> ControlLease | None:
    return ControlLease.objects.filter(exam_id=exam_id, released_at=None, expires_at__gt=now()).first()


def leased_before(*, exam_id: UUID, holder_id: UUID) -> bool:
    """Whether this person has had control in this exam already."""
    return ControlLease.objects.filter(exam_id=exam_id, holder_id=holder_id).exists()


def self_test_of(exam_id: UUID) -> SelfTest | None:
    """The newest self-test of the exam."""
    return SelfTest.objects.filter(exam_id=exam_id).order_by("-asked_at").first()


def newest_self_test(robot_id: UUID) -> SelfTest | None:
    """The robot's newest self-test, of whatever exam."""
    return SelfTest.objects.filter(robot_id=robot_id).order_by("-asked_at").first()


def self_test_state(test: SelfTest) -> str:
    """running | passed | failed | timed_out"""
    if test.finished_at is None:
        return "running" if test.asked_at > now() - SELF_TEST_LIMIT else "timed_out"
    return "passed" if test.passed else "failed"


def frozen_frame_id(exam_id: UUID) -> int | None:
    """The frame on which the robot stands frozen by its own newest word; None when it runs."""
    told = RobotEvent.objects.filter(exam_id=exam_id, kind__in=("frozen", "unfrozen"))
    newest = told.order_by("-at", "-serial").first()
    frame_id = newest.data.get("frame_id") if newest is not None and newest.kind == "frozen" else None
    return frame_id if isinstance(frame_id, int) else None


def robot_problems() -> list[str]:
    """Sentences for /readyz: what an administrator should know about the robots."""
    notes = []
    for robot in Robot.objects.exclude(paired_at=None):
        if not is_online(robot):
            notes.append(f"robot {robot.name}: not connected")
        elif not robot.hello.get("candidates"):
            notes.append(f"robot {robot.name}: no ICE candidates (only a loopback interface?)")
        elif not robot.status.get("fps"):
            notes.append(f"robot {robot.name}: no pictures yet")
    return notes
