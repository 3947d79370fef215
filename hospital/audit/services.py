from __future__ import annotations

from contextvars import ContextVar
from typing import Any, Protocol
from uuid import UUID

from .models import AuditEntry

# The network address of the request that is being answered; empty in workers and commands.
request_address: ContextVar[str] = ContextVar("request_address", default="")


class Actor(Protocol):
    """What the log needs to know of a principal."""

    @property
    def kind(self) -> str: ...
    @property
    def id(self) -> UUID: ...


def audit_record(
    *,
    principal: Actor,
    action: str,
    object_kind: str,
    object_id: UUID | None,
    institution_id: UUID | None = None,
    outcome: str = "success",
    reason: str = "",
    details: dict[str, Any] | None = None,
) -> None:
    """One entry, in the caller's transaction: the deed and its trace stand or fall together."""
    AuditEntry.objects.create(
        actor_kind=principal.kind,
        actor_id=principal.id,
        institution_id=institution_id,
        action=action,
        object_kind=object_kind,
        object_id=object_id,
        outcome=outcome,
        reason=reason[:2000],
        address=request_address.get()[:45],
        details=details or {},
    )
