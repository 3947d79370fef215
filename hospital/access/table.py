"""The permission table: action x role x scope. What has no row does not exist; what is not in the row is refused.

Each row names, for every role that has the action, how far it reaches: `own` (a part of one's own in it),
`care_relation` (for as long as the relation lasts), `institution` (where the role is held), `agreement` (what another
institution may see by paper), `none` (the action reads and writes nothing of anybody). What a scope means for the rows
of one kind is said by the app that owns them, see `scopes`; selectors ask there. A misspelt name raises at once.
"""

from __future__ import annotations

from collections.abc import Mapping
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
SYSTEM_ADMIN, SECURITY_ADMIN = Role.SYSTEM_ADMIN.value, Role.SECURITY_ADMIN.value
AUDIT_ADMIN = Role.AUDIT_ADMIN.value
STAFF = frozenset(Role.values)
CLINIC = frozenset({R, B, A, S, N})
DESK = frozenset({S, N, A})
# Principals that are no members of staff. An account is its patient's, and a delegate's where somebody delegated.
PATIENT, DELEGATE, ROBOT, PEER = "patient", "delegate", "robot", "peer"
# Staff with an open emergency access, for the patients whose record they opened: whatever their own roles reach.
BREAK_GLASS = "break_glass"
ROLES = STAFF | {PATIENT, DELEGATE, ROBOT, PEER, BREAK_GLASS}
OWN, CARE, INSTITUTION, AGREEMENT, NONE = "own", "care_relation", "institution", "agreement", "none"
SCOPES = frozenset({OWN, CARE, INSTITUTION, AGREEMENT, NONE})
Row = Mapping[str, str]


def at(scope: str, *roles: str) -> dict[str, str]:
    """These roles with one scope."""
    return dict.fromkeys(roles, scope)


_DESK = at(INSTITUTION, *DESK)
_CLINIC = at(INSTITUTION, *CLINIC)
_REMOTE, _BEDSIDE = {R: CARE}, {B: OWN}
_PHYSICIANS = _REMOTE | _BEDSIDE
_OPENED = {BREAK_GLASS: CARE}
_ACCOUNT = at(OWN, PATIENT, DELEGATE)
_ROBOT = {ROBOT: OWN}
_HOLDERS = at(INSTITUTION, SECURITY_ADMIN, AUDIT_ADMIN)

