from __future__ import annotations

import django.db.models.deletion
import hospital.common.clock
import hospital.common.ids
from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('access', '0005_peers'),
        ('people', '0009_consent_kinds'),
    ]

    operations = [
        migrations.CreateModel(
            name='Privilege',
            fields=[
                ('id', models.UUIDField(default=hospital.common.ids.uuid7, primary_key=True, serialize=False)),
                ('level', models.CharField(max_length=11)),
                ('simulator_hours', models.PositiveSmallIntegerField(default=0)),
                ('supervised_exams', models.PositiveSmallIntegerField(default=0)),
                ('basis', models.CharField(blank=True, max_length=200)),
                ('granted_at', models.DateTimeField(default=hospital.common.clock.now)),
                ('valid_to', models.DateField()),
                ('revoked_at', models.DateTimeField(null=True)),
                ('revoked_reason', models.CharField(blank=True, max_length=500)),
            ],
        ),
        migrations.CreateModel(
            name='Registration',
            fields=[
                ('id', models.UUIDField(default=hospital.common.ids.uuid7, primary_key=True, serialize=False)),
                ('kind', models.CharField(max_length=6)),
                ('valid_from', models.DateField()),
                ('valid_to', models.DateField(null=True)),
                ('paper', models.CharField(max_length=120)),
                ('recorded_at', models.DateTimeField(default=hospital.common.clock.now)),
                ('ended_at', models.DateTimeField(null=True)),
            ],
        ),
        migrations.AddField(
            model_name='agreement',
            name='document_path',
            field=models.CharField(blank=True, max_length=80),
        ),
        migrations.AddField(
            model_name='agreement',
            name='ended_reason',
            field=models.CharField(blank=True, max_length=500),
        ),
        migrations.AddField(
            model_name='agreement',
            name='invited_recorded_by',
            field=models.ForeignKey(null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to='access.user'),
        ),
        migrations.AddField(
            model_name='agreement',
            name='invited_signatory',
            field=models.CharField(blank=True, max_length=80),
        ),
        migrations.AddField(
            model_name='agreement',
            name='inviting_recorded_by',
            field=models.ForeignKey(null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to='access.user'),
        ),
        migrations.AddField(
            model_name='agreement',
            name='inviting_signatory',
            field=models.CharField(blank=True, max_length=80),
        ),
        migrations.AddConstraint(
            model_name='agreement',
            constraint=models.CheckConstraint(condition=models.Q(('inviting_recorded_by', None), ('invited_recorded_by', None), models.Q(('inviting_recorded_by', models.F('invited_recorded_by')), _negated=True), _connector='OR'), name='agreement_signed_by_two_hands'),
        ),
        migrations.AddField(
            model_name='privilege',
            name='granted_by',
            field=models.ForeignKey(null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to='access.user'),
        ),
        migrations.AddField(
            model_name='privilege',
            name='institution',
            field=models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='+', to='access.institution'),
        ),
        migrations.AddField(
            model_name='privilege',
            name='user',
            field=models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='privileges', to='access.user'),
        ),
        migrations.AddField(
            model_name='registration',
            name='institution',
            field=models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='+', to='access.institution'),
        ),
        migrations.AddField(
            model_name='registration',
            name='recorded_by',
            field=models.ForeignKey(null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to='access.user'),
        ),
        migrations.AddField(
            model_name='registration',
            name='user',
            field=models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='registrations', to='access.user'),
        ),
        migrations.AddConstraint(
            model_name='privilege',
            constraint=models.CheckConstraint(condition=models.Q(('level__in', ('simulator', 'supervised', 'independent'))), name='privilege_level_known'),
        ),
        migrations.AddConstraint(
            model_name='privilege',
            constraint=models.CheckConstraint(condition=models.Q(models.Q(('level', 'independent'), _negated=True), models.Q(('simulator_hours__gte', 20), ('supervised_exams__gte', 10)), models.Q(('basis', ''), _negated=True), _connector='OR'), name='privilege_independent_was_earned'),
        ),
        migrations.AddConstraint(
            model_name='privilege',
            constraint=models.CheckConstraint(condition=models.Q(('granted_by', None), models.Q(('granted_by', models.F('user')), _negated=True), _connector='OR'), name='privilege_granted_by_another'),
        ),
        migrations.AddConstraint(
            model_name='privilege',
            constraint=models.UniqueConstraint(condition=models.Q(('revoked_at', None)), fields=('user', 'institution'), name='one_privilege_per_place'),
        ),
        migrations.AddConstraint(
            model_name='registration',
            constraint=models.CheckConstraint(condition=models.Q(('kind__in', ['main', 'filing'])), name='registration_kind_known'),
        ),
        migrations.AddConstraint(
            model_name='registration',
            constraint=models.CheckConstraint(condition=models.Q(('valid_to', None), ('valid_to__gte', models.F('valid_from')), _connector='OR'), name='registration_valid_range'),
        ),
        migrations.AddConstraint(
            model_name='registration',
            constraint=models.CheckConstraint(condition=models.Q(('paper', ''), _negated=True), name='registration_on_paper'),
        ),
        migrations.AddConstraint(
            model_name='registration',
            constraint=models.UniqueConstraint(condition=models.Q(('ended_at', None), ('kind', 'main')), fields=('user',), name='one_main_registration_per_person'),
        ),
    ]
