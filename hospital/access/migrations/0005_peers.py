from __future__ import annotations

import django.db.models.deletion
import hospital.common.clock
import hospital.common.ids
from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('access', '0004_security_keys'),
    ]

    operations = [
        migrations.CreateModel(
            name='Peer',
            fields=[
                ('id', models.UUIDField(default=hospital.common.ids.uuid7, primary_key=True, serialize=False)),
                ('kid', models.CharField(max_length=16)),
                ('algorithm', models.CharField(max_length=5)),
                ('public_key_pem', models.TextField()),
                ('registered_at', models.DateTimeField(default=hospital.common.clock.now)),
                ('expires_at', models.DateTimeField()),
                ('revoked_at', models.DateTimeField(null=True)),
                ('institution', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='+', to='access.institution')),
                ('keeper', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='+', to='access.institution')),
                ('registered_by', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='+', to='access.user')),
                ('revoked_by', models.ForeignKey(null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to='access.user')),
            ],
        ),
        migrations.CreateModel(
            name='PeerNonce',
            fields=[
                ('id', models.BigAutoField(primary_key=True, serialize=False)),
                ('jti_sha256', models.BinaryField(max_length=32)),
                ('expires_at', models.DateTimeField(db_index=True)),
                ('peer', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='+', to='access.peer')),
            ],
        ),
        migrations.AddConstraint(
            model_name='peer',
            constraint=models.UniqueConstraint(fields=('keeper', 'kid'), name='peer_key_once'),
        ),
        migrations.AddConstraint(
            model_name='peer',
            constraint=models.CheckConstraint(condition=models.Q(('institution', models.F('keeper')), _negated=True), name='peer_is_another_institution'),
        ),
        migrations.AddConstraint(
            model_name='peer',
            constraint=models.CheckConstraint(condition=models.Q(('algorithm__in', ['EdDSA', 'ES256'])), name='peer_algorithm_known'),
        ),
        migrations.AddConstraint(
            model_name='peernonce',
            constraint=models.UniqueConstraint(fields=('peer', 'jti_sha256'), name='peer_jti_once'),
        ),
    ]
