from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("records", "0006_measures")]
    operations = [
        migrations.AddField("image", "offset_x", models.PositiveIntegerField(default=0)),
        migrations.AddField("image", "offset_y", models.PositiveIntegerField(default=0)),
    ]
