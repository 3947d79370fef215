from __future__ import annotations

from datetime import timedelta

from django.conf import settings
from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models import F, Q

from hospital.common.clock import now
from hospital.common.crypto import EncryptedTextField
from hospital.common.ids import uuid7

from . import rules
from .models_identity import DuplicateReview, PatientInstitution, PatientMerge
from .models_papers import Privilege, Registration
from .models_rights import CorrectionRequest, IdentityVerification, PatientArchive
from .models_wishes import MessageWish
from .rules import DOCUMENT_TYPES

__all__ = [
    "AccountPatient",
    "Agreement",
    "BreakGlass",
    "Consent",
    "ConsentText",
    "CorrectionRequest",
    "Delegation",
    "DuplicateReview",
    "IdentityVerification",
    "MessageWish",
    "Patient",
    "PatientArchive",
    "PatientInstitution",
    "PatientMerge",
    "PatientSyllable",
    "Practitioner",
    "Privilege",
    "Registration",
]

INDEX_BYTES = 32


class Patient(models.Model):
    """A person under care. `mpi` is the number that leaves the house (DICOM PatientID); the document never does.

    `merged_into` makes it an alias: found by its numbers, phone and name, answered with the survivor, one step deep.
    """

    id = models.UUIDField(primary_key=True, default=uuid7)
    mpi = models.CharField(max_length=12, unique=True)
    name = EncryptedTextField()
    name_index = models.BinaryField(max_length=INDEX_BYTES, db_index=True)
    document_type = models.CharField(max_length=2)
    document_number = EncryptedTextField()
    document_index = models.BinaryField(max_length=INDEX_BYTES)
    document_tail_index = models.BinaryField(max_length=INDEX_BYTES, db_index=True)
    birth_date = models.DateField()
    sex = models.CharField(max_length=1)
    phone = EncryptedTextField()
    phone_index = models.BinaryField(max_length=INDEX_BYTES, db_index=True)
    phone_tail_index = models.BinaryField(max_length=INDEX_BYTES, db_index=True)
    institution = models.ForeignKey("access.Institution", models.PROTECT, related_name="+")
    created_by_id = models.UUIDField()
    created_at = models.DateTimeField(default=now)
    verified_at = models.DateTimeField(null=True)
    merged_into = models.ForeignKey("self", models.PROTECT, null=True, related_name="aliases")

    class Meta:
        indexes = [models.Index(fields=["birth_date"], name="patient_birth_date")]
        constraints = [
            models.UniqueConstraint(fields=["document_index"], name="patient_document_once"),
            models.CheckConstraint(condition=~Q(merged_into=F("id")), name="patient_not_its_own_alias"),
            models.CheckConstraint(condition=Q(sex__in=["0", "1", "2", "9"]), name="patient_sex_known"),
            models.CheckConstraint(
                condition=Q(document_type__in=DOCUMENT_TYPES), name="patient_document_type_known"
            ),
        ]


class PatientSyllable(models.Model):
    """One keyed pinyin syllable (or initial) of a patient's name, so that desks find people by sound."""

    id = models.BigAutoField(primary_key=True)
    patient = models.ForeignKey(Patient, models.CASCADE, related_name="syllables")
    index = models.BinaryField(max_length=INDEX_BYTES, db_index=True)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["patient", "index"], name="syllable_once_per_patient")]


class AccountPatient(models.Model):
    """This phone's account was proven, with the document number, to speak for this patient."""

    id = models.UUIDField(primary_key=True, default=uuid7)
    account = models.ForeignKey("access.PatientAccount", models.CASCADE, related_name="links")
    patient = models.ForeignKey(Patient, models.CASCADE, related_name="links")
    linked_at = models.DateTimeField(default=now)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["account", "patient"], name="account_patient_once")]


