from django.db import migrations, models

import hospital.common.clock
import hospital.common.ids


class Migration(migrations.Migration):
    initial = True

    dependencies = []

    operations = [
        migrations.CreateModel(
            name="AuditEntry",
            fields=[
                (
                    "id",
                    models.UUIDField(default=hospital.common.ids.uuid7, primary_key=True, serialize=False),
                ),
                ("at", models.DateTimeField(db_index=True, default=hospital.common.clock.now)),
                ("actor_kind", models.CharField(max_length=10)),
                ("actor_id", models.UUIDField(db_index=True)),
                ("institution_id", models.UUIDField(null=True)),
                ("action", models.CharField(max_length=60)),
                ("object_kind", models.CharField(max_length=40)),
                ("object_id", models.UUIDField(db_index=True, null=True)),
                ("outcome", models.CharField(default="success", max_length=10)),
                ("reason", models.TextField(blank=True)),
                ("details", models.JSONField(default=dict)),
            ],
        ),
    ]
