from __future__ import annotations

import django.db.models.deletion
from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('access', '0003_sessions'),
        ('people', '0008_rights'),
    ]

    operations = [
        migrations.AddField(
            model_name='consent',
            name='receiver',
            field=models.ForeignKey(null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to='access.institution'),
        ),
        migrations.AlterField(
            model_name='consent',
            name='exam_id',
            field=models.UUIDField(db_index=True, null=True),
        ),
        migrations.AddConstraint(
            model_name='consent',
            constraint=models.UniqueConstraint(condition=models.Q(('kind', 'transfer'), ('withdrawn_at', None)), fields=('patient', 'receiver'), name='one_active_transfer_per_receiver'),
        ),
        migrations.AddConstraint(
            model_name='consent',
            constraint=models.UniqueConstraint(condition=models.Q(('kind', 'wristband_monitoring'), ('withdrawn_at', None)), fields=('patient',), name='one_active_wristband_consent'),
        ),
        migrations.AddConstraint(
            model_name='consent',
            constraint=models.CheckConstraint(condition=models.Q(('kind__in', ('remote_exam', 'recording', 'wristband_monitoring', 'transfer'))), name='consent_kind_known'),
        ),
        migrations.AddConstraint(
            model_name='consent',
            constraint=models.CheckConstraint(condition=models.Q(models.Q(('kind', 'transfer'), ('receiver__isnull', False)), models.Q(models.Q(('kind', 'transfer'), _negated=True), ('receiver', None)), _connector='OR'), name='consent_transfer_names_its_receiver'),
        ),
        migrations.AddConstraint(
            model_name='consent',
            constraint=models.CheckConstraint(condition=models.Q(models.Q(('exam_id__isnull', False), ('kind__in', ('remote_exam', 'recording'))), models.Q(models.Q(('kind__in', ('remote_exam', 'recording')), _negated=True), ('exam_id', None)), _connector='OR'), name='consent_of_an_exam_names_it'),
        ),
    ]