class Delegation(models.Model):
    """A family member or carer may act for a patient from their own phone: for what, until when, granted how.

    It opens nothing until the delegate proved, once and on that phone, the patient's document number (`proven_at`).
    """

    id = models.UUIDField(primary_key=True, default=uuid7)
    patient = models.ForeignKey(Patient, models.PROTECT, related_name="delegations")
    name = EncryptedTextField()
    relation = models.CharField(max_length=40)
    phone = EncryptedTextField()
    phone_index = models.BinaryField(max_length=INDEX_BYTES, db_index=True)
    scopes = ArrayField(models.CharField(max_length=10))
    granted_by_kind = models.CharField(max_length=10)
    granted_by_id = models.UUIDField()
    paper = models.CharField(max_length=120, blank=True)
    granted_at = models.DateTimeField(default=now)
    expires_at = models.DateTimeField()
    proven_at = models.DateTimeField(null=True)
    revoked_at = models.DateTimeField(null=True)
    revoked_by_kind = models.CharField(max_length=10, blank=True)
    revoked_by_id = models.UUIDField(null=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["patient", "phone_index"],
                condition=Q(revoked_at=None),
                name="one_delegation_per_phone",
            ),
            models.CheckConstraint(
                condition=Q(granted_by_kind="patient") | Q(granted_by_kind="staff") & ~Q(paper=""),
                name="delegation_by_staff_on_paper",
            ),
            models.CheckConstraint(condition=Q(expires_at__gt=F("granted_at")), name="delegation_ends"),
        ]


class BreakGlass(models.Model):
    """A clinician opened a record without a care relation, in an emergency: why, until when, and what a reviewer
    found. Never changed except by its one review."""

    id = models.UUIDField(primary_key=True, default=uuid7)
    patient = models.ForeignKey(Patient, models.PROTECT, related_name="+")
    user = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, related_name="+")
    institution = models.ForeignKey("access.Institution", models.PROTECT, related_name="+")
    reason = EncryptedTextField()
    began_at = models.DateTimeField(default=now)
    ends_at = models.DateTimeField()
    reviewed_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, null=True, related_name="+")
    reviewed_at = models.DateTimeField(null=True)
    verdict = models.CharField(max_length=13, blank=True)
    review_note = EncryptedTextField(default="")

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=Q(ends_at__gt=F("began_at")) & Q(ends_at__lte=F("began_at") + timedelta(hours=4)),
                name="break_glass_four_hours",
            ),
            models.CheckConstraint(
                condition=Q(reviewed_at=None, verdict="")
                | Q(reviewed_at__isnull=False, verdict__in=["justified", "not_justified"])
                & ~Q(reviewed_by=F("user")),
                name="break_glass_reviewed_by_another",
            ),
        ]


class Practitioner(models.Model):
    """The licence behind a physician's account."""

    user = models.OneToOneField(
        settings.AUTH_USER_MODEL, models.PROTECT, primary_key=True, related_name="practitioner"
    )
    licence_number = models.CharField(max_length=40)
    licence_expires_on = models.DateField()
    practice_started_on = models.DateField()
    standing = models.CharField(max_length=10, default="active")
    scope = models.CharField(max_length=60)


class Agreement(models.Model):
    """Telemedicine agreement between the inviting (patient's) and the invited (expert's) hospital, LAW-20."""

    id = models.UUIDField(primary_key=True, default=uuid7)
    inviting = models.ForeignKey("access.Institution", models.PROTECT, related_name="+")
    invited = models.ForeignKey("access.Institution", models.PROTECT, related_name="+")
    services = ArrayField(models.CharField(max_length=40))
    valid_from = models.DateField()
    valid_to = models.DateField()
    document_sha256 = models.CharField(max_length=64)
    signed_by_inviting_at = models.DateTimeField(null=True)
    signed_by_invited_at = models.DateTimeField(null=True)
    ended_at = models.DateTimeField(null=True)
    ended_reason = models.CharField(max_length=500, blank=True)
    document_path = models.CharField(max_length=80, blank=True)
    inviting_signatory = models.CharField(max_length=80, blank=True)
    invited_signatory = models.CharField(max_length=80, blank=True)
    inviting_recorded_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.PROTECT, null=True, related_name="+"
    )
    invited_recorded_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.PROTECT, null=True, related_name="+"
    )

    class Meta:
        constraints = [
            models.CheckConstraint(condition=~Q(inviting=F("invited")), name="agreement_two_parties"),
            models.CheckConstraint(condition=Q(valid_to__gte=F("valid_from")), name="agreement_valid_range"),
            models.CheckConstraint(
                condition=Q(inviting_recorded_by=None)
                | Q(invited_recorded_by=None)
                | ~Q(inviting_recorded_by=F("invited_recorded_by")),
                name="agreement_signed_by_two_hands",
            ),
        ]