ACTIONS: dict[str, Row] = {
    "auth.ticket": at(OWN, *STAFF),
    "auth.step_up": at(OWN, *STAFF),
    "auth.keys": at(OWN, *STAFF),
    "auth.totp": at(OWN, *STAFF),
    "auth.providers": at(INSTITUTION, SECURITY_ADMIN),
    "auth.sessions": at(OWN, *STAFF, PATIENT, DELEGATE),
    "auth.session_end": at(OWN, *STAFF, PATIENT, DELEGATE),
    "tablet.manage": at(INSTITUTION, SYSTEM_ADMIN, SECURITY_ADMIN, S),
    # With both factors, on the tablet itself; the change of person after it is proven by tablet and PIN or key.
    "tablet.open": at(INSTITUTION, B, A, N),
    "auth.password": at(OWN, *STAFF),
    "exam.read": _PHYSICIANS | _DESK | _OPENED,
    "exam.book": _DESK,
    "board.read": _DESK,
    "arrival.check_in": _DESK,
    "queue.read": _DESK,
    "queue.call": _DESK,
    # What is done between two exams is no part of a patient's record: whoever works in the room or at the desk.
    "turnover.read": at(INSTITUTION, B, *DESK),
    "turnover.sign": at(INSTITUTION, B, *DESK),
    "exam.find_time": _DESK,
    "exam.hold": _DESK,
    "exam.move": _DESK,
    "exam.cancel": _DESK,
    "exam.displace": at(INSTITUTION, S),
    "request.add": at(INSTITUTION, B, *DESK),
    "request.read": _DESK | _BEDSIDE,
    "request.withdraw": _DESK | _BEDSIDE,
    "request.keep": _DESK,
    "waiting.keep": _DESK,
    "exam.no_show": _DESK | _BEDSIDE,
    "exam.check_in": _DESK | _BEDSIDE,
    "exam.identify": _PHYSICIANS,
    "exam.checklist": _PHYSICIANS,
    "exam.consent": _BEDSIDE,
    "exam.self_test": _BEDSIDE,
    "exam.ready": _BEDSIDE,
    "exam.lease": _REMOTE,
    "exam.start": _REMOTE,
    "exam.pause": _PHYSICIANS,
    "exam.resume": _REMOTE,
    "exam.end": _REMOTE,
    "exam.abort": _PHYSICIANS,
    "exam.bedside_take": at(INSTITUTION, B),
    # The head of department reads them as quality control; the desk plans by them.
    "figures.read": at(INSTITUTION, S, Role.QUALITY_CONTROL.value),
    "report.read": _PHYSICIANS | _OPENED,
    "report.write": _REMOTE,
    "report.sign": _REMOTE,
    "image.read": _PHYSICIANS | _ACCOUNT | _OPENED,
    "image.remove": _REMOTE,
    "measurement.write": _REMOTE,
    "view.write": _REMOTE,
    "patient.register": _DESK,
    "patient.search": _DESK,
    # Who asks for an exam names the patient exactly, with the card in hand: nobody looks through a house's patients.
    "patient.find": at(INSTITUTION, B),
    "patient.read": _DESK,
    "patient.reveal": _DESK,
    "patient.delegate": _DESK,
    "duplicate.open": _DESK,
    "duplicate.review": at(INSTITUTION, S, Role.QUALITY_CONTROL.value),
    "patient.merge": at(INSTITUTION, S, Role.QUALITY_CONTROL.value),
    "patient.verify": _DESK | at(INSTITUTION, B),
    "correction.decide": at(INSTITUTION, S, Role.QUALITY_CONTROL.value),
    "patient.messages": _DESK,
    "me.messages": at(OWN, PATIENT),
    "patient.consent": _DESK | at(INSTITUTION, B),
    "patient.consents": _DESK | at(INSTITUTION, B),
    # Whose record is opened is named by the document in hand; the relation begins with it.
    "break_glass.open": at(NONE, R, B, N),
    "break_glass.review": at(INSTITUTION, Role.QUALITY_CONTROL.value, SECURITY_ADMIN),
    "me.delegates": at(OWN, PATIENT),
    "me.archive": _ACCOUNT,
    "me.consents": at(OWN, PATIENT),
    "me.corrections": at(OWN, PATIENT),
    "me.delegations": at(OWN, DELEGATE),
    "me.erasure": at(OWN, PATIENT),
    "erasure.ask": _DESK,
    "erasure.read": _DESK | _HOLDERS,
    "restriction.lift": _DESK,
    # Not the system administrator, who runs the erasing; who set a hold can't lift it (see keeping.LegalHold).
    "hold.read": _HOLDERS,
    "hold.set": _HOLDERS,
    "hold.lift": _HOLDERS,
    "practitioner.list": at(AGREEMENT, *CLINIC),
    "resource.list": _CLINIC,
    "resource.keep": at(INSTITUTION, S, SYSTEM_ADMIN),
    # Which exams lie in closed time, without their patients; who opens one goes by the desk.
    "calendar.against": at(INSTITUTION, S),
    "exam_type.list": at(NONE, *CLINIC),
    "exam_type.keep": at(INSTITUTION, SYSTEM_ADMIN),
    "consent_text.read": at(NONE, R, *CLINIC),  # also who takes a consent at the desk must read it out
    "robot.list": _CLINIC | at(INSTITUTION, SYSTEM_ADMIN),
    "admin.institutions": at(NONE, SYSTEM_ADMIN),
    "admin.staff": at(INSTITUTION, SYSTEM_ADMIN),
    "admin.health": at(NONE, SYSTEM_ADMIN),
    "admin.security": at(INSTITUTION, SECURITY_ADMIN),
    "audit.read": at(INSTITUTION, AUDIT_ADMIN),
    "audit.verify": at(NONE, AUDIT_ADMIN),
    "audit.export": at(INSTITUTION, AUDIT_ADMIN),
    "robot.pair_code": at(INSTITUTION, SYSTEM_ADMIN),
    "robot.retire": at(INSTITUTION, SYSTEM_ADMIN),
    "robot.upload": _ROBOT,
    # Registry data belong to the system administrator; who may move the arm is a clinical question.
    "registry.keep": at(INSTITUTION, SYSTEM_ADMIN),
    "registry.read": at(INSTITUTION, SYSTEM_ADMIN, Role.QUALITY_CONTROL.value),
    "privilege.grant": at(INSTITUTION, Role.QUALITY_CONTROL.value),
    "agreement.keep": at(INSTITUTION, SYSTEM_ADMIN),
    "peer.manage": at(INSTITUTION, SECURITY_ADMIN),
    "peer.read": at(AGREEMENT, PEER),
    "me.exams": _ACCOUNT,
    "me.book": _ACCOUNT,
    "notice.read": at(OWN, *STAFF),
    "feed.own": at(OWN, *CLINIC),
    "feed.room": _DESK,
    "me.accesses": _ACCOUNT,
    "page.home": at(NONE, *STAFF),
    "page.account": at(OWN, *STAFF),
    "page.desk": _DESK,
    "page.requests": _DESK | _BEDSIDE,
    "page.calendars": at(INSTITUTION, S, SYSTEM_ADMIN),
    "page.exam_types": at(INSTITUTION, SYSTEM_ADMIN),
    "page.calls": _DESK,
    "page.slip": _DESK,
    "page.patient": _DESK,
    "page.identity": at(INSTITUTION, S, Role.QUALITY_CONTROL.value),
    "page.bedside": _BEDSIDE | at(INSTITUTION, A, N),
    "page.tablets": at(NONE, SYSTEM_ADMIN, SECURITY_ADMIN, S),
    "page.my_day": _REMOTE,
    "page.exam_console": _REMOTE,
    "page.exam_bedside": _BEDSIDE,
    "page.report": _PHYSICIANS | _OPENED,
    "page.report_print": _PHYSICIANS | _OPENED,
    "page.consents": _DESK | at(INSTITUTION, B),
    "page.consent_print": _DESK | at(INSTITUTION, B),
    "page.keeping": _DESK | _HOLDERS,
    "page.erasure_print": _DESK,
    "page.figures": at(INSTITUTION, S, Role.QUALITY_CONTROL.value),
    "page.papers": at(INSTITUTION, SYSTEM_ADMIN, Role.QUALITY_CONTROL.value),
    "page.mailbox": at(NONE, *STAFF),
    "page.admin_system": at(NONE, SYSTEM_ADMIN),
    "page.admin_security": at(NONE, SECURITY_ADMIN),
    "page.admin_audit": at(NONE, AUDIT_ADMIN),
    # Sockets: joining, then each message that a page or a robot may send.
    "desk.socket": _DESK,
    "notice.socket": at(OWN, *STAFF),
    "desk_socket.ping": _DESK,
    "notice_socket.ping": at(OWN, *STAFF),
    "exam.console_socket": _REMOTE,
    "console_socket.ping": _REMOTE,
    "console_socket.peer_offer": _REMOTE,
    "console_socket.voice": _REMOTE,
    "console_socket.quality": _REMOTE,
    "console_socket.prompt": _REMOTE,
    "exam.bedside_socket": _BEDSIDE,
    "bedside_socket.ping": _BEDSIDE,
    "bedside_socket.peer_offer": _BEDSIDE,
    "bedside_socket.voice": _BEDSIDE,
    "bedside_socket.hurt": _BEDSIDE,
    "bedside_socket.prompt_shown": _BEDSIDE,
    "robot.socket": _ROBOT,
    "robot_socket.hello": _ROBOT,
    "robot_socket.status": _ROBOT,
    "robot_socket.event": _ROBOT,
    "robot_socket.self_test_result": _ROBOT,
    "robot_socket.peer_answer": _ROBOT,
    "robot_socket.peer_refused": _ROBOT,
    "robot_socket.peer_gone": _ROBOT,
}

