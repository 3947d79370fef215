import django.contrib.postgres.fields
import django.db.models.deletion
from django.db import migrations, models
from django.db.models import F, Q

import hospital.common.clock
import hospital.common.crypto
import hospital.common.ids


class Migration(migrations.Migration):
    dependencies = [("people", "0004_known_kinds")]

    operations = [
        migrations.CreateModel(
            "Delegation",
            [
                ("id", models.UUIDField(default=hospital.common.ids.uuid7, primary_key=True, serialize=False)),
                ("name", hospital.common.crypto.EncryptedTextField()),
                ("relation", models.CharField(max_length=40)),
                ("phone", hospital.common.crypto.EncryptedTextField()),
                ("phone_index", models.BinaryField(db_index=True, max_length=32)),
                (
                    "scopes",
                    django.contrib.postgres.fields.ArrayField(models.CharField(max_length=10), size=None),
                ),
                ("granted_by_kind", models.CharField(max_length=10)),
                ("granted_by_id", models.UUIDField()),
                ("paper", models.CharField(blank=True, max_length=120)),
                ("granted_at", models.DateTimeField(default=hospital.common.clock.now)),
                ("expires_at", models.DateTimeField()),
                ("proven_at", models.DateTimeField(null=True)),
                ("revoked_at", models.DateTimeField(null=True)),
                ("revoked_by_kind", models.CharField(blank=True, max_length=10)),
                ("revoked_by_id", models.UUIDField(null=True)),
                (
                    "patient",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="delegations",
                        to="people.patient",
                    ),
                ),
            ],
            options={
                "constraints": [
                    models.UniqueConstraint(
                        condition=Q(revoked_at=None),
                        fields=("patient", "phone_index"),
                        name="one_delegation_per_phone",
                    ),
                    models.CheckConstraint(
                        condition=Q(granted_by_kind="patient")
                        | Q(granted_by_kind="staff") & ~Q(paper=""),
                        name="delegation_by_staff_on_paper",
                    ),
                    models.CheckConstraint(
                        condition=Q(expires_at__gt=F("granted_at")), name="delegation_ends"
                    ),
                ],
            },
        ),
    ]
