import django.db.models.deletion
from django.db import migrations, models

import hospital.common.clock
import hospital.common.crypto
import hospital.common.ids


class Migration(migrations.Migration):
    initial = True

    dependencies = []

    operations = [
        migrations.CreateModel(
            name="User",
            fields=[
                ("password", models.CharField(max_length=128, verbose_name="password")),
                ("last_login", models.DateTimeField(blank=True, null=True, verbose_name="last login")),
                (
                    "id",
                    models.UUIDField(default=hospital.common.ids.uuid7, primary_key=True, serialize=False),
                ),
                ("username", models.CharField(max_length=60, unique=True)),
                ("name", models.CharField(max_length=80)),
                ("totp_secret", hospital.common.crypto.EncryptedTextField(editable=True)),
                ("totp_last_step", models.BigIntegerField(default=0)),
                ("failed_n", models.PositiveSmallIntegerField(default=0)),
                ("locked_until", models.DateTimeField(null=True)),
                ("is_active", models.BooleanField(default=True)),
                ("created_at", models.DateTimeField(default=hospital.common.clock.now)),
            ],
            options={
                "abstract": False,
            },
        ),
        migrations.CreateModel(
            name="Institution",
            fields=[
                (
                    "id",
                    models.UUIDField(default=hospital.common.ids.uuid7, primary_key=True, serialize=False),
                ),
                ("name", models.CharField(max_length=120)),
                ("name_en", models.CharField(max_length=120)),
                ("short_name", models.CharField(max_length=20)),
                ("region_code", models.CharField(max_length=6)),
                ("uscc", models.CharField(max_length=18, unique=True)),
            ],
        ),
        migrations.CreateModel(
            name="LoginCode",
            fields=[
                (
                    "id",
                    models.UUIDField(default=hospital.common.ids.uuid7, primary_key=True, serialize=False),
                ),
                ("phone_index", models.BinaryField(db_index=True, max_length=32)),
                ("address", models.CharField(db_index=True, max_length=45)),
                ("code_hash", models.BinaryField(max_length=32)),
                ("created_at", models.DateTimeField(default=hospital.common.clock.now)),
                ("expires_at", models.DateTimeField()),
                ("attempts", models.PositiveSmallIntegerField(default=0)),
                ("used_at", models.DateTimeField(null=True)),
            ],
        ),
        migrations.CreateModel(
            name="PatientAccount",
            fields=[
                (
                    "id",
                    models.UUIDField(default=hospital.common.ids.uuid7, primary_key=True, serialize=False),
                ),
                ("phone", hospital.common.crypto.EncryptedTextField(editable=True)),
                ("phone_index", models.BinaryField(max_length=32, unique=True)),
                ("created_at", models.DateTimeField(default=hospital.common.clock.now)),
            ],
        ),
        migrations.CreateModel(
            name="AccessToken",
            fields=[
                (
                    "id",
                    models.UUIDField(default=hospital.common.ids.uuid7, primary_key=True, serialize=False),
                ),
                ("digest", models.BinaryField(max_length=32, unique=True)),
                ("created_at", models.DateTimeField(default=hospital.common.clock.now)),
                ("expires_at", models.DateTimeField()),
                ("stepped_up_at", models.DateTimeField(null=True)),
                ("revoked_at", models.DateTimeField(null=True)),
                (
                    "user",
                    models.ForeignKey(
                        null=True,
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="tokens",
                        to="access.user",
                    ),
                ),
                (
                    "account",
                    models.ForeignKey(
                        null=True,
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="tokens",
                        to="access.patientaccount",
                    ),
                ),
            ],
        ),
        migrations.CreateModel(
            name="Ticket",
            fields=[
                (
                    "id",
                    models.UUIDField(default=hospital.common.ids.uuid7, primary_key=True, serialize=False),
                ),
                ("digest", models.BinaryField(max_length=32, unique=True)),
                ("expires_at", models.DateTimeField()),
                ("used_at", models.DateTimeField(null=True)),
                (
                    "token",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="tickets",
                        to="access.accesstoken",
                    ),
                ),
            ],
        ),
        migrations.CreateModel(
            name="Membership",
            fields=[
                (
                    "id",
                    models.UUIDField(default=hospital.common.ids.uuid7, primary_key=True, serialize=False),
                ),
                (
                    "role",
                    models.CharField(
                        choices=[
                            ("remote_physician", "Remote Physician"),
                            ("bedside_physician", "Bedside Physician"),
                            ("assistant", "Assistant"),
                            ("scheduler", "Scheduler"),
                            ("nurse", "Nurse"),
                            ("alarm_desk", "Alarm Desk"),
                            ("quality_control", "Quality Control"),
                            ("system_admin", "System Admin"),
                            ("security_admin", "Security Admin"),
                            ("audit_admin", "Audit Admin"),
                        ],
                        max_length=20,
                    ),
                ),
                (
                    "institution",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="memberships",
                        to="access.institution",
                    ),
                ),
                (
                    "user",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="memberships",
                        to="access.user",
                    ),
                ),
            ],
            options={
                "constraints": [
                    models.UniqueConstraint(fields=("user", "institution", "role"), name="membership_once"),
                    models.CheckConstraint(
                        condition=models.Q(
                            (
                                "role__in",
                                [
                                    "remote_physician",
                                    "bedside_physician",
                                    "assistant",
                                    "scheduler",
                                    "nurse",
                                    "alarm_desk",
                                    "quality_control",
                                    "system_admin",
                                    "security_admin",
                                    "audit_admin",
                                ],
                            )
                        ),
                        name="membership_role_known",
                    ),
                ],
            },
        ),
        migrations.AddConstraint(
            model_name="accesstoken",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    models.Q(("account__isnull", False), ("user", None)),
                    models.Q(("account", None), ("user__isnull", False)),
                    _connector="OR",
                ),
                name="token_of_one_principal",
            ),
        ),
    ]
