"""Writes of the fleet: pairing, presence, control leases, self-tests, events."""

from __future__ import annotations

import hashlib
import secrets
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

from django.db import IntegrityError, transaction

from hospital.access.principals import Principal
from hospital.access.table import places
from hospital.audit.services import audit_record
from hospital.common.clock import now
from hospital.common.errors import Conflict, Invalid, NotFound, Unauthenticated
from hospital.common.events import emit
from hospital.scheduling.models import Resource

from . import tokens
from .events import LeaseEnded, RobotChanged, RobotReported
from .models import ControlLease, Robot, RobotEvent, RobotNonce, SelfTest
from .push import push_robot

PAIRING_CODE_LIFE = timedelta(minutes=15)  # design value
SELF_TEST_LIMIT = timedelta(seconds=45)  # design value: the edge needs about ten


def robot_pairing_code(*, robot_id: UUID) -> str:
    """A one-time code for the robot's box; only its hash is stored. It ends whatever key the robot had."""
    code = "-".join(secrets.token_hex(3).upper() for _ in range(3))
    changed = Robot.objects.filter(id=robot_id, retired_at=None).update(
        pairing_code_sha256=hashlib.sha256(code.encode()).hexdigest(),
        pairing_expires_at=now() + PAIRING_CODE_LIFE,
    )
    if not changed:
        raise NotFound()
    return code


@transaction.atomic
def robot_pair(*, code: str, public_key_pem: str) -> Robot:
    """Exchange the code for a key, once. Invalid `pairing_code_invalid` for wrong, used or old codes."""
    pem = tokens.public_key_checked(public_key_pem)
    digest = hashlib.sha256(code.strip().upper().encode()).hexdigest()
    robot = (
        Robot.objects.select_for_update()
        .filter(pairing_code_sha256=digest, pairing_expires_at__gt=now(), retired_at=None)
        .first()
    )
    if robot is None:
        raise Invalid("pairing_code_invalid")
    robot.public_key_pem, robot.paired_at, robot.revoked_at = pem, now(), None
    robot.pairing_code_sha256, robot.pairing_expires_at = "", None
    robot.save()
    return robot


@transaction.atomic
def robot_retire(*, principal: Principal, robot_id: UUID, reason: str) -> Robot:
    """The end of a robot's life: its key ends, it is never booked again, its use file's clock begins to run.

    Conflict `robot_retired`, `robot_in_use` while somebody holds control; Invalid `reason_required`; NotFound.
    """
    robot = Robot.objects.select_for_update(of=("self",)).filter(id=robot_id).first()
    if robot is None or robot.institution_id not in places(principal, "robot.retire"):
        raise NotFound()
    if not reason.strip():
        raise Invalid("reason_required", field="reason")
    if robot.retired_at is not None:
        raise Conflict("robot_retired")
    if ControlLease.objects.filter(robot=robot, released_at=None, expires_at__gt=now()).exists():
        raise Conflict("robot_in_use")
    robot.retired_at = robot.revoked_at = now()
    robot.pairing_code_sha256, robot.pairing_expires_at = "", None
    robot.save(update_fields=["retired_at", "revoked_at", "pairing_code_sha256", "pairing_expires_at"])
    Resource.objects.filter(id=robot.resource_id).update(active=False)
    audit_record(
        principal=principal,
        action="robot.retire",
        object_kind="robot",
        object_id=robot.id,
        institution_id=robot.institution_id,
        reason=reason.strip(),
    )
    return robot


def robot_authenticate(*, token: str) -> Robot:
    """The robot whose own key signed `token`, each token once."""
    robot = (
        Robot.objects.filter(id=tokens.robot_id_claimed(token), revoked_at=None)
        .exclude(public_key_pem="")
        .first()
    )
    if robot is None:
        raise Unauthenticated("robot_not_authenticated")
    claims = tokens.robot_claims(token, robot.public_key_pem)
    nonce = RobotNonce(
        jti=f"{robot.id.hex[-12:]}:{hashlib.sha256(str(claims['jti']).encode()).hexdigest()[:48]}",
        expires_at=datetime.fromtimestamp(float(claims["exp"]) + 60, UTC),
    )
    try:
        with transaction.atomic():
            nonce.save(force_insert=True)
    except IntegrityError as error:  # seen before, or just now beside this one
        raise Unauthenticated("robot_not_authenticated") from error
    return robot


def robot_connected(*, robot_id: UUID, connection: str, hello: dict[str, Any]) -> None:
    Robot.objects.filter(id=robot_id).update(connection=connection, hello=hello, last_seen_at=now())


def robot_status(*, robot_id: UUID, connection: str, status: dict[str, Any]) -> None:
    Robot.objects.filter(id=robot_id, connection=connection).update(status=status, last_seen_at=now())


def robot_disconnected(*, robot_id: UUID, connection: str) -> None:
    """Only the newest connection's end counts; an older one that closes late changes nothing."""
    Robot.objects.filter(id=robot_id, connection=connection).update(connection="")


def _end(lease: ControlLease, code: str) -> None:
    lease.released_at, lease.release_code = now(), code
    lease.save(update_fields=["released_at", "release_code"])
    push_robot(lease.robot_id, {"type": "lease_revoke", "epoch": lease.epoch, "code": code})
    emit(LeaseEnded(robot_id=lease.robot_id, exam_id=lease.exam_id, epoch=lease.epoch, code=code))