# All that a sign-in begun by a change of person on a paired tablet may do: what is done standing at the couch.
BEDSIDE_ONLY = frozenset(
    {"auth.ticket", "auth.sessions", "consent_text.read", "exam.read", "exam.check_in", "exam.identify"}
    | {"exam.checklist", "exam.consent", "exam.self_test", "exam.ready", "exam.pause", "exam.abort"}
    | {
        "turnover.read",
        "turnover.sign",
        "exam.bedside_take",
        "page.home",
        "page.bedside",
        "page.exam_bedside",
        "exam.bedside_socket",
    }
    | {action for action in ACTIONS if action.startswith("bedside_socket.")}
)
assert BEDSIDE_ONLY.issubset(ACTIONS)

# Deeds that a fresh proof of identity can be bound to.
PROVEN_DEEDS = frozenset(
    {
        "agreement.sign",
        "auth.key_add",
        "auth.totp",
        "report.sign",
        "break_glass.open",
        "patient.merge",
        "correction.decide",
    }
)


class UnknownAction(KeyError):
    """A permission that has no row: a bug in the caller, never a yes or a no."""


class UnknownScope(KeyError):
    """A scope or role nobody knows, or a scope that means nothing for these rows: a bug, never a yes or a no."""


def table_checked(table: Mapping[str, Row]) -> None:
    """UnknownScope for a row with a role or scope that does not exist."""
    for action, row in table.items():
        for role, scope in row.items():
            if role not in ROLES or scope not in SCOPES:
                raise UnknownScope(f"{action}: {role}: {scope}")


