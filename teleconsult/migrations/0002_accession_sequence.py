from __future__ import annotations

from django.db import migrations

FORWARD = """
CREATE SEQUENCE teleconsult_accession MINVALUE 1 MAXVALUE 999999999;
"""
BACKWARD = """
DROP SEQUENCE teleconsult_accession;
"""


class Migration(migrations.Migration):
    dependencies = [("teleconsult", "0001_initial")]
    operations = [migrations.RunSQL(FORWARD, BACKWARD)]