class ConsentText(models.Model):
    """A published text; never changed, a newer version replaces it."""

    id = models.UUIDField(primary_key=True, default=uuid7)
    kind = models.CharField(max_length=30)
    version = models.CharField(max_length=40)
    body_zh = models.TextField()
    body_en = models.TextField()
    sha256 = models.CharField(max_length=64)
    published_at = models.DateTimeField(default=now)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["kind", "version"], name="consent_text_version_once")]


class Consent(models.Model):
    """A written consent: which text, for which exam or receiver, given by whom, how proven, recorded by whom.

    `rules.EXAM_KINDS` are bound to one exam; `transfer` names the one institution that may receive the record.
    """

    id = models.UUIDField(primary_key=True, default=uuid7)
    patient = models.ForeignKey(Patient, models.PROTECT, related_name="consents")
    kind = models.CharField(max_length=30)
    exam_id = models.UUIDField(null=True, db_index=True)
    receiver = models.ForeignKey("access.Institution", models.PROTECT, null=True, related_name="+")
    text = models.ForeignKey(ConsentText, models.PROTECT, related_name="+")
    given_by = models.CharField(max_length=10)
    guardian_name = EncryptedTextField(default="")
    guardian_relation = models.CharField(max_length=40, blank=True)
    method = models.CharField(max_length=10)
    signature_png = EncryptedTextField(default="")
    witness_name = EncryptedTextField(default="")
    recorded_by_id = models.UUIDField()
    given_at = models.DateTimeField(default=now)
    withdrawn_at = models.DateTimeField(null=True)
    withdrawn_reason = models.TextField(blank=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["exam_id", "kind"], condition=Q(withdrawn_at=None), name="one_active_consent_per_exam"
            ),
            models.UniqueConstraint(
                fields=["patient", "receiver"],
                condition=Q(withdrawn_at=None, kind=rules.TRANSFER),
                name="one_active_transfer_per_receiver",
            ),
            models.UniqueConstraint(
                fields=["patient"],
                condition=Q(withdrawn_at=None, kind=rules.WRISTBAND),
                name="one_active_wristband_consent",
            ),
            models.CheckConstraint(condition=Q(kind__in=rules.CONSENT_KINDS), name="consent_kind_known"),
            models.CheckConstraint(
                condition=Q(kind=rules.TRANSFER, receiver__isnull=False)
                | ~Q(kind=rules.TRANSFER) & Q(receiver=None),
                name="consent_transfer_names_its_receiver",
            ),
            models.CheckConstraint(
                condition=Q(kind__in=rules.EXAM_KINDS, exam_id__isnull=False)
                | ~Q(kind__in=rules.EXAM_KINDS) & Q(exam_id=None),
                name="consent_of_an_exam_names_it",
            ),
            models.CheckConstraint(
                condition=Q(given_by__in=["patient", "guardian"]), name="consent_giver_known"
            ),
            models.CheckConstraint(
                condition=Q(method__in=["signature", "witness"]), name="consent_method_known"
            ),
            models.CheckConstraint(
                condition=Q(given_by="patient") | ~Q(guardian_relation=""), name="consent_guardian_related"
            ),
        ]
