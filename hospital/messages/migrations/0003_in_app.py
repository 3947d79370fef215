from __future__ import annotations

from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('messages', '0002_message_expires_at'),
    ]

    operations = [
        migrations.AlterField(
            model_name='message',
            name='channel',
            field=models.CharField(choices=[('sms', 'SMS'), ('voice', 'voice'), ('email', 'e-mail'), ('in_app', 'in the pages')], max_length=8),
        ),
    ]
