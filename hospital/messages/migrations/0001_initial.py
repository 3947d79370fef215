from django.db import migrations, models

import hospital.common.clock
import hospital.common.crypto
import hospital.common.ids


class Migration(migrations.Migration):
    initial = True

    dependencies = []

    operations = [
        migrations.CreateModel(
            name="Message",
            fields=[
                (
                    "id",
                    models.UUIDField(default=hospital.common.ids.uuid7, primary_key=True, serialize=False),
                ),
                (
                    "channel",
                    models.CharField(
                        choices=[("sms", "SMS"), ("voice", "voice"), ("email", "e-mail")], max_length=8
                    ),
                ),
                ("to", hospital.common.crypto.EncryptedTextField(editable=True)),
                ("to_index", models.BinaryField(db_index=True, max_length=32)),
                ("template", models.CharField(max_length=40)),
                ("text", hospital.common.crypto.EncryptedTextField(editable=True)),
                ("code", hospital.common.crypto.EncryptedTextField(editable=True, null=True)),
                ("status", models.CharField(default="queued", max_length=8)),
                ("created_at", models.DateTimeField(default=hospital.common.clock.now)),
                ("sent_at", models.DateTimeField(null=True)),
            ],
        ),
    ]
