import django.db.models.deletion
from django.db import migrations, models

import hospital.common.clock
import hospital.common.ids


class Migration(migrations.Migration):
    dependencies = [("access", "0002_one_administration_each")]

    operations = [
        migrations.AddField(
            "user", "password_set_at", models.DateTimeField(default=hospital.common.clock.now)
        ),
        migrations.AddField(
            "accesstoken", "last_used_at", models.DateTimeField(default=hospital.common.clock.now)
        ),
        migrations.AddField("accesstoken", "idle_s", models.PositiveIntegerField(null=True)),
        migrations.AddField("accesstoken", "address", models.CharField(blank=True, default="", max_length=45), preserve_default=False),
        migrations.AddField("accesstoken", "agent", models.CharField(blank=True, default="", max_length=200), preserve_default=False),
        migrations.AddField("accesstoken", "family", models.UUIDField(db_index=True, null=True)),
        migrations.CreateModel(
            "RefreshToken",
            [
                ("id", models.UUIDField(default=hospital.common.ids.uuid7, primary_key=True, serialize=False)),
                ("digest", models.BinaryField(max_length=32, unique=True)),
                ("family", models.UUIDField(db_index=True)),
                ("created_at", models.DateTimeField(default=hospital.common.clock.now)),
                ("expires_at", models.DateTimeField()),
                ("used_at", models.DateTimeField(null=True)),
                ("revoked_at", models.DateTimeField(null=True)),
                (
                    "account",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="refresh_tokens",
                        to="access.patientaccount",
                    ),
                ),
            ],
        ),
    ]
