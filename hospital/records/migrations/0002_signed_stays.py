from __future__ import annotations

from django.db import migrations

FORWARD = """
-- A signed report keeps every byte; the only change it may see is signed -> superseded.
CREATE FUNCTION report_signed_stays() RETURNS trigger LANGUAGE plpgsql AS $$
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
CREATE TRIGGER report_signed_stays BEFORE UPDATE OR DELETE ON records_report
  FOR EACH ROW EXECUTE FUNCTION report_signed_stays();

-- A picture's bytes and identity never change; only its removal may be noted, once.
CREATE FUNCTION image_bytes_stay() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  IF TG_OP = 'DELETE' OR OLD.removed_at IS NOT NULL
     OR (to_jsonb(NEW) - '{removed_at,removed_by_id,removed_reason}'::text[])
        IS DISTINCT FROM (to_jsonb(OLD) - '{removed_at,removed_by_id,removed_reason}'::text[]) THEN
    RAISE EXCEPTION 'a stored picture never changes' USING ERRCODE = 'integrity_constraint_violation';
  END IF;
  RETURN NEW;
END $$;
CREATE TRIGGER image_bytes_stay BEFORE UPDATE OR DELETE ON records_image
  FOR EACH ROW EXECUTE FUNCTION image_bytes_stay();
"""
BACKWARD = """
DROP TRIGGER report_signed_stays ON records_report;
DROP FUNCTION report_signed_stays();
DROP TRIGGER image_bytes_stay ON records_image;
DROP FUNCTION image_bytes_stay();
"""


class Migration(migrations.Migration):
    dependencies = [("records", "0001_initial")]
    operations = [migrations.RunSQL(FORWARD, BACKWARD)]
