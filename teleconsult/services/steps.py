"""What every write of an exam shares: the lock, the one way to change its state, and refusals."""

from __future__ import annotations

from uuid import UUID

from django.db.models import QuerySet

from devices.fleet.push import push_desk, push_exam_changed
from hospital.access.principals import SYSTEM, Principal
from hospital.audit.services import audit_record
from hospital.common.errors import Conflict, Forbidden, Invalid, NotFound
from hospital.common.prebuilt import Value, prebuilt

from .. import later, rules, selectors
from .. import turnover as turnovers
from ..models import Exam, ExamTransition
from ..representations import COMMAND_ACTIONS, parts_of
from ..states import Command, IllegalTransition, State, advance

# What lets the robot stop never waits for the log.
STOPPING = frozenset({Command.PAUSE, Command.END, Command.ABORT})


def announced(exam: Exam) -> None:
    """After commit, the exam's own pages and the desks of its institution hear that it changed."""
    push_exam_changed(exam.id)
    push_desk(exam.requesting_institution_id, exam.id)


@prebuilt
def _locked(*, exam_id: Value) -> QuerySet[Exam, tuple[UUID]]:
    return Exam.objects.select_for_update().filter(id=exam_id).values_list("id")


def exam_locked(principal: Principal, exam_id: UUID, action: str = "exam.read") -> Exam:
    """The exam, within the caller's reach for the action, with its row locked."""
    if not selectors.reaches(principal, action, exam_id):
        raise NotFound()
    if not _locked(exam_id=exam_id):
        raise NotFound()  # erased while this waited
    return selectors.exam_get(SYSTEM, exam_id)


def next_checked(exam: Exam, command: Command) -> State:
    """Where the command leads. Conflict `illegal_transition` when the table has no such row."""
    try:
        return advance(State(exam.state), command)
    except IllegalTransition:
        raise Conflict("illegal_transition", state=exam.state, command=str(command)) from None


def step(exam: Exam, command: Command, principal: Principal, reason: str = "") -> None:
    """Apply one row of the table: state, history, audit, news. The caller saves further fields before."""
    before, after = State(exam.state), next_checked(exam, command)
    exam.state = after
    exam.save()
    ExamTransition.objects.create(
        exam=exam,
        command=command,
        before=before,
        after=after,
        by_id=principal.id,
        by_kind=principal.kind,
        reason=reason,
    )
    audit_record(
        principal=principal,
        action=f"exam.{command}",
        object_kind="exam",
        object_id=exam.id,
        institution_id=exam.requesting_institution_id,
        reason=reason,
        patient_ids=(exam.patient_id,),
        urgent=command in STOPPING,
    )
    later.stepped(exam, command)
    announced(exam)


def part_checked(principal: Principal, exam: Exam, command: Command) -> None:
    """The person must have a part in this exam that may give the command."""
    if not selectors.reaches(principal, COMMAND_ACTIONS[command], exam.id):
        raise Forbidden("not_permitted")


def refuse_if_missing(exam: Exam, **which: frozenset[str]) -> None:
    codes = rules.missing(selectors.gates(exam), **which)
    if codes:
        owed = turnovers.owed_before(exam) if "turnover_open" in codes else []
        raise Conflict(codes[0], missing=codes, **({"turnover": turnovers.names_of(owed)} if owed else {}))


def refuse_if_papers_missing(exam: Exam) -> None:
    """Conflict with the first gate to a booking that is closed, and `missing`."""
    codes = rules.missing(rules.paper_gates(selectors.papers(exam)))
    if codes:
        raise Conflict(codes[0], missing=codes)


def reason_checked(text: str) -> str:
    if not text.strip():
        raise Invalid("reason_required")
    return text.strip()


def noted(exam: Exam, principal: Principal, action: str, reason: str = "", *, urgent: bool = False) -> None:
    """A deed that changes no state: audit and news."""
    audit_record(
        principal=principal,
        action=action,
        object_kind="exam",
        object_id=exam.id,
        institution_id=exam.requesting_institution_id,
        reason=reason,
        patient_ids=(exam.patient_id,),
        urgent=urgent,
    )
    announced(exam)


def end_of(principal: Principal, exam: Exam) -> str:
    """bedside or remote, from who you are in this exam."""
    parts = parts_of(principal, exam)
    for end in ("bedside", "remote"):
        if end in parts:
            return end
    raise Forbidden("not_permitted")
