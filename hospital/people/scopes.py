"""What own, care relation and institution mean for patients and for emergency accesses. Registered at start."""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime
from uuid import UUID

from django.db.models import F, Q, QuerySet

from hospital.access.models import PatientAccount
from hospital.access.scopes import Asked, limit_register, scope_register
from hospital.access.table import DELEGATE, INSTITUTION, OWN, PATIENT, UnknownScope
from hospital.keeping import selectors as keeping

from .models import Delegation, Patient, PatientInstitution

# What a delegation must name for an action; everything else takes `read`.
LENT_FOR = {"me.book": "book", "me.archive": "copy"}


def _readable() -> Q:
    stored = keeping.restricted()
    return ~Q(id__in=stored) & ~Q(merged_into_id__in=stored)


def readable() -> QuerySet[Patient]:
    """Everybody but those whose record is only stored (PIPL 47): where every other scope ends."""
    return Patient.objects.filter(_readable())


def of_readable() -> Q:
    """Rows of patients whose record is not only stored."""
    return Q(patient_id__in=readable().values("id"))


def own_of_account(account_id: UUID) -> Q:
    """Patients linked to this account whose phone, or an alias's, is still the account's."""
    same_phone = Q(phone_index=F("links__account__phone_index"))
    same_phone |= Q(aliases__phone_index=F("links__account__phone_index"))
    found = Patient.objects.filter(same_phone, links__account_id=account_id, merged_into=None)
    return Q(id__in=found.values("id"))


def known_in(institutions: Collection[UUID]) -> Q:
    """Patients registered there, themselves or as one of their aliases, or linked there by the same document."""
    linked = PatientInstitution.objects.filter(institution_id__in=institutions).values("patient_id")
    aliases = Patient.objects.filter(institution_id__in=institutions, merged_into__isnull=False)
    return Q(institution_id__in=institutions) | Q(id__in=linked) | Q(id__in=aliases.values("merged_into_id"))


def lent_to_account(account_id: UUID, *, scope: str, moment: datetime) -> Q:
    """Patients whose proven delegation to this account's phone covers `scope` at that moment."""
    phone = PatientAccount.objects.filter(id=account_id).values("phone_index")
    lent = Delegation.objects.filter(
        revoked_at=None,
        expires_at__gt=moment,
        proven_at__isnull=False,
        scopes__contains=[scope],
        phone_index__in=phone,
    )
    return Q(id__in=lent.values("patient_id"))


def patients_own(asked: Asked) -> Q:
    if asked.role == PATIENT:
        return own_of_account(asked.principal.id)
    if asked.role == DELEGATE:
        return lent_to_account(
            asked.principal.id, scope=LENT_FOR.get(asked.action, "read"), moment=asked.moment
        )
    raise UnknownScope(f"{asked.action}: {asked.role} owns no patient")


def _institution(asked: Asked) -> Q:
    return Q(institution_id__in=asked.institutions)


def _known(asked: Asked) -> Q:
    return known_in(asked.institutions)


def _consents_own(asked: Asked) -> Q:
    """Consents of the account's patients."""
    return Q(patient_id__in=Patient.objects.filter(patients_own(asked)).values("id"))


def _consents_kept(asked: Asked) -> Q:
    """Consents of patients known where the role is held."""
    return Q(patient_id__in=Patient.objects.filter(known_in(asked.institutions)).values("id"))


def _entries(asked: Asked) -> Q:
    """Emergency accesses of people, or to patients, of the reviewer's institutions."""
    return Q(institution_id__in=asked.institutions) | Q(patient__institution_id__in=asked.institutions)


def _agreements(asked: Asked) -> Q:
    """Agreements to which an institution of the caller is a party."""
    return Q(inviting_id__in=asked.institutions) | Q(invited_id__in=asked.institutions)


def register() -> None:
    scope_register("patient", OWN, patients_own)
    scope_register("patient", INSTITUTION, _known)
    scope_register("consent", OWN, _consents_own)
    scope_register("consent", INSTITUTION, _consents_kept)
    scope_register("break_glass", INSTITUTION, _entries)
    scope_register("agreement", INSTITUTION, _agreements)
    scope_register("privilege", INSTITUTION, _institution)
    limit_register("patient", _readable)
    limit_register("consent", of_readable)
    limit_register("break_glass", of_readable)
