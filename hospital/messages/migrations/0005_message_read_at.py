from __future__ import annotations

from typing import Any

from django.db import migrations, models
from django.db.models import F


def old_news(apps: Any, schema_editor: Any) -> None:
    """Who read which is not known: nobody is to find a count of all that was ever told."""
    apps.get_model("messages", "Message").objects.filter(channel="in_app", status="sent").update(
        read_at=F("sent_at")
    )


class Migration(migrations.Migration):
    dependencies = [("messages", "0004_receipts_and_composed")]

    operations = [
        migrations.AddField(
            model_name="message", name="read_at", field=models.DateTimeField(null=True)
        ),
        migrations.RunPython(old_news, migrations.RunPython.noop),
    ]
