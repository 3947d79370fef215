from __future__ import annotations

import django.db.models.deletion
from django.db import migrations, models
from django.db.models import Q

import hospital.common.clock
import hospital.common.crypto
import hospital.common.ids

STATES = ["queued", "sent", "expired", "dropped", "failed"]
OUTCOMES = ["trying", "accepted", "temporary", "permanent", "unanswered"]


class Migration(migrations.Migration):
    dependencies = [("messages", "0003_in_app")]

    operations = [
        migrations.AlterField(
            model_name="message",
            name="channel",
            field=models.CharField(
                choices=[
                    ("sms", "SMS"),
                    ("voice", "voice"),
                    ("email", "e-mail"),
                    ("in_app", "in the pages"),
                    ("group", "a staff group"),
                ],
                max_length=8,
            ),
        ),
        migrations.AddField(
            model_name="message",
            name="context",
            field=hospital.common.crypto.EncryptedTextField(editable=True, null=True),
        ),
        migrations.AddField(
            model_name="message", name="about_kind", field=models.CharField(blank=True, default="", max_length=20),
            preserve_default=False,
        ),
        migrations.AddField(model_name="message", name="about_id", field=models.UUIDField(null=True)),
        migrations.AddField(
            model_name="message", name="reason", field=models.CharField(blank=True, default="", max_length=60),
            preserve_default=False,
        ),
        migrations.AddField(model_name="message", name="not_before", field=models.DateTimeField(null=True)),
        migrations.AddConstraint(
            model_name="message",
            constraint=models.CheckConstraint(condition=Q(status__in=STATES), name="message_status_known"),
        ),
        migrations.AddConstraint(
            model_name="message",
            constraint=models.CheckConstraint(
                condition=Q(about_kind="", about_id=None) | ~Q(about_kind="") & Q(about_id__isnull=False),
                name="message_about_something",
            ),
        ),
        migrations.AddIndex(
            model_name="message",
            index=models.Index(fields=["about_kind", "about_id"], name="message_about", condition=~Q(about_kind="")),
        ),
        migrations.CreateModel(
            name="MessageReceipt",
            fields=[
                (
                    "id",
                    models.UUIDField(default=hospital.common.ids.uuid7, primary_key=True, serialize=False),
                ),
                ("number", models.PositiveSmallIntegerField()),
                ("provider", models.CharField(max_length=20)),
                ("at", models.DateTimeField(default=hospital.common.clock.now)),
                ("answered_at", models.DateTimeField(null=True)),
                ("outcome", models.CharField(default="trying", max_length=10)),
                ("code", models.CharField(blank=True, max_length=80)),
                ("provider_id", models.CharField(blank=True, max_length=120)),
                (
                    "message",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="receipts",
                        to="messages.message",
                    ),
                ),
            ],
            options={
                "constraints": [
                    models.UniqueConstraint(fields=["message", "number"], name="one_receipt_a_try"),
                    models.CheckConstraint(condition=Q(outcome__in=OUTCOMES), name="receipt_outcome_known"),
                    models.UniqueConstraint(
                        fields=["message"], condition=Q(outcome="accepted"), name="accepted_once"
                    ),
                ],
            },
        ),
    ]
