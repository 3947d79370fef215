"""What stands against booking physicians, read once for many of them and many days: for a search over a month.

Decides as `licences.practice_problems` and `selectors.agreement_covering` do for one physician and one day; a test
holds the two against each other.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date
from uuid import UUID

from django.db.models import Q

from hospital.access.models import Institution
from hospital.common.clock import now, shanghai_day

from . import practice
from .models import Agreement, Practitioner, Privilege, Registration


@dataclass(frozen=True)
class OnFile:
    """The papers of some physicians and the agreements of some hospitals, as they stand now."""

    licences: dict[UUID, Practitioner]
    registrations: dict[UUID, list[Registration]]
    privileges: dict[tuple[UUID, UUID], list[Privilege]]
    agreements: dict[tuple[UUID, UUID], list[Agreement]]
    regions: dict[UUID, str]

    def agreed(self, *, inviting_id: UUID, invited_id: UUID, service: str, on: date) -> bool:
        """Whether an agreement in force on that Shanghai day covers the service (LAW-20)."""
        rows = self.agreements.get((inviting_id, invited_id), [])
        return any(
            service in row.services
            and row.valid_from <= on <= row.valid_to
            and (row.ended_at is None or row.ended_at > max(now(), shanghai_day(on)[0]))
            for row in rows
        )

    def problems(
        self, *, user_id: UUID, requesting_id: UUID, performing_id: UUID, service: str, on: date
    ) -> tuple[str, ...]:
        """Codes of `practice.PROBLEMS`; empty when the physician is bookable on that Shanghai day."""
        licence = self.licences.get(user_id)
        registered = {row.institution_id for row in self.registrations.get(user_id, []) if _stands(row, on)}
        privileges = self.privileges.get((user_id, performing_id), [])
        papers = practice.Papers(
            licence_expires_on=licence.licence_expires_on if licence else None,
            practice_started_on=licence.practice_started_on if licence else None,
            standing=licence.standing if licence else "",
            scopes=frozenset(licence.scope.replace(" ", "").split(",")) if licence else frozenset(),
            registered_here=performing_id in registered,
            filed_there=requesting_id in registered,
            regions=frozenset(
                self.regions[place] for place in (requesting_id, performing_id) if place in self.regions
            ),
            independent=any(row.valid_to >= on for row in privileges),
        )
        return practice.problems(papers, service=service, on=on)


def _stands(row: Registration, on: date) -> bool:
    return (
        row.valid_from <= on
        and (row.valid_to is None or row.valid_to >= on)
        and (row.ended_at is None or row.ended_at > max(now(), shanghai_day(on)[0]))
    )


def invited_by(institution_ids: Iterable[UUID], service: str) -> set[UUID]:
    """The hospitals that these have, or have had, a signed agreement with for the service."""
    rows = Agreement.objects.filter(inviting_id__in=list(institution_ids), services__contains=[service])
    return set(rows.values_list("invited_id", flat=True))


def on_file(user_ids: Sequence[UUID], institution_ids: Sequence[UUID]) -> OnFile:
    """Everything that decides about these people between these institutions."""
    registrations: dict[UUID, list[Registration]] = defaultdict(list)
    for registration in Registration.objects.filter(user_id__in=user_ids):
        registrations[registration.user_id].append(registration)
    privileges: dict[tuple[UUID, UUID], list[Privilege]] = defaultdict(list)
    for privilege in Privilege.objects.filter(user_id__in=user_ids, level="independent", revoked_at=None):
        privileges[privilege.user_id, privilege.institution_id].append(privilege)
    agreements: dict[tuple[UUID, UUID], list[Agreement]] = defaultdict(list)
    signed = Q(signed_by_inviting_at__isnull=False, signed_by_invited_at__isnull=False)
    between = Q(inviting_id__in=institution_ids, invited_id__in=institution_ids)
    for agreement in Agreement.objects.filter(signed, between):
        agreements[agreement.inviting_id, agreement.invited_id].append(agreement)
    places = Institution.objects.filter(id__in=institution_ids)
    return OnFile(
        licences={row.user_id: row for row in Practitioner.objects.filter(user_id__in=user_ids)},
        registrations=registrations,
        privileges=privileges,
        agreements=agreements,
        regions=dict(places.values_list("id", "region_code")),
    )
