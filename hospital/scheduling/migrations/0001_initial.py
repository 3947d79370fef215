
import django.contrib.postgres.constraints
import django.contrib.postgres.fields.ranges
import django.db.models.deletion
import hospital.common.clock
import hospital.common.ids
from django.contrib.postgres.operations import BtreeGistExtension
from django.db import migrations, models


class Migration(migrations.Migration):

    initial = True

    dependencies = [
        ('access', '0001_initial'),
    ]

    operations = [
        BtreeGistExtension(),
        migrations.CreateModel(
            name='ExamType',
            fields=[
                ('code', models.CharField(max_length=40, primary_key=True, serialize=False)),
                ('name_zh', models.CharField(max_length=80)),
                ('name_en', models.CharField(max_length=80)),
                ('minutes', models.PositiveSmallIntegerField()),
                ('service', models.CharField(max_length=40)),
                ('preparation_zh', models.TextField(blank=True)),
                ('preparation_en', models.TextField(blank=True)),
                ('views', models.JSONField(default=list)),
            ],
        ),
        migrations.CreateModel(
            name='Appointment',
            fields=[
                ('id', models.UUIDField(default=hospital.common.ids.uuid7, primary_key=True, serialize=False)),
                ('starts_at', models.DateTimeField()),
                ('ends_at', models.DateTimeField()),
                ('status', models.CharField(default='booked', max_length=10)),
                ('cancel_reason', models.TextField(blank=True)),
                ('created_by_id', models.UUIDField()),
                ('created_at', models.DateTimeField(default=hospital.common.clock.now)),
            ],
            options={
                'constraints': [models.CheckConstraint(condition=models.Q(('ends_at__gt', models.F('starts_at'))), name='appointment_ends_after_start'), models.CheckConstraint(condition=models.Q(('status__in', ('booked', 'cancelled', 'fulfilled', 'noshow', 'aborted'))), name='appointment_status_known')],
            },
        ),
        migrations.CreateModel(
            name='Resource',
            fields=[
                ('id', models.UUIDField(default=hospital.common.ids.uuid7, primary_key=True, serialize=False)),
                ('kind', models.CharField(max_length=8)),
                ('name', models.CharField(max_length=80)),
                ('name_en', models.CharField(blank=True, max_length=80)),
                ('active', models.BooleanField(default=True)),
                ('institution', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='resources', to='access.institution')),
                ('user', models.OneToOneField(null=True, on_delete=django.db.models.deletion.PROTECT, related_name='resource', to='access.user')),
            ],
        ),
        migrations.CreateModel(
            name='Reservation',
            fields=[
                ('id', models.UUIDField(default=hospital.common.ids.uuid7, primary_key=True, serialize=False)),
                ('period', django.contrib.postgres.fields.ranges.DateTimeRangeField()),
                ('status', models.CharField(default='booked', max_length=10)),
                ('expires_at', models.DateTimeField(null=True)),
                ('appointment', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='reservations', to='scheduling.appointment')),
                ('resource', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='reservations', to='scheduling.resource')),
            ],
        ),
        migrations.AddConstraint(
            model_name='resource',
            constraint=models.CheckConstraint(condition=models.Q(('kind__in', ['person', 'room', 'robot'])), name='resource_kind_known'),
        ),
        migrations.AddConstraint(
            model_name='resource',
            constraint=models.CheckConstraint(condition=models.Q(models.Q(('kind', 'person'), ('user__isnull', False)), models.Q(models.Q(('kind', 'person'), _negated=True), ('user', None)), _connector='OR'), name='resource_user_iff_person'),
        ),
        migrations.AddConstraint(
            model_name='reservation',
            constraint=django.contrib.postgres.constraints.ExclusionConstraint(condition=models.Q(('status__in', ['hold', 'booked'])), expressions=[('resource', '='), ('period', '&&')], name='no_resource_twice'),
        ),
        migrations.AddConstraint(
            model_name='reservation',
            constraint=models.CheckConstraint(condition=models.Q(('status__in', ['hold', 'booked', 'released'])), name='reservation_status_known'),
        ),
        migrations.AddConstraint(
            model_name='reservation',
            constraint=models.CheckConstraint(condition=models.Q(models.Q(('status', 'hold'), _negated=True), ('expires_at__isnull', False), _connector='OR'), name='reservation_hold_expires'),
        ),
        migrations.AddConstraint(
            model_name='reservation',
            constraint=models.CheckConstraint(condition=models.Q(('period__isempty', False)), name='reservation_period_not_empty'),
        ),
    ]
