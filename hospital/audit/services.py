"""Writing the log. A deed's row stands in the deed's transaction; what can't be logged is not done.

Only stopping never waits for the log: an urgent row that can't be written goes to a local spool (`spool`), and the
sealer brings it in later.
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from contextvars import ContextVar
from typing import Any, Protocol
from uuid import UUID

import structlog
from django.db import DatabaseError, connection, transaction

from hospital.common.errors import Unavailable
from hospital.common.ids import uuid7

from . import spool

log = structlog.get_logger()
# The network address of the request that is being answered; empty in workers and commands.
request_address: ContextVar[str] = ContextVar("request_address", default="")
URGENT_LOCK_MS = 300  # design value: an urgent row waits no longer for whoever locks the log

COLUMNS = (
    *("id", "actor_kind", "actor_id", "actor_institution_id", "device_kind", "device_id", "on_behalf_kind"),
    *(
        "on_behalf_id",
        "institution_id",
        "action",
        "object_kind",
        "object_id",
        "patient_ids",
        "outcome",
        "reason",
    ),
    *("address", "details"),
)
_CASTS = {"patient_ids": "%s::uuid[]", "details": "%s::jsonb"}
_INSERT = (
    f"INSERT INTO audit_auditentry ({', '.join(COLUMNS)})"  # noqa: S608 names from this file
    f" VALUES ({', '.join(_CASTS.get(name, '%s') for name in COLUMNS)})"
)


class Actor(Protocol):
    """What the log needs to know of a principal."""

    @property
    def kind(self) -> str: ...
    @property
    def id(self) -> UUID: ...
    @property
    def institution_ids(self) -> tuple[UUID, ...]: ...
    @property
    def token_id(self) -> UUID | None: ...
    @property
    def tablet_id(self) -> UUID | None: ...


def _home(actor: Actor, institution_id: UUID | None) -> UUID | None:
    """The institution the actor acts for: the object's own when they belong to it, else their first."""
    own = actor.institution_ids
    return institution_id if institution_id in own else next(iter(own), None)


def _device(actor: Actor) -> tuple[str, UUID | None]:
    """The robot itself, the paired tablet, or the sign-in (one browser or app) a person acts through."""
    if actor.kind == "robot":
        return "robot", actor.id
    if actor.tablet_id is not None:
        return "tablet", actor.tablet_id
    return ("session", actor.token_id) if actor.token_id else ("", None)


def audit_record(
    *,
    principal: Actor,
    action: str,
    object_kind: str,
    object_id: UUID | None,
    institution_id: UUID | None = None,
    outcome: str = "done",
    reason: str = "",
    details: dict[str, Any] | None = None,
    patient_ids: Iterable[UUID] = (),
    on_behalf_of: tuple[str, UUID] | None = None,
    urgent: bool = False,
) -> None:
    """One entry, in the caller's transaction: the deed and its trace stand or fall together.

    `outcome` is done, read or refused; `institution_id` owns the object; `patient_ids` are those whose record it
    is about (a patient as object is one of them). An account acts on behalf of the one patient; staff name `on_behalf_of`
    when they hold a patient's paper. Unavailable `audit_unavailable` when the log can't be written, unless `urgent`.
    """
    device_kind, device_id = _device(principal)
    patients = [str(patient) for patient in patient_ids]
    if object_kind == "patient" and object_id is not None and not patients:
        patients = [str(object_id)]
    if on_behalf_of is None and principal.kind == "patient" and len(set(patients)) == 1:
        on_behalf_of = ("patient", UUID(patients[0]))  # an account always acts for somebody
    behalf_kind, behalf_id = on_behalf_of or ("", None)
    values = (
        *(uuid7(), principal.kind, principal.id, _home(principal, institution_id), device_kind, device_id),
        *(behalf_kind, behalf_id, institution_id, action, object_kind, object_id, patients, outcome),
        *(reason[:2000].replace("\0", ""), request_address.get()[:45], json.dumps(details or {})),
    )
    if urgent:
        _write_urgent(values)
    else:
        _write(values)


def _write(values: tuple[Any, ...]) -> None:
    try:
        with connection.cursor() as cursor:
            cursor.execute(_INSERT, values)
    except DatabaseError as error:
        log.error("audit_unavailable", error=type(error).__name__)
        raise Unavailable("audit_unavailable") from error


def _write_urgent(values: tuple[Any, ...]) -> None:
    """In a savepoint with a short patience; else spooled when the deed is committed."""
    try:
        with transaction.atomic(), connection.cursor() as cursor:
            cursor.execute("SHOW lock_timeout")
            (before,) = cursor.fetchone() or ("0",)
            cursor.execute("SELECT set_config('lock_timeout', %s, true)", [f"{URGENT_LOCK_MS}ms"])
            cursor.execute(_INSERT, values)
            cursor.execute("SELECT set_config('lock_timeout', %s, true)", [before])
    except DatabaseError as error:
        problem = type(error).__name__
        transaction.on_commit(
            lambda: spool.put(dict(zip(COLUMNS, values, strict=True)), problem), robust=True
        )


def spool_bring_in() -> int:
    """Write what the spool holds; each file goes when its row is committed. Returns how many came in."""
    done = 0
    for path, values in spool.waiting():
        with transaction.atomic(), connection.cursor() as cursor:
            cursor.execute(_INSERT + " ON CONFLICT (id) DO NOTHING", [values[name] for name in COLUMNS])
        path.unlink(missing_ok=True)
        done += 1
    return done
