import django.db.models.deletion
from django.conf import settings
from django.db import migrations, models
from django.db.models import Q

import hospital.common.clock
import hospital.common.crypto
import hospital.common.ids


class Migration(migrations.Migration):
    dependencies = [
        ("records", "0008_pictures_follow_a_merge"),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]
    operations = [
        migrations.CreateModel(
            name="MissingView",
            fields=[
                (
                    "id",
                    models.UUIDField(default=hospital.common.ids.uuid7, primary_key=True, serialize=False),
                ),
                ("exam_id", models.UUIDField()),
                ("view", models.CharField(max_length=64)),
                ("reason", models.CharField(max_length=8)),
                ("text", hospital.common.crypto.EncryptedTextField(default="")),
                ("explained", models.BooleanField(default=False)),
                ("at", models.DateTimeField(default=hospital.common.clock.now)),
                (
                    "by",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
            ],
            options={
                "constraints": [
                    models.UniqueConstraint(fields=("exam_id", "view"), name="missing_view_once"),
                    models.CheckConstraint(
                        condition=Q(reason__in=("gas", "habitus", "refused", "other")),
                        name="missing_view_reason_known",
                    ),
                    models.CheckConstraint(
                        condition=~Q(reason="other") | Q(explained=True), name="missing_view_other_explained"
                    ),
                ],
            },
        ),
    ]
