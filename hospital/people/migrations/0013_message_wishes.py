from __future__ import annotations

import django.contrib.postgres.fields
import django.db.models.deletion
from django.db import migrations, models
from django.db.models import Q

import hospital.common.clock
import hospital.common.ids


class Migration(migrations.Migration):
    dependencies = [("people", "0012_patient_stays")]

    operations = [
        migrations.CreateModel(
            name="MessageWish",
            fields=[
                (
                    "id",
                    models.UUIDField(default=hospital.common.ids.uuid7, primary_key=True, serialize=False),
                ),
                ("language", models.CharField(default="zh", max_length=2)),
                ("channel", models.CharField(default="sms", max_length=5)),
                (
                    "refused",
                    django.contrib.postgres.fields.ArrayField(
                        base_field=models.CharField(max_length=12), default=list, size=None
                    ),
                ),
                ("changed_by_kind", models.CharField(max_length=10)),
                ("changed_by_id", models.UUIDField()),
                ("changed_at", models.DateTimeField(default=hospital.common.clock.now)),
                (
                    "patient",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="message_wishes",
                        to="people.patient",
                    ),
                ),
            ],
            options={
                "constraints": [
                    models.UniqueConstraint(fields=["patient"], name="one_message_wish_per_patient"),
                    models.CheckConstraint(
                        condition=Q(language__in=("zh", "en")), name="message_wish_language_known"
                    ),
                    models.CheckConstraint(
                        condition=Q(channel__in=("sms", "voice")), name="message_wish_channel_known"
                    ),
                    models.CheckConstraint(
                        condition=Q(refused__contained_by=["booked", "reminder"]),
                        name="message_wish_refusable",
                    ),
                ],
            },
        ),
    ]
