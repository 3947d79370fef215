from __future__ import annotations

from django.db import migrations

FORWARD = """
-- An exam goes only with an erasure that names it or its patient.
CREATE FUNCTION teleconsult_exam_stays() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  IF keeping_may_go(ARRAY[OLD.id, OLD.patient_id]) THEN
    RETURN OLD;
  END IF;
  RAISE EXCEPTION 'an exam is never deleted inside the time of the record'
    USING ERRCODE = 'integrity_constraint_violation';
END $$;
CREATE TRIGGER teleconsult_exam_stays BEFORE DELETE ON teleconsult_exam
  FOR EACH ROW EXECUTE FUNCTION teleconsult_exam_stays();
"""
BACKWARD = """
DROP TRIGGER teleconsult_exam_stays ON teleconsult_exam;
DROP FUNCTION teleconsult_exam_stays();
"""


class Migration(migrations.Migration):
    dependencies = [("teleconsult", "0003_bedside_hand_over"), ("keeping", "0002_the_database_agrees")]
    operations = [migrations.RunSQL(FORWARD, BACKWARD)]