@transaction.atomic
def lease_take(
    *, robot_id: UUID, holder_id: UUID, exam_id: UUID, peer_id: str, fingerprint: str
) -> ControlLease:
    """The robot's next epoch for this peer. Conflict `lease_held` while another exam or person holds a live one.

    The same person's own older page is taken over: a new epoch, so the edge passes through HOLD.
    """
    robot = Robot.objects.select_for_update().get(id=robot_id)
    old = ControlLease.objects.select_for_update().filter(robot=robot, released_at=None).first()
    if old is not None:
        alive = old.expires_at > now()
        if alive and (old.holder_id != holder_id or old.exam_id != exam_id):
            raise Conflict("lease_held")
        if alive and old.peer_id == peer_id and old.fingerprint == fingerprint:
            return old
        _end(old, "taken_over" if alive else "expired")
    robot.last_epoch += 1
    robot.save(update_fields=["last_epoch"])
    return ControlLease.objects.create(
        robot=robot,
        epoch=robot.last_epoch,
        holder_id=holder_id,
        exam_id=exam_id,
        peer_id=peer_id,
        fingerprint=fingerprint,
        expires_at=now() + timedelta(milliseconds=tokens.LEASE_TTL_MS),
    )


@transaction.atomic
def lease_renew(*, exam_id: UUID, peer_id: str, live: bool) -> ControlLease | None:
    """Another 5 s for the live lease of this peer, told to the robot; None when there is none (any more)."""
    lease = (
        ControlLease.objects.select_for_update()
        .filter(exam_id=exam_id, peer_id=peer_id, released_at=None)
        .first()
    )
    if lease is None:
        return None
    if lease.expires_at <= now():
        _end(lease, "expired")
        return None
    lease.serial += 1
    lease.expires_at = now() + timedelta(milliseconds=tokens.LEASE_TTL_MS)
    lease.save(update_fields=["serial", "expires_at"])
    token = tokens.lease_token(
        robot_id=lease.robot_id,
        exam_id=exam_id,
        holder_id=lease.holder_id,
        peer_id=peer_id,
        fingerprint=lease.fingerprint,
        epoch=lease.epoch,
        serial=lease.serial,
        live=live,
    )
    push_robot(lease.robot_id, {"type": "lease", "token": token})
    return lease


@transaction.atomic
def lease_release(*, exam_id: UUID, code: str, peer_id: str | None = None) -> bool:
    """End the exam's live lease (of one peer, when named). False when there was none."""
    leases = ControlLease.objects.select_for_update().filter(exam_id=exam_id, released_at=None)
    lease = (leases.filter(peer_id=peer_id) if peer_id else leases).first()
    if lease is None:
        return False
    _end(lease, code)
    return True


@transaction.atomic
def leases_expire() -> int:
    """End leases nobody renewed: their page or their web process is gone."""
    due = list(
        ControlLease.objects.select_for_update(skip_locked=True).filter(
            released_at=None, expires_at__lt=now()
        )
    )
    for lease in due:
        _end(lease, "expired")
    return len(due)


@transaction.atomic
def self_test_ask(*, robot_id: UUID, exam_id: UUID, by_id: UUID) -> SelfTest:
    robot = Robot.objects.select_for_update().get(id=robot_id)
    running = SelfTest.objects.filter(robot=robot, finished_at=None, asked_at__gt=now() - SELF_TEST_LIMIT)
    if running.exists():
        raise Conflict("self_test_running")
    test = SelfTest.objects.create(robot=robot, exam_id=exam_id, asked_by_id=by_id)
    push_robot(robot_id, {"type": "self_test", "request_id": str(test.id), "exam_id": str(exam_id)})
    return test


@transaction.atomic
def self_test_finish(*, robot_id: UUID, request_id: UUID, passed: bool, checks: list[dict[str, Any]]) -> None:
    """The robot's answer; an unknown, finished or late one changes nothing."""
    test = (
        SelfTest.objects.select_for_update()
        .filter(id=request_id, robot_id=robot_id, finished_at=None, asked_at__gt=now() - SELF_TEST_LIMIT)
        .first()
    )
    if test is None:
        return
    test.finished_at, test.passed, test.checks = now(), passed, checks
    test.save()
    emit(RobotChanged(robot_id=robot_id, exam_id=test.exam_id))


@transaction.atomic
def event_store(
    *, robot_id: UUID, serial: int, kind: str, at_ms: int, exam_id: UUID | None, data: dict[str, Any]
) -> bool:
    """Keep a robot's event once; True when it is new."""
    at = datetime.fromtimestamp(at_ms / 1000, UTC)
    _, new = RobotEvent.objects.get_or_create(
        robot_id=robot_id, serial=serial, at=at, defaults={"kind": kind, "exam_id": exam_id, "data": data}
    )
    if new:
        emit(RobotReported(robot_id=robot_id, exam_id=exam_id, kind=kind, data=data))
    return new


def nonces_clear() -> None:
    RobotNonce.objects.filter(expires_at__lt=now()).delete()
