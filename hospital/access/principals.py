"""Who asks: a person of the staff, a patient's account, a robot, another institution's system, or the system itself."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from typing import Literal
from uuid import UUID

Kind = Literal["staff", "patient", "robot", "peer", "system", "nobody"]


@dataclass(frozen=True, kw_only=True)
class Seat:
    """The paired bedside tablet somebody acts on. `bedside_only`: the sign-in began there by a change of person."""

    tablet_id: UUID
    institution_id: UUID
    room_id: UUID
    bedside_only: bool


@dataclass(frozen=True, kw_only=True)
class Principal:
    kind: Kind
    id: UUID
    name: str
    memberships: tuple[tuple[UUID, str], ...]
    token_id: UUID | None
    seat: Seat | None = None
    # The sign-in's last use, as it was read with it.
    used_at: datetime | None = field(default=None, compare=False)

    @property
    def tablet_id(self) -> UUID | None:
        """The device, when it is a paired tablet."""
        return self.seat.tablet_id if self.seat else None

    @property
    def bedside_only(self) -> bool:
        return self.seat is not None and self.seat.bedside_only

    @property
    def is_authenticated(self) -> bool:
        return True

    @property
    def institution_ids(self) -> tuple[UUID, ...]:
        return tuple(dict.fromkeys(institution for institution, _ in self.memberships))

    @property
    def roles(self) -> frozenset[str]:
        return frozenset(role for _, role in self.memberships)

    def has(self, role: str, institution_id: UUID | None = None) -> bool:
        """The role, in that institution when one is named."""
        return any(r == role and institution_id in (None, i) for i, r in self.memberships)


# The all-zero UUID (and the all-one) never belongs to a row: ids are UUIDv7.
SYSTEM = Principal(kind="system", id=UUID(int=0), name="system", memberships=(), token_id=None)
# Somebody who failed to prove who they are: an actor for the audit log, never allowed anything.
NOBODY = Principal(kind="nobody", id=UUID(int=2**128 - 1), name="", memberships=(), token_id=None)
