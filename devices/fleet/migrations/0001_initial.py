
import django.db.models.deletion
import hospital.common.clock
import hospital.common.ids
from django.db import migrations, models


class Migration(migrations.Migration):

    initial = True

    dependencies = [
        ('access', '0001_initial'),
        ('scheduling', '0001_initial'),
    ]

    operations = [
        migrations.CreateModel(
            name='RobotNonce',
            fields=[
                ('jti', models.CharField(max_length=64, primary_key=True, serialize=False)),
                ('expires_at', models.DateTimeField()),
            ],
        ),
        migrations.CreateModel(
            name='Robot',
            fields=[
                ('id', models.UUIDField(default=hospital.common.ids.uuid7, primary_key=True, serialize=False)),
                ('name', models.CharField(max_length=80)),
                ('name_en', models.CharField(blank=True, max_length=80)),
                ('public_key_pem', models.TextField(blank=True)),
                ('pairing_code_sha256', models.CharField(blank=True, max_length=64)),
                ('pairing_expires_at', models.DateTimeField(null=True)),
                ('paired_at', models.DateTimeField(null=True)),
                ('revoked_at', models.DateTimeField(null=True)),
                ('last_epoch', models.BigIntegerField(default=0)),
                ('calibration_due_on', models.DateField()),
                ('maintenance_due_on', models.DateField()),
                ('connection', models.CharField(blank=True, max_length=64)),
                ('last_seen_at', models.DateTimeField(null=True)),
                ('hello', models.JSONField(default=dict)),
                ('status', models.JSONField(default=dict)),
                ('institution', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='+', to='access.institution')),
                ('resource', models.OneToOneField(on_delete=django.db.models.deletion.PROTECT, related_name='robot', to='scheduling.resource')),
            ],
        ),
        migrations.CreateModel(
            name='SelfTest',
            fields=[
                ('id', models.UUIDField(default=hospital.common.ids.uuid7, primary_key=True, serialize=False)),
                ('exam_id', models.UUIDField(db_index=True)),
                ('asked_at', models.DateTimeField(default=hospital.common.clock.now)),
                ('finished_at', models.DateTimeField(null=True)),
                ('passed', models.BooleanField(null=True)),
                ('checks', models.JSONField(default=list)),
                ('asked_by', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='+', to='access.user')),
                ('robot', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='self_tests', to='fleet.robot')),
            ],
        ),
        migrations.CreateModel(
            name='ControlLease',
            fields=[
                ('id', models.UUIDField(default=hospital.common.ids.uuid7, primary_key=True, serialize=False)),
                ('epoch', models.BigIntegerField()),
                ('serial', models.BigIntegerField(default=0)),
                ('exam_id', models.UUIDField(db_index=True)),
                ('peer_id', models.CharField(max_length=40)),
                ('fingerprint', models.CharField(max_length=120)),
                ('granted_at', models.DateTimeField(default=hospital.common.clock.now)),
                ('expires_at', models.DateTimeField()),
                ('released_at', models.DateTimeField(null=True)),
                ('release_code', models.CharField(blank=True, max_length=40)),
                ('holder', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='+', to='access.user')),
                ('robot', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='leases', to='fleet.robot')),
            ],
            options={
                'constraints': [models.UniqueConstraint(condition=models.Q(('released_at', None)), fields=('robot',), name='one_live_lease_per_robot'), models.UniqueConstraint(fields=('robot', 'epoch'), name='lease_epoch_once')],
            },
        ),
        migrations.CreateModel(
            name='RobotEvent',
            fields=[
                ('id', models.UUIDField(default=hospital.common.ids.uuid7, primary_key=True, serialize=False)),
                ('serial', models.BigIntegerField()),
                ('at', models.DateTimeField()),
                ('kind', models.CharField(max_length=40)),
                ('exam_id', models.UUIDField(db_index=True, null=True)),
                ('data', models.JSONField(default=dict)),
                ('received_at', models.DateTimeField(default=hospital.common.clock.now)),
                ('robot', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='events', to='fleet.robot')),
            ],
            options={
                'constraints': [models.UniqueConstraint(fields=('robot', 'serial', 'at'), name='robot_event_once')],
            },
        ),
    ]
