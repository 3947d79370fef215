"""Licences, registrations and robot privileges: kept by the administrator or the quality office, decided on by day."""

from __future__ import annotations

from datetime import date
from uuid import UUID

from django.db import IntegrityError, transaction
from django.db.models import Q, QuerySet

from hospital.access.models import Institution, Membership, User
from hospital.access.principals import Principal
from hospital.access.scopes import within
from hospital.access.table import places
from hospital.audit.services import audit_record
from hospital.common.clock import now, shanghai_day, today
from hospital.common.errors import Conflict, Invalid, NotFound
from hospital.common.prebuilt import Value, prebuilt

from . import practice
from .models import Practitioner, Privilege, Registration
from .warnings import paper_watched

STANDINGS = ("active", "suspended", "revoked")
KINDS = ("main", "filing")


def papers_of(user_id: UUID, *, requesting_id: UUID, performing_id: UUID, on: date) -> practice.Papers:
    """What is on file for that Shanghai day."""
    licence = _licence.one(user_id=user_id)
    last = max(now(), shanghai_day(on)[0])
    registered = set(_registered(user_id=user_id, on=on, last=last))
    return practice.Papers(
        licence_expires_on=licence.licence_expires_on if licence else None,
        practice_started_on=licence.practice_started_on if licence else None,
        standing=licence.standing if licence else "",
        scopes=frozenset(licence.scope.replace(" ", "").split(",")) if licence else frozenset(),
        registered_here=performing_id in registered,
        filed_there=requesting_id in registered,
        regions=frozenset(_regions(institution_ids=(requesting_id, performing_id))),
        independent=bool(_independent(user_id=user_id, institution_id=performing_id, on=on)),
    )


@prebuilt
def _licence(*, user_id: Value) -> QuerySet[Practitioner]:
    return Practitioner.objects.filter(user_id=user_id)


@prebuilt
def _registered(*, user_id: Value, on: Value, last: Value) -> QuerySet[Registration, UUID]:
    """Where the person is registered on that day: not ended by its begin, nor by now."""
    still = Q(ended_at=None) | Q(ended_at__gt=last)
    open_end = Q(valid_to=None) | Q(valid_to__gte=on)
    rows = Registration.objects.filter(still, open_end, user_id=user_id, valid_from__lte=on)
    return rows.values_list("institution_id", flat=True)


@prebuilt
def _regions(*, institution_ids: Value) -> QuerySet[Institution, str]:
    return Institution.objects.filter(id__in=institution_ids).values_list("region_code", flat=True)


@prebuilt
def _independent(*, user_id: Value, institution_id: Value, on: Value) -> QuerySet[Privilege, tuple[UUID]]:
    rows = Privilege.objects.filter(level="independent", revoked_at=None, valid_to__gte=on)
    return rows.filter(user_id=user_id, institution_id=institution_id).values_list("id")[:1]


def practice_problems(
    *, user_id: UUID, requesting_id: UUID, performing_id: UUID, service: str, on: date
) -> tuple[str, ...]:
    """Codes of what stands against booking this physician for that Shanghai day; empty when nothing does."""
    papers = papers_of(user_id, requesting_id=requesting_id, performing_id=performing_id, on=on)
    return practice.problems(papers, service=service, on=on)


def _colleague(principal: Principal, action: str, user_id: UUID) -> tuple[User, UUID]:
    """A physician who works where the caller keeps the papers, and where that is. NotFound for anybody else."""
    mine = places(principal, action)
    found = Membership.objects.select_related("user").filter(
        user_id=user_id, institution_id__in=mine, role__in=("remote_physician", "bedside_physician")
    )
    row = found.order_by("institution_id").first()
    if row is None:
        raise NotFound()
    return row.user, row.institution_id


@transaction.atomic
def licence_keep(
    *,
    principal: Principal,
    user_id: UUID,
    licence_number: str,
    licence_expires_on: date,
    practice_started_on: date,
    standing: str,
    scope: str,
) -> Practitioner:
    """Write or renew a physician's licence. Invalid for a standing nobody knows, NotFound for other hospitals'."""
    user, place = _colleague(principal, "registry.keep", user_id)
    if standing not in STANDINGS:
        raise Invalid("invalid", field="standing")
    if practice_started_on > today():
        raise Invalid("invalid", field="practice_started_on")
    row, _ = Practitioner.objects.update_or_create(
        user=user,
        defaults={
            "licence_number": licence_number,
            "licence_expires_on": licence_expires_on,
            "practice_started_on": practice_started_on,
            "standing": standing,
            "scope": scope,
        },
    )
    _noted(principal, "licence.keep", user.id, place, {"expires_on": licence_expires_on.isoformat()})
    paper_watched("licence", user.id, licence_expires_on)
    return row


