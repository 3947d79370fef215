from __future__ import annotations

from django.db import migrations

FORWARD = """
-- A patient goes only with an erasure that names them.
CREATE FUNCTION people_patient_stays() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  IF keeping_may_go(ARRAY[OLD.id]) THEN
    RETURN OLD;
  END IF;
  RAISE EXCEPTION 'a patient is never deleted inside the time of the record'
    USING ERRCODE = 'integrity_constraint_violation';
END $$;
CREATE TRIGGER people_patient_stays BEFORE DELETE ON people_patient
  FOR EACH ROW EXECUTE FUNCTION people_patient_stays();
"""
BACKWARD = """
DROP TRIGGER people_patient_stays ON people_patient;
DROP FUNCTION people_patient_stays();
"""


class Migration(migrations.Migration):
    dependencies = [("people", "0011_carried_over"), ("keeping", "0002_the_database_agrees")]
    operations = [migrations.RunSQL(FORWARD, BACKWARD)]
