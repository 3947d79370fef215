"""Control, start, pause, end and abort of an exam."""

from __future__ import annotations

from uuid import UUID

from django.db import transaction

from devices.fleet import selectors as fleet
from devices.fleet import services as fleet_services
from devices.fleet.push import push_exam, push_robot
from hospital.access.principals import SYSTEM, Principal
from hospital.access.proofs import recently_proven
from hospital.common.clock import now
from hospital.common.errors import Conflict, Forbidden
from hospital.scheduling import services as scheduling_services

from .. import rules, selectors
from ..models import Exam
from ..states import Command, State
from .steps import exam_locked, noted, part_checked, reason_checked, refuse_if_missing, step
from .turning_over import turnover_owed


@transaction.atomic
def lease_take(*, principal: Principal, exam_id: UUID) -> Exam:
    """Control for the remote physician's connected page. Motion still needs `start` and the edge's own checks.

    Accepting the exam, by its first lease, needs a proof of identity from the last 10 minutes. Who comes back to an
    exam already accepted, from a page that was lost, is not kept from the patient by it.
    """
    exam = exam_locked(principal, exam_id)
    if principal.id != exam.remote_physician_id:
        raise Forbidden("not_permitted")
    if not fleet.leased_before(exam_id=exam.id, holder_id=principal.id):
        recently_proven(principal=principal)
    if State(exam.state) not in {State.READY, State.LIVE, State.PAUSED}:
        raise Conflict("illegal_transition", state=exam.state, command="lease")
    refuse_if_missing(exam, but=rules.NOT_FOR_LEASE)
    page = selectors.presence(exam.id, "console")
    if page is None or page.user_id != principal.id or not page.fingerprint:
        raise Conflict("console_absent")
    fleet_services.lease_take(
        robot_id=exam.robot_id,
        holder_id=principal.id,
        exam_id=exam.id,
        peer_id=page.peer_id,
        fingerprint=page.fingerprint,
    )
    fleet_services.lease_renew(exam_id=exam.id, peer_id=page.peer_id, live=exam.state == State.LIVE)
    noted(exam, principal, "exam.lease")
    return exam


@transaction.atomic
def lease_give_back(*, principal: Principal, exam_id: UUID) -> Exam:
    exam = exam_locked(principal, exam_id)
    if principal.id != exam.remote_physician_id:
        raise Forbidden("not_permitted")
    if not fleet_services.lease_release(exam_id=exam.id, code="given_back"):
        raise Conflict("lease_not_held")
    noted(exam, principal, "exam.lease_give_back", urgent=True)
    return exam


def _renew_as(exam: Exam, *, live: bool) -> None:
    """Tell the edge at once that the exam went live or stopped being so, not at the next renewal."""
    lease = fleet.lease_of(exam.id)
    if lease is not None:
        fleet_services.lease_renew(exam_id=exam.id, peer_id=lease.peer_id, live=live)


@transaction.atomic
def exam_start(*, principal: Principal, exam_id: UUID) -> Exam:
    """ready -> live, when every gate is open. Conflict carries the first missing gate's code and all of them."""
    return _go_live(principal, exam_id, Command.START)


@transaction.atomic
def exam_resume(*, principal: Principal, exam_id: UUID) -> Exam:
    return _go_live(principal, exam_id, Command.RESUME)


def _go_live(principal: Principal, exam_id: UUID, command: Command) -> Exam:
    exam = exam_locked(principal, exam_id)
    part_checked(principal, exam, command)
    source = State.READY if command is Command.START else State.PAUSED
    if exam.state == source:
        refuse_if_missing(exam)
    exam.started_at = exam.started_at or now()
    step(exam, command, principal)
    turnover_owed(exam)
    _renew_as(exam, live=True)
    return exam


@transaction.atomic
def exam_pause(*, principal: Principal, exam_id: UUID, reason: str) -> Exam:
    exam = exam_locked(principal, exam_id)
    part_checked(principal, exam, Command.PAUSE)
    step(exam, Command.PAUSE, principal, reason)
    _renew_as(exam, live=False)
    return exam


@transaction.atomic
def exam_end(*, principal: Principal, exam_id: UUID) -> Exam:
    exam = exam_locked(principal, exam_id)
    part_checked(principal, exam, Command.END)
    exam.ended_at = now()
    step(exam, Command.END, principal)
    _finish(exam, "fulfilled")
    return exam


@transaction.atomic
def exam_abort(*, principal: Principal, exam_id: UUID, code: str, reason: str) -> Exam:
    exam = exam_locked(principal, exam_id)
    part_checked(principal, exam, Command.ABORT)
    exam.ended_at, exam.end_code, exam.end_reason = now(), code, reason_checked(reason)
    step(exam, Command.ABORT, principal, f"{code}: {reason}")
    _finish(exam, "aborted")
    return exam


def _finish(exam: Exam, status: str) -> None:
    if exam.started_at is not None:
        turnover_owed(exam)
    fleet_services.lease_release(exam_id=exam.id, code="exam_over")
    scheduling_services.appointment_close(appointment_id=exam.appointment_id, status=status)
    push_robot(exam.robot_id, {"type": "worklist_clear", "exam_id": str(exam.id)})


@transaction.atomic
def exam_pause_by_system(*, exam_id: UUID, reason: str) -> bool:
    """Pause a live exam whose bedside or console went away. False when it is not live."""
    exam = Exam.objects.select_for_update().filter(id=exam_id, state=State.LIVE).first()
    if exam is None:
        return False
    step(exam, Command.PAUSE, SYSTEM, reason)
    _renew_as(exam, live=False)
    push_exam(exam.id, {"type": "paused", "reason": reason})
    return True


@transaction.atomic
def exam_reported(*, principal: Principal, exam_id: UUID) -> None:
    """The first signed version closes the exam; amendments leave the state alone."""
    exam = Exam.objects.select_for_update().get(id=exam_id)
    if exam.state == State.ENDED:
        step(exam, Command.REPORT, principal)