@transaction.atomic
def registration_add(
    *,
    principal: Principal,
    user_id: UUID,
    institution_id: UUID,
    kind: str,
    valid_from: date,
    valid_to: date | None,
    paper: str,
) -> Registration:
    """A place of practice with its paper: of a filing, the consent of the registered institution.

    Invalid `registration_paper`, `registration_dates`; Conflict `registration_exists` for a second main one.
    """
    user, place = _colleague(principal, "registry.keep", user_id)
    if kind not in KINDS or not Institution.objects.filter(id=institution_id).exists():
        raise Invalid("invalid", field="kind" if kind not in KINDS else "institution_id")
    if not paper.strip():
        raise Invalid("registration_paper", field="paper")
    if valid_to is not None and valid_to < valid_from:
        raise Invalid("registration_dates", field="valid_to")
    try:
        with transaction.atomic():
            row = Registration.objects.create(
                user=user,
                institution_id=institution_id,
                kind=kind,
                valid_from=valid_from,
                valid_to=valid_to,
                paper=paper.strip(),
                recorded_by_id=principal.id,
            )
    except IntegrityError:
        raise Conflict("registration_exists") from None
    _noted(principal, "registration.add", user.id, place, {"registration": str(row.id), "kind": kind})
    if valid_to is not None:
        paper_watched("registration", row.id, valid_to)
    return row


@transaction.atomic
def registration_end(*, principal: Principal, registration_id: UUID) -> None:
    """Ends now: nothing can be booked or started on it any more."""
    row = Registration.objects.select_for_update().filter(id=registration_id, ended_at=None).first()
    if row is None:
        raise NotFound()
    _, place = _colleague(principal, "registry.keep", row.user_id)
    row.ended_at = now()
    row.save(update_fields=["ended_at"])
    _noted(principal, "registration.end", row.user_id, place, {"registration": str(row.id)})


@transaction.atomic
def privilege_grant(
    *,
    principal: Principal,
    user_id: UUID,
    level: str,
    simulator_hours: int,
    supervised_exams: int,
    valid_to: date,
    basis: str = "",
) -> Privilege:
    """A level at the robot; it replaces the one before. Invalid `privilege_not_earned`, `privilege_own`,
    `privilege_dates`."""
    user, place = _colleague(principal, "privilege.grant", user_id)
    if level not in practice.LEVELS:
        raise Invalid("invalid", field="level")
    if user.id == principal.id:
        raise Invalid("privilege_own")
    if valid_to < today():
        raise Invalid("privilege_dates", field="valid_to")
    earned = simulator_hours >= practice.SIMULATOR_HOURS and supervised_exams >= practice.SUPERVISED_EXAMS
    if level == "independent" and not earned and not basis.strip():
        raise Invalid(
            "privilege_not_earned",
            simulator_hours=practice.SIMULATOR_HOURS,
            supervised_exams=practice.SUPERVISED_EXAMS,
        )
    before = Privilege.objects.select_for_update().filter(user=user, institution_id=place, revoked_at=None)
    before.update(revoked_at=now(), revoked_reason="replaced")
    row = Privilege.objects.create(
        user=user,
        institution_id=place,
        level=level,
        simulator_hours=simulator_hours,
        supervised_exams=supervised_exams,
        basis=basis.strip(),
        granted_by_id=principal.id,
        valid_to=valid_to,
    )
    _noted(principal, "privilege.grant", user.id, place, {"privilege": str(row.id), "level": level})
    paper_watched("privilege", row.id, valid_to)
    return row


@transaction.atomic
def privilege_revoke(*, principal: Principal, privilege_id: UUID, reason: str) -> None:
    """Ends at once: the next start is refused."""
    mine = Privilege.objects.filter(within(principal, "privilege.grant", "privilege"), id=privilege_id)
    row = Privilege.objects.select_for_update().filter(id__in=mine.values("id"), revoked_at=None).first()
    if row is None:
        raise NotFound()
    row.revoked_at, row.revoked_reason = now(), reason
    row.save(update_fields=["revoked_at", "revoked_reason"])
    _noted(principal, "privilege.revoke", row.user_id, row.institution_id, {"privilege": str(row.id)}, reason)


def _noted(
    principal: Principal, action: str, user_id: UUID, place: UUID, details: dict[str, str], reason: str = ""
) -> None:
    audit_record(
        principal=principal,
        action=action,
        object_kind="practitioner",
        object_id=user_id,
        institution_id=place,
        reason=reason,
        details=details,
    )
