from __future__ import annotations

import django.db.models.deletion
from django.db import migrations, models
from django.db.models import Q

import hospital.common.clock
import hospital.common.crypto
import hospital.common.ids


def ident() -> tuple[str, models.UUIDField]:
    return "id", models.UUIDField(default=hospital.common.ids.uuid7, primary_key=True, serialize=False)


def patient(related_name: str) -> tuple[str, models.ForeignKey]:
    key = models.ForeignKey(
        on_delete=django.db.models.deletion.PROTECT, related_name=related_name, to="people.patient"
    )
    return "patient", key


class Migration(migrations.Migration):
    dependencies = [("people", "0007_merges")]

    operations = [
        migrations.AddField("Patient", "verified_at", models.DateTimeField(null=True)),
        migrations.CreateModel(
            "IdentityVerification",
            [
                ident(),
                ("authority", models.CharField(max_length=40)),
                ("outcome", models.CharField(max_length=10)),
                ("seen", models.CharField(max_length=20)),
                ("document_type", models.CharField(max_length=2)),
                ("reference", models.CharField(blank=True, max_length=80)),
                ("checked_by_id", models.UUIDField()),
                ("checked_at", models.DateTimeField(default=hospital.common.clock.now)),
                patient("verifications"),
            ],
            options={
                "constraints": [
                    models.CheckConstraint(
                        condition=Q(outcome__in=["verified", "refused"]), name="verification_outcome_known"
                    )
                ]
            },
        ),
        migrations.CreateModel(
            "CorrectionRequest",
            [
                ident(),
                ("account_id", models.UUIDField()),
                ("field", models.CharField(max_length=20)),
                ("wanted", hospital.common.crypto.EncryptedTextField()),
                ("reason", hospital.common.crypto.EncryptedTextField()),
                ("proof_path", models.CharField(blank=True, max_length=80)),
                ("status", models.CharField(default="open", max_length=10)),
                ("asked_at", models.DateTimeField(default=hospital.common.clock.now)),
                ("due_at", models.DateTimeField()),
                ("before", hospital.common.crypto.EncryptedTextField(default="")),
                ("answer", hospital.common.crypto.EncryptedTextField(default="")),
                ("decided_by_id", models.UUIDField(null=True)),
                ("decided_at", models.DateTimeField(null=True)),
                patient("corrections"),
            ],
            options={
                "constraints": [
                    models.UniqueConstraint(
                        condition=Q(status="open"),
                        fields=("patient", "field"),
                        name="one_open_correction_per_field",
                    ),
                    models.CheckConstraint(
                        condition=Q(status="open", decided_at=None)
                        | Q(status__in=["accepted", "refused"], decided_at__isnull=False),
                        name="correction_status_known",
                    ),
                ]
            },
        ),
        migrations.CreateModel(
            "PatientArchive",
            [
                ident(),
                ("account_id", models.UUIDField(db_index=True)),
                ("status", models.CharField(default="waiting", max_length=10)),
                ("done_n", models.PositiveIntegerField(default=0)),
                ("total_n", models.PositiveIntegerField(default=0)),
                ("pieces", models.JSONField(default=list)),
                ("path", models.CharField(blank=True, max_length=80)),
                ("size", models.PositiveBigIntegerField(default=0)),
                ("asked_at", models.DateTimeField(default=hospital.common.clock.now)),
                ("ready_at", models.DateTimeField(null=True)),
                ("expires_at", models.DateTimeField(null=True)),
                ("downloaded_at", models.DateTimeField(null=True)),
                patient("archives"),
            ],
            options={
                "constraints": [
                    models.UniqueConstraint(
                        condition=Q(status__in=["waiting", "ready"]),
                        fields=("patient", "account_id"),
                        name="one_archive_at_a_time",
                    ),
                    models.CheckConstraint(
                        condition=Q(status__in=["waiting", "expired"], ready_at=None)
                        | Q(status__in=["ready", "expired", "taken"], ready_at__isnull=False),
                        name="archive_status_known",
                    ),
                ]
            },
        ),
    ]
