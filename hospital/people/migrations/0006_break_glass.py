import datetime
import django.db.models.deletion
import django.db.models.expressions
import hospital.common.clock
import hospital.common.crypto
import hospital.common.ids
from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('access', '0003_sessions'),
        ('people', '0005_delegation'),
    ]

    operations = [
        migrations.CreateModel(
            name='BreakGlass',
            fields=[
                ('id', models.UUIDField(default=hospital.common.ids.uuid7, primary_key=True, serialize=False)),
                ('reason', hospital.common.crypto.EncryptedTextField(editable=True)),
                ('began_at', models.DateTimeField(default=hospital.common.clock.now)),
                ('ends_at', models.DateTimeField()),
                ('reviewed_at', models.DateTimeField(null=True)),
                ('verdict', models.CharField(blank=True, max_length=13)),
                ('review_note', hospital.common.crypto.EncryptedTextField(default='', editable=True)),
                ('institution', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='+', to='access.institution')),
                ('patient', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='+', to='people.patient')),
                ('reviewed_by', models.ForeignKey(null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to='access.user')),
                ('user', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='+', to='access.user')),
            ],
            options={
                'constraints': [models.CheckConstraint(condition=models.Q(('ends_at__gt', models.F('began_at')), ('ends_at__lte', django.db.models.expressions.CombinedExpression(models.F('began_at'), '+', models.Value(datetime.timedelta(seconds=14400))))), name='break_glass_four_hours'), models.CheckConstraint(condition=models.Q(models.Q(('reviewed_at', None), ('verdict', '')), models.Q(('reviewed_at__isnull', False), ('verdict__in', ['justified', 'not_justified']), models.Q(('reviewed_by', models.F('user')), _negated=True)), _connector='OR'), name='break_glass_reviewed_by_another')],
            },
        ),
    ]
