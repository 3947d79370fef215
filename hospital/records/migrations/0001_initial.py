
import django.db.models.deletion
import hospital.common.clock
import hospital.common.crypto
import hospital.common.ids
from django.db import migrations, models


class Migration(migrations.Migration):

    initial = True

    dependencies = [
        ('access', '0001_initial'),
        ('people', '0001_initial'),
    ]

    operations = [
        migrations.CreateModel(
            name='FrozenFrame',
            fields=[
                ('id', models.UUIDField(default=hospital.common.ids.uuid7, primary_key=True, serialize=False)),
                ('exam_id', models.UUIDField()),
                ('frame_id', models.BigIntegerField()),
                ('width', models.PositiveIntegerField()),
                ('height', models.PositiveIntegerField()),
                ('mm_per_px_x', models.FloatField(null=True)),
                ('mm_per_px_y', models.FloatField(null=True)),
                ('region', models.JSONField(null=True)),
                ('path', models.CharField(max_length=80)),
                ('taken_at', models.DateTimeField(default=hospital.common.clock.now)),
            ],
            options={
                'constraints': [models.UniqueConstraint(fields=('exam_id', 'frame_id'), name='frozen_frame_once')],
            },
        ),
        migrations.CreateModel(
            name='Measurement',
            fields=[
                ('id', models.UUIDField(default=hospital.common.ids.uuid7, primary_key=True, serialize=False)),
                ('exam_id', models.UUIDField(db_index=True)),
                ('frame_id', models.BigIntegerField()),
                ('kind', models.CharField(default='distance', max_length=10)),
                ('points', models.JSONField()),
                ('value_mm', models.FloatField()),
                ('label', models.CharField(blank=True, max_length=80)),
                ('at', models.DateTimeField(default=hospital.common.clock.now)),
                ('removed_at', models.DateTimeField(null=True)),
                ('by', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='+', to='access.user')),
            ],
        ),
        migrations.CreateModel(
            name='Image',
            fields=[
                ('id', models.UUIDField(default=hospital.common.ids.uuid7, primary_key=True, serialize=False)),
                ('exam_id', models.UUIDField(db_index=True)),
                ('sop_uid', models.CharField(max_length=64, unique=True)),
                ('kind', models.CharField(max_length=8)),
                ('view', models.CharField(blank=True, max_length=40)),
                ('frame_id', models.BigIntegerField()),
                ('frames', models.PositiveIntegerField(default=1)),
                ('width', models.PositiveIntegerField()),
                ('height', models.PositiveIntegerField()),
                ('mm_per_px_x', models.FloatField(null=True)),
                ('mm_per_px_y', models.FloatField(null=True)),
                ('region', models.JSONField(null=True)),
                ('path', models.CharField(max_length=80)),
                ('sha256', models.CharField(max_length=64)),
                ('size', models.PositiveBigIntegerField()),
                ('taken_at', models.DateTimeField(default=hospital.common.clock.now)),
                ('removed_at', models.DateTimeField(null=True)),
                ('removed_reason', models.TextField(blank=True)),
                ('patient', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='+', to='people.patient')),
                ('removed_by', models.ForeignKey(null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to='access.user')),
            ],
            options={
                'constraints': [models.CheckConstraint(condition=models.Q(('kind__in', ['still', 'loop'])), name='image_kind_known'), models.CheckConstraint(condition=models.Q(('removed_at', None), models.Q(('removed_reason', ''), _negated=True), _connector='OR'), name='image_removed_with_reason')],
            },
        ),
        migrations.CreateModel(
            name='Report',
            fields=[
                ('id', models.UUIDField(default=hospital.common.ids.uuid7, primary_key=True, serialize=False)),
                ('exam_id', models.UUIDField(db_index=True)),
                ('version', models.PositiveIntegerField()),
                ('status', models.CharField(default='draft', max_length=10)),
                ('findings', hospital.common.crypto.EncryptedTextField(default='', editable=True)),
                ('impression', hospital.common.crypto.EncryptedTextField(default='', editable=True)),
                ('revision', models.PositiveIntegerField(default=0)),
                ('amend_reason', models.TextField(blank=True)),
                ('signed_at', models.DateTimeField(null=True)),
                ('content', hospital.common.crypto.EncryptedTextField(editable=True, null=True)),
                ('content_sha256', models.CharField(blank=True, max_length=64)),
                ('created_at', models.DateTimeField(default=hospital.common.clock.now)),
                ('saved_at', models.DateTimeField(default=hospital.common.clock.now)),
                ('author', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='+', to='access.user')),
                ('previous', models.ForeignKey(null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to='records.report')),
                ('signed_by', models.ForeignKey(null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to='access.user')),
            ],
            options={
                'constraints': [models.UniqueConstraint(fields=('exam_id', 'version'), name='report_version_once'), models.UniqueConstraint(condition=models.Q(('status', 'draft')), fields=('exam_id',), name='one_draft_per_exam'), models.UniqueConstraint(condition=models.Q(('status', 'signed')), fields=('exam_id',), name='one_signed_per_exam'), models.CheckConstraint(condition=models.Q(models.Q(('signed_at', None), ('status', 'draft')), models.Q(('signed_at__isnull', False), ('status__in', ['signed', 'superseded'])), _connector='OR'), name='report_status_known')],
            },
        ),
    ]