table_checked(ACTIONS)


def row_of(action: str) -> Row:
    """Role -> scope. UnknownAction."""
    try:
        return ACTIONS[action]
    except KeyError:
        raise UnknownAction(action) from None


def roles_of(principal: Principal) -> frozenset[str]:
    """The names under which the table knows the caller."""
    if principal.kind == "staff":
        return principal.roles
    if principal.kind == PATIENT:
        return frozenset({PATIENT, DELEGATE})
    return frozenset({principal.kind}) if principal.kind in (ROBOT, PEER) else frozenset()


def allowed(principal: Principal, action: str) -> bool:
    """Whether the table has one of the caller's roles in the action's row; the scope is the selectors' to ask."""
    if principal.bedside_only and action not in BEDSIDE_ONLY:
        row_of(action)
        return False
    return not roles_of(principal).isdisjoint(row_of(action))


def places(principal: Principal, action: str) -> tuple[UUID, ...]:
    """The institutions in which the caller has a role that reaches further than an own part in something."""
    row = row_of(action)
    if principal.bedside_only and action not in BEDSIDE_ONLY:
        return ()
    wide = {role for role, scope in row.items() if scope not in (OWN, CARE)}
    return tuple(dict.fromkeys(institution for institution, role in principal.memberships if role in wide))


def require(principal: Principal | None, action: str) -> None:
    """Unauthenticated for nobody, Forbidden `not_permitted` for somebody without the role."""
    row_of(action)
    if principal is None:
        raise Unauthenticated("not_authenticated")
    if principal.kind != "system" and not allowed(principal, action):
        raise Forbidden("not_permitted", action=action)
