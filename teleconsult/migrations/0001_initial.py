
import django.db.models.deletion
import hospital.common.clock
import hospital.common.crypto
import hospital.common.ids
import teleconsult.states
from django.db import migrations, models


class Migration(migrations.Migration):

    initial = True

    dependencies = [
        ('access', '0001_initial'),
        ('fleet', '0001_initial'),
        ('people', '0001_initial'),
        ('scheduling', '0001_initial'),
    ]

    operations = [
        migrations.CreateModel(
            name='Exam',
            fields=[
                ('id', models.UUIDField(default=hospital.common.ids.uuid7, primary_key=True, serialize=False)),
                ('accession', models.CharField(max_length=16, unique=True)),
                ('study_uid', models.CharField(default=hospital.common.ids.dicom_uid, max_length=64, unique=True)),
                ('state', models.CharField(default=teleconsult.states.State['BOOKED'], max_length=12)),
                ('starts_at', models.DateTimeField(db_index=True)),
                ('ends_at', models.DateTimeField()),
                ('clinical_question', hospital.common.crypto.EncryptedTextField(editable=True)),
                ('history', hospital.common.crypto.EncryptedTextField(default='', editable=True)),
                ('checked_in_at', models.DateTimeField(null=True)),
                ('ready_at', models.DateTimeField(null=True)),
                ('started_at', models.DateTimeField(null=True)),
                ('ended_at', models.DateTimeField(null=True)),
                ('end_code', models.CharField(blank=True, max_length=40)),
                ('end_reason', models.TextField(blank=True)),
                ('created_at', models.DateTimeField(default=hospital.common.clock.now)),
                ('appointment', models.OneToOneField(on_delete=django.db.models.deletion.PROTECT, related_name='exam', to='scheduling.appointment')),
                ('bedside_physician', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='+', to='access.user')),
                ('booked_by', models.ForeignKey(null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to='access.user')),
                ('exam_type', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='+', to='scheduling.examtype')),
                ('patient', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='exams', to='people.patient')),
                ('performing_institution', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='+', to='access.institution')),
                ('remote_physician', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='+', to='access.user')),
                ('requesting_institution', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='+', to='access.institution')),
                ('robot', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='exams', to='fleet.robot')),
                ('room', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='+', to='scheduling.resource')),
            ],
        ),
        migrations.CreateModel(
            name='ExamTransition',
            fields=[
                ('id', models.UUIDField(default=hospital.common.ids.uuid7, primary_key=True, serialize=False)),
                ('command', models.CharField(max_length=20)),
                ('before', models.CharField(max_length=12)),
                ('after', models.CharField(max_length=12)),
                ('by_id', models.UUIDField()),
                ('by_kind', models.CharField(max_length=10)),
                ('reason', models.TextField(blank=True)),
                ('at', models.DateTimeField(default=hospital.common.clock.now)),
                ('exam', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='transitions', to='teleconsult.exam')),
            ],
        ),
        migrations.CreateModel(
            name='IdentifierCheck',
            fields=[
                ('id', models.UUIDField(default=hospital.common.ids.uuid7, primary_key=True, serialize=False)),
                ('end', models.CharField(max_length=10)),
                ('confirmed', models.JSONField()),
                ('at', models.DateTimeField(default=hospital.common.clock.now)),
                ('by', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='+', to='access.user')),
                ('exam', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='identifier_checks', to='teleconsult.exam')),
            ],
        ),
        migrations.CreateModel(
            name='LinkQuality',
            fields=[
                ('id', models.UUIDField(default=hospital.common.ids.uuid7, primary_key=True, serialize=False)),
                ('at', models.DateTimeField(default=hospital.common.clock.now)),
                ('rtt_p50_ms', models.FloatField()),
                ('rtt_p95_ms', models.FloatField()),
                ('loss_pct', models.FloatField()),
                ('jitter_ms', models.FloatField()),
                ('fps', models.FloatField()),
                ('seconds', models.FloatField()),
                ('good', models.BooleanField()),
                ('exam', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='link_qualities', to='teleconsult.exam')),
            ],
        ),
        migrations.CreateModel(
            name='Presence',
            fields=[
                ('id', models.UUIDField(default=hospital.common.ids.uuid7, primary_key=True, serialize=False)),
                ('role', models.CharField(max_length=10)),
                ('peer_id', models.CharField(max_length=40)),
                ('fingerprint', models.CharField(blank=True, max_length=120)),
                ('since', models.DateTimeField(default=hospital.common.clock.now)),
                ('last_seen_at', models.DateTimeField(default=hospital.common.clock.now)),
                ('exam', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='presences', to='teleconsult.exam')),
                ('user', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='+', to='access.user')),
            ],
        ),
        migrations.CreateModel(
            name='Checklist',
            fields=[
                ('exam', models.OneToOneField(on_delete=django.db.models.deletion.CASCADE, primary_key=True, related_name='checklist', serialize=False, to='teleconsult.exam')),
                ('answers', hospital.common.crypto.EncryptedTextField(editable=True)),
                ('concerns', models.JSONField(default=list)),
                ('answered_at', models.DateTimeField(default=hospital.common.clock.now)),
                ('agreed_bedside_at', models.DateTimeField(null=True)),
                ('agreed_remote_at', models.DateTimeField(null=True)),
                ('answered_by', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='+', to='access.user')),
            ],
        ),
        migrations.AddConstraint(
            model_name='exam',
            constraint=models.CheckConstraint(condition=models.Q(('state__in', ['booked', 'checked_in', 'ready', 'live', 'paused', 'ended', 'reported', 'cancelled', 'no_show', 'aborted'])), name='exam_state_known'),
        ),
        migrations.AddConstraint(
            model_name='exam',
            constraint=models.CheckConstraint(condition=models.Q(('ends_at__gt', models.F('starts_at'))), name='exam_ends_after_start'),
        ),
        migrations.AddConstraint(
            model_name='exam',
            constraint=models.CheckConstraint(condition=models.Q(('remote_physician', models.F('bedside_physician')), _negated=True), name='exam_two_different_physicians'),
        ),
        migrations.AddConstraint(
            model_name='identifiercheck',
            constraint=models.UniqueConstraint(fields=('exam', 'end'), name='one_identifier_check_per_end'),
        ),
        migrations.AddConstraint(
            model_name='presence',
            constraint=models.UniqueConstraint(fields=('exam', 'role'), name='one_presence_per_role'),
        ),
    ]
