import django.db.models.deletion
import hospital.common.clock
import hospital.common.ids
from django.db import migrations, models


FORWARD = """
CREATE FUNCTION turnover_tick_stays() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  RAISE EXCEPTION 'a signed turnover is corrected by a further row' USING ERRCODE = 'insufficient_privilege';
END $$;
CREATE TRIGGER turnover_tick_stays BEFORE UPDATE ON teleconsult_turnovertick
  FOR EACH ROW EXECUTE FUNCTION turnover_tick_stays();
"""
BACKWARD = """
DROP TRIGGER turnover_tick_stays ON teleconsult_turnovertick;
DROP FUNCTION turnover_tick_stays();
"""


class Migration(migrations.Migration):

    dependencies = [
        ('access', '0010_new_totp'),
        ('fleet', '0002_use_file'),
        ('scheduling', '0004_exam_type_keepers'),
        ('teleconsult', '0008_calendar_feeds'),
    ]

    operations = [
        migrations.CreateModel(
            name='Turnover',
            fields=[
                ('id', models.UUIDField(default=hospital.common.ids.uuid7, primary_key=True, serialize=False)),
                ('begun_at', models.DateTimeField(default=hospital.common.clock.now)),
                ('exam', models.OneToOneField(on_delete=django.db.models.deletion.CASCADE, related_name='turnover', to='teleconsult.exam')),
                ('institution', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='+', to='access.institution')),
                ('probe', models.ForeignKey(null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to='scheduling.resource')),
                ('robot', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='+', to='fleet.robot')),
                ('room', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='+', to='scheduling.resource')),
            ],
        ),
        migrations.CreateModel(
            name='TurnoverTick',
            fields=[
                ('id', models.UUIDField(default=hospital.common.ids.uuid7, primary_key=True, serialize=False)),
                ('item', models.CharField(max_length=20)),
                ('step', models.PositiveSmallIntegerField()),
                ('done', models.BooleanField()),
                ('means', models.CharField(blank=True, max_length=20)),
                ('reason', models.TextField(blank=True)),
                ('at', models.DateTimeField(default=hospital.common.clock.now)),
                ('by', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='+', to='access.user')),
                ('turnover', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='ticks', to='teleconsult.turnover')),
            ],
        ),
        migrations.AddIndex(
            model_name='turnover',
            index=models.Index(fields=['robot', 'begun_at'], name='turnover_of_robot'),
        ),
        migrations.AddIndex(
            model_name='turnover',
            index=models.Index(fields=['room', 'begun_at'], name='turnover_of_room'),
        ),
        migrations.AddConstraint(
            model_name='turnovertick',
            constraint=models.UniqueConstraint(fields=('turnover', 'item', 'step'), name='turnover_step_once'),
        ),
        migrations.AddConstraint(
            model_name='turnovertick',
            constraint=models.CheckConstraint(condition=models.Q(('item__in', ('probe_disinfected', 'arm_wiped', 'arm_parked', 'gel_refilled', 'paper_changed'))), name='turnover_item_known'),
        ),
        migrations.AddConstraint(
            model_name='turnovertick',
            constraint=models.CheckConstraint(condition=models.Q(('step__gte', 1)), name='turnover_steps_from_one'),
        ),
        migrations.AddConstraint(
            model_name='turnovertick',
            constraint=models.CheckConstraint(condition=models.Q(models.Q(('done', True), ('item__in', ['probe_disinfected']), ('means__in', ['quat_wipe', 'peroxide_wipe', 'alcohol_wipe'])), ('means', ''), _connector='OR'), name='turnover_means_known'),
        ),
        migrations.AddConstraint(
            model_name='turnovertick',
            constraint=models.CheckConstraint(condition=models.Q(('done', True), ('item__in', ['probe_disinfected']), ('means', ''), _negated=True), name='turnover_means_said'),
        ),
        migrations.AddConstraint(
            model_name='turnovertick',
            constraint=models.CheckConstraint(condition=models.Q(('done', True), models.Q(('reason', ''), _negated=True), _connector='OR'), name='turnover_taken_back_with_reason'),
        ),
        migrations.RunSQL(FORWARD, BACKWARD),
    ]
