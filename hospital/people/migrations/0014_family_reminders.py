from __future__ import annotations

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("people", "0013_message_wishes")]

    operations = [
        migrations.RemoveConstraint("messagewish", "message_wish_refusable"),
        migrations.AddConstraint(
            "messagewish",
            models.CheckConstraint(
                condition=models.Q(refused__contained_by=["booked", "family", "reminder"]),
                name="message_wish_refusable",
            ),
        ),
    ]
