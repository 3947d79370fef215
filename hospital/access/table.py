"""The permission table: action x role. What has no row does not exist; what is not in the row is refused.

Scope (own exam, own institution) is decided by the selectors of the app that owns the data.
"""

from __future__ import annotations

from uuid import UUID

from hospital.common.errors import Forbidden, Unauthenticated

from .models import Role
from .principals import Principal

R, B, A, S, N = (
    Role.REMOTE_PHYSICIAN.value,
    Role.BEDSIDE_PHYSICIAN.value,
    Role.ASSISTANT.value,
    Role.SCHEDULER.value,
    Role.NURSE.value,
)
STAFF = frozenset(Role.values)
CLINIC = frozenset({R, B, A, S, N})
DESK = frozenset({S, N, A})
PATIENT, ROBOT = "patient", "robot"

ACTIONS: dict[str, frozenset[str]] = {
    "auth.ticket": STAFF,
    "auth.step_up": STAFF,
    "auth.keys": STAFF,
    "auth.sessions": STAFF | {PATIENT},
    "auth.password": STAFF,
    "exam.read": CLINIC,
    "exam.book": DESK,
    "exam.move": DESK,
    "exam.cancel": DESK,
    "exam.no_show": DESK | {B},
    "exam.check_in": DESK | {B},
    "exam.identify": frozenset({R, B}),
    "exam.checklist": frozenset({R, B}),
    "exam.consent": frozenset({B}),
    "exam.self_test": frozenset({B}),
    "exam.ready": frozenset({B}),
    "exam.lease": frozenset({R}),
    "exam.start": frozenset({R}),
    "exam.pause": frozenset({R, B}),
    "exam.resume": frozenset({R}),
    "exam.end": frozenset({R}),
    "exam.abort": frozenset({R, B}),
    "report.read": frozenset({R, B}),
    "report.write": frozenset({R}),
    "report.sign": frozenset({R}),
    "image.read": frozenset({R, B, PATIENT}),
    "image.remove": frozenset({R}),
    "measurement.write": frozenset({R}),
    "view.write": frozenset({R}),
    "patient.register": DESK,
    "patient.search": DESK,
    "patient.read": DESK,
    "patient.reveal": DESK,
    "patient.delegate": DESK,
    "duplicate.open": DESK,
    "duplicate.review": frozenset({S, Role.QUALITY_CONTROL.value}),
    "patient.merge": frozenset({S, Role.QUALITY_CONTROL.value}),
    "break_glass.open": frozenset({R, B, N}),
    "break_glass.review": frozenset({Role.QUALITY_CONTROL.value, Role.SECURITY_ADMIN.value}),
    "patient.verify": DESK | {B},
    "correction.decide": frozenset({S, Role.QUALITY_CONTROL.value}),
    "me.archive": frozenset({PATIENT}),
    "me.consents": frozenset({PATIENT}),
    "me.corrections": frozenset({PATIENT}),
    "me.delegates": frozenset({PATIENT}),
    "practitioner.list": CLINIC,
    "resource.list": CLINIC,
    "exam_type.list": CLINIC,
    "consent_text.read": frozenset({B, R}),
    "robot.list": CLINIC,
    "robot.pair_code": frozenset({Role.SYSTEM_ADMIN.value}),
    "robot.upload": frozenset({ROBOT}),
    "me.exams": frozenset({PATIENT}),
    "me.accesses": frozenset({PATIENT}),
    "page.home": STAFF,
    "page.account": STAFF,
    "page.desk": DESK,
    "page.patient": DESK,
    "page.identity": frozenset({S, Role.QUALITY_CONTROL.value}),
    "page.bedside": frozenset({B}),
    "page.my_day": frozenset({R}),
    "page.exam_console": frozenset({R}),
    "page.exam_bedside": frozenset({B}),
    "page.report": frozenset({R, B}),
    "page.report_print": frozenset({R, B}),
    "page.mailbox": STAFF,
}

# Deeds that a fresh proof of identity can be bound to.
PROVEN_DEEDS = frozenset(
    {"auth.key_add", "report.sign", "break_glass.open", "patient.merge", "correction.decide"}
)


class UnknownAction(KeyError):
    """A permission that has no row: a bug in the caller, never a yes or a no."""


def _row(action: str) -> frozenset[str]:
    try:
        return ACTIONS[action]
    except KeyError:
        raise UnknownAction(action) from None


def allowed(principal: Principal, action: str) -> bool:
    """Whether the table has the caller's kind or one of the caller's roles in the action's row."""
    row = _row(action)
    return bool(principal.roles & row) if principal.kind == "staff" else principal.kind in row


def places(principal: Principal, action: str) -> tuple[UUID, ...]:
    """The institutions in which the caller has a role that allows the action."""
    row = _row(action)
    return tuple(dict.fromkeys(institution for institution, role in principal.memberships if role in row))


def require(principal: Principal | None, action: str) -> None:
    """Unauthenticated for nobody, Forbidden `not_permitted` for somebody without the role."""
    _row(action)
    if principal is None:
        raise Unauthenticated("not_authenticated")
    if principal.kind != "system" and not allowed(principal, action):
        raise Forbidden("not_permitted", action=action)
