from django.db import migrations, models
from django.db.models import Q


class Migration(migrations.Migration):
    dependencies = [("records", "0005_view_length")]
    operations = [
        migrations.AddField("frozenframe", "more_regions", models.JSONField(default=list)),
        migrations.AddField("measurement", "frame_ids", models.JSONField(default=list)),
        migrations.AddField("measurement", "values", models.JSONField(default=dict)),
        migrations.AlterField("measurement", "value_mm", models.FloatField(null=True)),
        migrations.AddConstraint(
            "measurement",
            models.CheckConstraint(
                condition=Q(kind__in=["distance", "ellipse", "volume"]), name="measurement_kind_known"
            ),
        ),
    ]
