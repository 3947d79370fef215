import django.contrib.postgres.fields
import django.db.models.deletion
from django.db import migrations, models

import hospital.common.clock
import hospital.common.crypto
import hospital.common.ids


class Migration(migrations.Migration):
    initial = True

    dependencies = [
        ("access", "0001_initial"),
    ]

    operations = [
        migrations.CreateModel(
            name="Practitioner",
            fields=[
                (
                    "user",
                    models.OneToOneField(
                        on_delete=django.db.models.deletion.PROTECT,
                        primary_key=True,
                        related_name="practitioner",
                        serialize=False,
                        to="access.user",
                    ),
                ),
                ("licence_number", models.CharField(max_length=40)),
                ("licence_expires_on", models.DateField()),
                ("practice_started_on", models.DateField()),
                ("standing", models.CharField(default="active", max_length=10)),
                ("scope", models.CharField(max_length=60)),
            ],
        ),
        migrations.CreateModel(
            name="ConsentText",
            fields=[
                (
                    "id",
                    models.UUIDField(default=hospital.common.ids.uuid7, primary_key=True, serialize=False),
                ),
                ("kind", models.CharField(max_length=30)),
                ("version", models.CharField(max_length=40)),
                ("body_zh", models.TextField()),
                ("body_en", models.TextField()),
                ("sha256", models.CharField(max_length=64)),
                ("published_at", models.DateTimeField(default=hospital.common.clock.now)),
            ],
            options={
                "constraints": [
                    models.UniqueConstraint(fields=("kind", "version"), name="consent_text_version_once")
                ],
            },
        ),
        migrations.CreateModel(
            name="Patient",
            fields=[
                (
                    "id",
                    models.UUIDField(default=hospital.common.ids.uuid7, primary_key=True, serialize=False),
                ),
                ("mpi", models.CharField(max_length=12, unique=True)),
                ("name", hospital.common.crypto.EncryptedTextField(editable=True)),
                ("name_index", models.BinaryField(db_index=True, max_length=32)),
                ("document_type", models.CharField(max_length=2)),
                ("document_number", hospital.common.crypto.EncryptedTextField(editable=True)),
                ("document_index", models.BinaryField(max_length=32)),
                ("document_tail_index", models.BinaryField(db_index=True, max_length=32)),
                ("birth_date", models.DateField()),
                ("sex", models.CharField(max_length=1)),
                ("phone", hospital.common.crypto.EncryptedTextField(editable=True)),
                ("phone_index", models.BinaryField(db_index=True, max_length=32)),
                ("phone_tail_index", models.BinaryField(db_index=True, max_length=32)),
                ("created_by_id", models.UUIDField()),
                ("created_at", models.DateTimeField(default=hospital.common.clock.now)),
                (
                    "institution",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT, related_name="+", to="access.institution"
                    ),
                ),
            ],
        ),
        migrations.CreateModel(
            name="Consent",
            fields=[
                (
                    "id",
                    models.UUIDField(default=hospital.common.ids.uuid7, primary_key=True, serialize=False),
                ),
                ("kind", models.CharField(max_length=30)),
                ("exam_id", models.UUIDField(db_index=True)),
                ("given_by", models.CharField(max_length=10)),
                ("guardian_name", hospital.common.crypto.EncryptedTextField(default="", editable=True)),
                ("guardian_relation", models.CharField(blank=True, max_length=40)),
                ("method", models.CharField(max_length=10)),
                ("signature_png", hospital.common.crypto.EncryptedTextField(default="", editable=True)),
                ("witness_name", hospital.common.crypto.EncryptedTextField(default="", editable=True)),
                ("recorded_by_id", models.UUIDField()),
                ("given_at", models.DateTimeField(default=hospital.common.clock.now)),
                ("withdrawn_at", models.DateTimeField(null=True)),
                ("withdrawn_reason", models.TextField(blank=True)),
                (
                    "text",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT, related_name="+", to="people.consenttext"
                    ),
                ),
                (
                    "patient",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="consents",
                        to="people.patient",
                    ),
                ),
            ],
        ),
        migrations.CreateModel(
            name="AccountPatient",
            fields=[
                (
                    "id",
                    models.UUIDField(default=hospital.common.ids.uuid7, primary_key=True, serialize=False),
                ),
                ("linked_at", models.DateTimeField(default=hospital.common.clock.now)),
                (
                    "account",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="links",
                        to="access.patientaccount",
                    ),
                ),
                (
                    "patient",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE, related_name="links", to="people.patient"
                    ),
                ),
            ],
        ),
        migrations.CreateModel(
            name="PatientSyllable",
            fields=[
                ("id", models.BigAutoField(primary_key=True, serialize=False)),
                ("index", models.BinaryField(db_index=True, max_length=32)),
                (
                    "patient",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="syllables",
                        to="people.patient",
                    ),
                ),
            ],
        ),
        migrations.CreateModel(
            name="Agreement",
            fields=[
                (
                    "id",
                    models.UUIDField(default=hospital.common.ids.uuid7, primary_key=True, serialize=False),
                ),
                (
                    "services",
                    django.contrib.postgres.fields.ArrayField(
                        base_field=models.CharField(max_length=40), size=None
                    ),
                ),
                ("valid_from", models.DateField()),
                ("valid_to", models.DateField()),
                ("document_sha256", models.CharField(max_length=64)),
                ("signed_by_inviting_at", models.DateTimeField(null=True)),
                ("signed_by_invited_at", models.DateTimeField(null=True)),
                ("ended_at", models.DateTimeField(null=True)),
                (
                    "invited",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT, related_name="+", to="access.institution"
                    ),
                ),
                (
                    "inviting",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT, related_name="+", to="access.institution"
                    ),
                ),
            ],
            options={
                "constraints": [
                    models.CheckConstraint(
                        condition=models.Q(("inviting", models.F("invited")), _negated=True),
                        name="agreement_two_parties",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(("valid_to__gte", models.F("valid_from"))),
                        name="agreement_valid_range",
                    ),
                ],
            },
        ),
        migrations.AddConstraint(
            model_name="patient",
            constraint=models.UniqueConstraint(fields=("document_index",), name="patient_document_once"),
        ),
        migrations.AddConstraint(
            model_name="patient",
            constraint=models.CheckConstraint(
                condition=models.Q(("sex__in", ["0", "1", "2", "9"])), name="patient_sex_known"
            ),
        ),
        migrations.AddConstraint(
            model_name="consent",
            constraint=models.UniqueConstraint(
                condition=models.Q(("withdrawn_at", None)),
                fields=("exam_id", "kind"),
                name="one_active_consent_per_exam",
            ),
        ),
        migrations.AddConstraint(
            model_name="accountpatient",
            constraint=models.UniqueConstraint(fields=("account", "patient"), name="account_patient_once"),
        ),
        migrations.AddConstraint(
            model_name="patientsyllable",
            constraint=models.UniqueConstraint(fields=("patient", "index"), name="syllable_once_per_patient"),
        ),
    ]
