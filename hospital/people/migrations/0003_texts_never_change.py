from __future__ import annotations

from django.db import migrations

FORWARD = """
CREATE FUNCTION people_consent_text_fixed() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  RAISE EXCEPTION 'a published consent text never changes' USING ERRCODE = 'insufficient_privilege';
END $$;
CREATE TRIGGER people_consent_text_fixed BEFORE UPDATE OR DELETE ON people_consenttext
  FOR EACH ROW EXECUTE FUNCTION people_consent_text_fixed();
"""
BACKWARD = """
DROP TRIGGER people_consent_text_fixed ON people_consenttext;
DROP FUNCTION people_consent_text_fixed();
"""


class Migration(migrations.Migration):
    dependencies = [("people", "0002_mpi_sequence")]
    operations = [migrations.RunSQL(FORWARD, BACKWARD)]
