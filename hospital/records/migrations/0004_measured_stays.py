from __future__ import annotations

from django.db import migrations

FORWARD = """
-- A frozen frame and its calibration are what millimetres were computed from: they never change.
CREATE FUNCTION frozen_frame_stays() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  RAISE EXCEPTION 'a frozen frame never changes' USING ERRCODE = 'integrity_constraint_violation';
END $$;
CREATE TRIGGER frozen_frame_stays BEFORE UPDATE OR DELETE ON records_frozenframe
  FOR EACH ROW EXECUTE FUNCTION frozen_frame_stays();

-- A measurement's value and points never change; only its removal may be noted, once.
CREATE FUNCTION measurement_stays() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  IF TG_OP = 'DELETE' OR OLD.removed_at IS NOT NULL
     OR (to_jsonb(NEW) - '{removed_at,removed_by_id}'::text[])
        IS DISTINCT FROM (to_jsonb(OLD) - '{removed_at,removed_by_id}'::text[]) THEN
    RAISE EXCEPTION 'a measurement never changes' USING ERRCODE = 'integrity_constraint_violation';
  END IF;
  RETURN NEW;
END $$;
CREATE TRIGGER measurement_stays BEFORE UPDATE OR DELETE ON records_measurement
  FOR EACH ROW EXECUTE FUNCTION measurement_stays();
"""
BACKWARD = """
DROP TRIGGER frozen_frame_stays ON records_frozenframe;
DROP FUNCTION frozen_frame_stays();
DROP TRIGGER measurement_stays ON records_measurement;
DROP FUNCTION measurement_stays();
"""


class Migration(migrations.Migration):
    dependencies = [("records", "0003_signed_complete")]
    operations = [migrations.RunSQL(FORWARD, BACKWARD)]
