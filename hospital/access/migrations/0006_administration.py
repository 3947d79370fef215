from __future__ import annotations

import django.db.models.deletion
import hospital.common.clock
import hospital.common.crypto
import hospital.common.ids
from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('access', '0005_peers'),
    ]

    operations = [
        migrations.CreateModel(
            name='Activation',
            fields=[
                ('id', models.UUIDField(default=hospital.common.ids.uuid7, primary_key=True, serialize=False)),
                ('purpose', models.CharField(choices=[('new', 'new'), ('reset', 'reset')], max_length=10)),
                ('created_at', models.DateTimeField(default=hospital.common.clock.now)),
                ('approved_at', models.DateTimeField(null=True)),
                ('expires_at', models.DateTimeField(null=True)),
                ('code_digest', models.BinaryField(max_length=32, null=True)),
                ('totp_secret', hospital.common.crypto.EncryptedTextField(default='', editable=True)),
                ('attempts', models.PositiveSmallIntegerField(default=0)),
                ('used_at', models.DateTimeField(null=True)),
                ('closed_at', models.DateTimeField(null=True)),
            ],
        ),
        migrations.AddField(
            model_name='membership',
            name='granted_by',
            field=models.ForeignKey(null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to='access.user'),
        ),
        migrations.AddField(
            model_name='user',
            name='deactivated_at',
            field=models.DateTimeField(null=True),
        ),
        migrations.AddConstraint(
            model_name='membership',
            constraint=models.CheckConstraint(condition=models.Q(('granted_by', models.F('user')), _negated=True), name='nobody_grants_himself'),
        ),
        migrations.AddField(
            model_name='activation',
            name='approved_by',
            field=models.ForeignKey(null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to='access.user'),
        ),
        migrations.AddField(
            model_name='activation',
            name='asked_by',
            field=models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='+', to='access.user'),
        ),
        migrations.AddField(
            model_name='activation',
            name='user',
            field=models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='activations', to='access.user'),
        ),
        migrations.AddConstraint(
            model_name='activation',
            constraint=models.UniqueConstraint(condition=models.Q(('closed_at', None), ('used_at', None)), fields=('user',), name='one_open_activation'),
        ),
        migrations.AddConstraint(
            model_name='activation',
            constraint=models.CheckConstraint(condition=models.Q(models.Q(('asked_by', models.F('user')), _negated=True), models.Q(('approved_by', models.F('user')), _negated=True), models.Q(('approved_by', models.F('asked_by')), _negated=True)), name='activation_by_others'),
        ),
        migrations.AddConstraint(
            model_name='activation',
            constraint=models.CheckConstraint(condition=models.Q(('purpose', 'new'), ('code_digest', None), ('approved_by__isnull', False), _connector='OR'), name='reset_by_two_people'),
        ),
    ]
