import django.db.models.deletion
from django.db import migrations, models

import hospital.common.crypto


class Migration(migrations.Migration):

    dependencies = [
        ('access', '0009_bedside_tablets'),
    ]

    operations = [
        migrations.CreateModel(
            name='NewTotp',
            fields=[
                ('user', models.OneToOneField(on_delete=django.db.models.deletion.CASCADE, primary_key=True, related_name='+', serialize=False, to='access.user')),
                ('secret', hospital.common.crypto.EncryptedTextField()),
                ('attempts', models.PositiveSmallIntegerField(default=0)),
                ('expires_at', models.DateTimeField()),
                ('token', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='+', to='access.accesstoken')),
            ],
        ),
    ]
