from __future__ import annotations

from django.db import migrations, models

FORWARD = """
-- The use file goes only with an erasure that names its robot, and that only when the device's clock is over.
CREATE FUNCTION fleet_use_file_stays() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  IF keeping_may_go(ARRAY[OLD.robot_id]) THEN
    RETURN OLD;
  END IF;
  RAISE EXCEPTION 'a robot''s use file is kept' USING ERRCODE = 'integrity_constraint_violation';
END $$;
CREATE TRIGGER fleet_use_file_stays BEFORE DELETE ON fleet_controllease
  FOR EACH ROW EXECUTE FUNCTION fleet_use_file_stays();
CREATE TRIGGER fleet_use_file_stays BEFORE DELETE ON fleet_selftest
  FOR EACH ROW EXECUTE FUNCTION fleet_use_file_stays();
CREATE TRIGGER fleet_use_file_stays BEFORE DELETE ON fleet_robotevent
  FOR EACH ROW EXECUTE FUNCTION fleet_use_file_stays();
"""
BACKWARD = """
DROP TRIGGER fleet_use_file_stays ON fleet_controllease;
DROP TRIGGER fleet_use_file_stays ON fleet_selftest;
DROP TRIGGER fleet_use_file_stays ON fleet_robotevent;
DROP FUNCTION fleet_use_file_stays();
"""


class Migration(migrations.Migration):
    dependencies = [("fleet", "0001_initial"), ("keeping", "0002_the_database_agrees")]
    operations = [
        migrations.AddField("robot", "retired_at", models.DateTimeField(null=True)),
        migrations.RunSQL(FORWARD, BACKWARD),
    ]
