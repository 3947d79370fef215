from __future__ import annotations

import re
from datetime import date
from uuid import UUID

from django.db.models import Q, QuerySet

from hospital.access.models import Membership
from hospital.access.principals import Principal
from hospital.access.services import phone_index
from hospital.common.errors import NotFound

from . import rules, search
from .models import Agreement, Consent, ConsentText, Patient, Practitioner

SEARCH_MAX = 50


def patients(principal: Principal) -> QuerySet[Patient]:
    """Patients registered in the caller's own institutions."""
    if principal.kind == "system":
        return Patient.objects.all()
    return Patient.objects.filter(institution_id__in=principal.institution_ids)


def patient_get(*, principal: Principal, patient_id: UUID) -> Patient:
    found = patients(principal).filter(id=patient_id).first()
    if found is None:
        raise NotFound()
    return found


def _syllables(query: str) -> list[str] | None:
    """`wang xiao dong`, `wangxd` typed with blanks, or initials `wxd`: all must be in the name."""
    parts = query.lower().split()
    if not all(re.fullmatch(r"[a-zü]{1,6}", part) for part in parts):
        return None
    if len(parts) == 1 and len(parts[0]) <= 4 and not set(parts[0]) & set("aeiouü"):
        return list(parts[0])
    return parts


def patient_search(*, principal: Principal, q: str) -> list[Patient]:
    """By full name, pinyin syllables or initials, last four of phone or document, whole document, phone, or MPI."""
    q = q.strip()
    found = patients(principal).order_by("mpi")
    if not q:
        return list(found.order_by("-created_at")[:20])
    plain = rules.document_normal(q)
    which = Q(name_index=search.name_index(q)) | Q(mpi=plain)
    which |= Q(document_index__in=[search.document_index(kind, plain) for kind in rules.DOCUMENT_TYPES])
    if re.fullmatch(r"[0-9]{3}[0-9X]", plain):
        which |= Q(document_tail_index=search.document_tail_index(plain)) | Q(
            phone_tail_index=search.phone_tail_index(plain)
        )
    if re.fullmatch(r"1[0-9]{10}", plain):
        which |= Q(phone_index=phone_index(plain))
    direct = list(found.filter(which)[:SEARCH_MAX])
    return direct or _by_sound(found, q)


def _by_sound(found: QuerySet[Patient], q: str) -> list[Patient]:
    parts = _syllables(q) or []
    for part in parts:
        found = found.filter(syllables__index=search.syllable_index(part))
    return list(found.distinct()[:SEARCH_MAX]) if parts else []


def patients_of_account(account_id: UUID) -> QuerySet[Patient]:
    return Patient.objects.filter(links__account_id=account_id)


def agreement_covering(*, inviting_id: UUID, invited_id: UUID, service: str, on: date) -> Agreement | None:
    """An agreement signed by both, in force on that day, for that service."""
    return (
        Agreement.objects.filter(
            inviting_id=inviting_id,
            invited_id=invited_id,
            services__contains=[service],
            valid_from__lte=on,
            valid_to__gte=on,
            ended_at=None,
        )
        .exclude(signed_by_inviting_at=None)
        .exclude(signed_by_invited_at=None)
        .first()
    )


def consent_active(*, exam_id: UUID, kind: str) -> Consent | None:
    return Consent.objects.select_related("text").filter(exam_id=exam_id, kind=kind, withdrawn_at=None).first()


def consent_text_current(kind: str) -> ConsentText:
    found = ConsentText.objects.filter(kind=kind).order_by("-published_at").first()
    if found is None:
        raise NotFound()
    return found


def practitioner_problem(*, user_id: UUID, on: date) -> str | None:
    row = Practitioner.objects.filter(user_id=user_id).first()
    if row is None:
        return "licence_unknown"
    return rules.practitioner_problem(
        licence_expires_on=row.licence_expires_on,
        practice_started_on=row.practice_started_on,
        standing=row.standing,
        on=on,
    )


def practitioners(*, role: str, institution_id: UUID | None) -> list[dict[str, str]]:
    """People of a role, with where they work: what a desk chooses from."""
    rows = Membership.objects.select_related("user", "institution").filter(role=role, user__is_active=True)
    if institution_id is not None:
        rows = rows.filter(institution_id=institution_id)
    return [
        {
            "id": str(row.user_id),
            "name": row.user.name,
            "role": row.role,
            "institution_id": str(row.institution_id),
            "institution": row.institution.name,
            "institution_en": row.institution.name_en,
        }
        for row in rows.order_by("institution__short_name", "user__username")
    ]
