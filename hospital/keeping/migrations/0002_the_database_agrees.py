from __future__ import annotations

from django.db import migrations

# The database has the last word: it dates an erasure itself, refuses it before its day and while a hold stands, and
# tells the triggers over records which rows may go with it. `until` of a hold is its last day in Shanghai.
FORWARD = """
ALTER TABLE keeping_erasure
  ALTER COLUMN xid SET DEFAULT (pg_current_xact_id()::text::bigint),
  ALTER COLUMN at SET DEFAULT clock_timestamp();

CREATE FUNCTION keeping_erasure_due() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
  today date := (clock_timestamp() AT TIME ZONE 'Asia/Shanghai')::date;
BEGIN
  IF NEW.kept_until > today THEN
    RAISE EXCEPTION 'nothing is erased before its time' USING ERRCODE = 'integrity_constraint_violation';
  END IF;
  IF EXISTS (SELECT 1 FROM keeping_legalhold h WHERE h.subject_kind = NEW.subject_kind
             AND (h.subject_id = NEW.subject_id OR h.subject_id = ANY(NEW.scope)) AND h.lifted_at IS NULL
             AND (h.until IS NULL OR h.until >= today)) THEN
    RAISE EXCEPTION 'a legal hold keeps this record' USING ERRCODE = 'integrity_constraint_violation';
  END IF;
  RETURN NEW;
END $$;
CREATE TRIGGER keeping_erasure_due BEFORE INSERT ON keeping_erasure
  FOR EACH ROW EXECUTE FUNCTION keeping_erasure_due();
CREATE TRIGGER keeping_erasure_stays BEFORE UPDATE OR DELETE ON keeping_erasure
  FOR EACH ROW EXECUTE FUNCTION audit_append_only();

CREATE FUNCTION keeping_may_go(ids uuid[]) RETURNS boolean LANGUAGE sql AS $$
  SELECT EXISTS (SELECT 1 FROM keeping_erasure
                 WHERE xid = pg_current_xact_id()::text::bigint AND scope && ids)
$$;
"""
BACKWARD = """
DROP FUNCTION keeping_may_go(uuid[]);
DROP TRIGGER keeping_erasure_stays ON keeping_erasure;
DROP TRIGGER keeping_erasure_due ON keeping_erasure;
DROP FUNCTION keeping_erasure_due();
"""


class Migration(migrations.Migration):
    dependencies = [("keeping", "0001_initial"), ("audit", "0002_append_only")]
    operations = [migrations.RunSQL(FORWARD, BACKWARD)]
