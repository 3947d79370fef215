from __future__ import annotations

from django.db import migrations

FORWARD = """
-- A picture's bytes and identity never change; only its removal may be noted, once. Whose record it is in changes
-- with a merge of the two patients, and back, and in no other way.
CREATE OR REPLACE FUNCTION image_bytes_stay() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
  same boolean;
BEGIN
  IF TG_OP = 'DELETE' THEN
    RAISE EXCEPTION 'a stored picture never changes' USING ERRCODE = 'integrity_constraint_violation';
  END IF;
  same := (to_jsonb(NEW) - 'patient_id') IS NOT DISTINCT FROM (to_jsonb(OLD) - 'patient_id');
  IF NEW.patient_id <> OLD.patient_id THEN
    IF same AND EXISTS (SELECT 1 FROM people_patientmerge m WHERE m.undone_at IS NULL AND
        ((m.source_id, m.survivor_id) = (OLD.patient_id, NEW.patient_id)
         OR (m.source_id, m.survivor_id) = (NEW.patient_id, OLD.patient_id))) THEN
      RETURN NEW;
    END IF;
    RAISE EXCEPTION 'a stored picture never changes' USING ERRCODE = 'integrity_constraint_violation';
  END IF;
  IF OLD.removed_at IS NOT NULL
     OR (to_jsonb(NEW) - '{removed_at,removed_by_id,removed_reason}'::text[])
        IS DISTINCT FROM (to_jsonb(OLD) - '{removed_at,removed_by_id,removed_reason}'::text[]) THEN
    RAISE EXCEPTION 'a stored picture never changes' USING ERRCODE = 'integrity_constraint_violation';
  END IF;
  RETURN NEW;
END $$;
"""
BACKWARD = """
CREATE OR REPLACE FUNCTION image_bytes_stay() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  IF TG_OP = 'DELETE' OR OLD.removed_at IS NOT NULL
     OR (to_jsonb(NEW) - '{removed_at,removed_by_id,removed_reason}'::text[])
        IS DISTINCT FROM (to_jsonb(OLD) - '{removed_at,removed_by_id,removed_reason}'::text[]) THEN
    RAISE EXCEPTION 'a stored picture never changes' USING ERRCODE = 'integrity_constraint_violation';
  END IF;
  RETURN NEW;
END $$;
"""


class Migration(migrations.Migration):
    dependencies = [("people", "0007_merges"), ("records", "0007_image_offset")]
    operations = [migrations.RunSQL(FORWARD, BACKWARD)]
