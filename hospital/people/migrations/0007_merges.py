from __future__ import annotations

import django.contrib.postgres.fields
import django.db.models.deletion
from django.db import migrations, models
from django.db.models import F, Q

import hospital.common.clock
import hospital.common.crypto
import hospital.common.ids

FORWARD = """
-- No new row for a patient who was merged into another. The patient's row is locked as a foreign key would: who
-- comes while a merge is being made waits for it and is refused. The argument is the column that names the patient.
CREATE FUNCTION people_merged_refuse() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
  wanted uuid;
  into_id uuid;
BEGIN
  EXECUTE format('SELECT ($1).%I', TG_ARGV[0]) INTO wanted USING NEW;
  IF wanted IS NULL THEN
    RETURN NEW;
  END IF;
  SELECT merged_into_id INTO into_id FROM people_patient WHERE id = wanted FOR KEY SHARE;
  IF into_id IS NOT NULL THEN
    RAISE EXCEPTION 'the patient was merged into another' USING ERRCODE = 'restrict_violation';
  END IF;
  RETURN NEW;
END $$;
"""
BACKWARD = "DROP FUNCTION people_merged_refuse() CASCADE"


class Migration(migrations.Migration):
    dependencies = [("access", "0003_sessions"), ("people", "0006_break_glass")]

    operations = [
        migrations.AddField(
            "Patient",
            "merged_into",
            models.ForeignKey(
                null=True,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="aliases",
                to="people.patient",
            ),
        ),
        migrations.AddConstraint(
            "Patient",
            models.CheckConstraint(
                condition=~Q(merged_into=F("id")), name="patient_not_its_own_alias"
            ),
        ),
        migrations.AddIndex("Patient", models.Index(fields=["birth_date"], name="patient_birth_date")),
        migrations.CreateModel(
            "PatientInstitution",
            [
                ("id", models.UUIDField(default=hospital.common.ids.uuid7, primary_key=True, serialize=False)),
                ("linked_by_id", models.UUIDField()),
                ("linked_at", models.DateTimeField(default=hospital.common.clock.now)),
                (
                    "institution",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT, related_name="+", to="access.institution"
                    ),
                ),
                (
                    "patient",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="institutions",
                        to="people.patient",
                    ),
                ),
            ],
            options={
                "constraints": [
                    models.UniqueConstraint(
                        fields=("patient", "institution"), name="patient_institution_once"
                    )
                ]
            },
        ),
        migrations.CreateModel(
            "PatientMerge",
            [
                ("id", models.UUIDField(default=hospital.common.ids.uuid7, primary_key=True, serialize=False)),
                ("reason", hospital.common.crypto.EncryptedTextField()),
                ("moved", models.JSONField(default=dict)),
                ("merged_by_id", models.UUIDField()),
                ("merged_at", models.DateTimeField(default=hospital.common.clock.now)),
                ("undone_by_id", models.UUIDField(null=True)),
                ("undone_at", models.DateTimeField(null=True)),
                ("undone_reason", hospital.common.crypto.EncryptedTextField(default="")),
                (
                    "source",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT, related_name="+", to="people.patient"
                    ),
                ),
                (
                    "survivor",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT, related_name="+", to="people.patient"
                    ),
                ),
            ],
            options={
                "constraints": [
                    models.CheckConstraint(condition=~Q(source=F("survivor")), name="merge_of_two"),
                    models.UniqueConstraint(
                        fields=("source",), condition=Q(undone_at=None), name="one_live_merge_per_source"
                    ),
                    models.CheckConstraint(
                        condition=Q(undone_at=None, undone_by_id=None)
                        | Q(undone_at__isnull=False, undone_by_id__isnull=False),
                        name="merge_undone_by_somebody",
                    ),
                ]
            },
        ),
        migrations.CreateModel(
            "DuplicateReview",
            [
                ("id", models.UUIDField(default=hospital.common.ids.uuid7, primary_key=True, serialize=False)),
                ("claim", hospital.common.crypto.EncryptedTextField(default="")),
                ("claim_index", models.BinaryField(max_length=32, null=True)),
                (
                    "reasons",
                    django.contrib.postgres.fields.ArrayField(models.CharField(max_length=20), size=None),
                ),
                ("opened_by_id", models.UUIDField()),
                ("opened_at", models.DateTimeField(default=hospital.common.clock.now)),
                ("status", models.CharField(default="open", max_length=10)),
                ("decided_by_id", models.UUIDField(null=True)),
                ("decided_at", models.DateTimeField(null=True)),
                ("note", hospital.common.crypto.EncryptedTextField(default="")),
                (
                    "first",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT, related_name="+", to="people.patient"
                    ),
                ),
                (
                    "second",
                    models.ForeignKey(
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="people.patient",
                    ),
                ),
                (
                    "institution",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT, related_name="+", to="access.institution"
                    ),
                ),
                (
                    "merge",
                    models.ForeignKey(
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="reviews",
                        to="people.patientmerge",
                    ),
                ),
            ],
            options={
                "constraints": [
                    models.UniqueConstraint(fields=("first", "second"), name="one_review_per_pair"),
                    models.UniqueConstraint(fields=("first", "claim_index"), name="one_review_per_claim"),
                    models.CheckConstraint(
                        condition=Q(second__isnull=False, claim_index=None)
                        | Q(second=None, claim_index__isnull=False),
                        name="review_of_a_pair_or_a_claim",
                    ),
                    models.CheckConstraint(
                        condition=Q(second=None) | Q(first__lt=F("second")), name="review_pair_in_order"
                    ),
                    models.CheckConstraint(
                        condition=Q(status="open", decided_at=None)
                        | Q(status__in=["same", "distinct"], decided_at__isnull=False),
                        name="review_status_known",
                    ),
                ]
            },
        ),
        migrations.RunSQL(FORWARD, BACKWARD),
    ]
