
import hospital.common.clock
import hospital.common.crypto
import hospital.common.ids
from django.db import migrations, models


class Migration(migrations.Migration):

    initial = True

    dependencies = [
    ]

    operations = [
        migrations.CreateModel(
            name='IdempotentRequest',
            fields=[
                ('id', models.UUIDField(default=hospital.common.ids.uuid7, primary_key=True, serialize=False)),
                ('principal_id', models.UUIDField()),
                ('key', models.CharField(max_length=200)),
                ('request_sha256', models.CharField(max_length=64)),
                ('started_at', models.DateTimeField(default=hospital.common.clock.now)),
                ('status', models.PositiveSmallIntegerField(null=True)),
                ('answer', hospital.common.crypto.EncryptedTextField(editable=True, null=True)),
            ],
            options={
                'constraints': [models.UniqueConstraint(fields=('principal_id', 'key'), name='one_request_per_key')],
            },
        ),
        migrations.CreateModel(
            name='Work',
            fields=[
                ('id', models.UUIDField(default=hospital.common.ids.uuid7, primary_key=True, serialize=False)),
                ('kind', models.CharField(max_length=60)),
                ('key', models.CharField(max_length=120)),
                ('payload', models.JSONField(default=dict)),
                ('due_at', models.DateTimeField(default=hospital.common.clock.now)),
                ('attempts', models.PositiveIntegerField(default=0)),
                ('fence', models.UUIDField(null=True)),
                ('taken_until', models.DateTimeField(null=True)),
                ('finished_at', models.DateTimeField(null=True)),
                ('last_error', models.TextField(blank=True)),
                ('created_at', models.DateTimeField(default=hospital.common.clock.now)),
            ],
            options={
                'indexes': [models.Index(condition=models.Q(('finished_at', None)), fields=['due_at'], name='work_due')],
                'constraints': [models.UniqueConstraint(fields=('kind', 'key'), name='work_once_per_kind_and_key')],
            },
        ),
    ]
