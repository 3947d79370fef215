from __future__ import annotations

from django.db import migrations

# A row goes only in a transaction that holds an erasure naming its exam or patient (see hospital.keeping).
FORWARD = """
CREATE OR REPLACE FUNCTION report_signed_stays() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  IF TG_OP = 'DELETE' AND keeping_may_go(ARRAY[OLD.exam_id]) THEN
    RETURN OLD;
  END IF;
  IF OLD.status = 'draft' THEN
    RETURN COALESCE(NEW, OLD);
  END IF;
  IF TG_OP = 'DELETE' THEN
    RAISE EXCEPTION 'a signed report is never deleted' USING ERRCODE = 'integrity_constraint_violation';
  END IF;
  IF NOT (NEW.status = OLD.status OR (OLD.status = 'signed' AND NEW.status = 'superseded'))
     OR (to_jsonb(NEW) - 'status') IS DISTINCT FROM (to_jsonb(OLD) - 'status') THEN
    RAISE EXCEPTION 'a signed report never changes' USING ERRCODE = 'integrity_constraint_violation';
  END IF;
  RETURN NEW;
END $$;

CREATE OR REPLACE FUNCTION image_bytes_stay() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
  same boolean;
BEGIN
  IF TG_OP = 'DELETE' AND keeping_may_go(ARRAY[OLD.exam_id, OLD.patient_id]) THEN
    RETURN OLD;
  END IF;
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

CREATE OR REPLACE FUNCTION frozen_frame_stays() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  IF TG_OP = 'DELETE' AND keeping_may_go(ARRAY[OLD.exam_id]) THEN
    RETURN OLD;
  END IF;
  RAISE EXCEPTION 'a frozen frame never changes' USING ERRCODE = 'integrity_constraint_violation';
END $$;

CREATE OR REPLACE FUNCTION measurement_stays() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  IF TG_OP = 'DELETE' AND keeping_may_go(ARRAY[OLD.exam_id]) THEN
    RETURN OLD;
  END IF;
  IF TG_OP = 'DELETE' OR OLD.removed_at IS NOT NULL
     OR (to_jsonb(NEW) - '{removed_at,removed_by_id}'::text[])
        IS DISTINCT FROM (to_jsonb(OLD) - '{removed_at,removed_by_id}'::text[]) THEN
    RAISE EXCEPTION 'a measurement never changes' USING ERRCODE = 'integrity_constraint_violation';
  END IF;
  RETURN NEW;
END $$;
"""
BACKWARD = """
CREATE OR REPLACE FUNCTION report_signed_stays() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  IF OLD.status = 'draft' THEN
    RETURN COALESCE(NEW, OLD);
  END IF;
  IF TG_OP = 'DELETE' THEN
    RAISE EXCEPTION 'a signed report is never deleted' USING ERRCODE = 'integrity_constraint_violation';
  END IF;
  IF NOT (NEW.status = OLD.status OR (OLD.status = 'signed' AND NEW.status = 'superseded'))
     OR (to_jsonb(NEW) - 'status') IS DISTINCT FROM (to_jsonb(OLD) - 'status') THEN
    RAISE EXCEPTION 'a signed report never changes' USING ERRCODE = 'integrity_constraint_violation';
  END IF;
  RETURN NEW;
END $$;
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
CREATE OR REPLACE FUNCTION frozen_frame_stays() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  RAISE EXCEPTION 'a frozen frame never changes' USING ERRCODE = 'integrity_constraint_violation';
END $$;
CREATE OR REPLACE FUNCTION measurement_stays() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  IF TG_OP = 'DELETE' OR OLD.removed_at IS NOT NULL
     OR (to_jsonb(NEW) - '{removed_at,removed_by_id}'::text[])
        IS DISTINCT FROM (to_jsonb(OLD) - '{removed_at,removed_by_id}'::text[]) THEN
    RAISE EXCEPTION 'a measurement never changes' USING ERRCODE = 'integrity_constraint_violation';
  END IF;
  RETURN NEW;
END $$;
"""


class Migration(migrations.Migration):
    dependencies = [("records", "0009_missing_views"), ("keeping", "0002_the_database_agrees")]
    operations = [migrations.RunSQL(FORWARD, BACKWARD)]
