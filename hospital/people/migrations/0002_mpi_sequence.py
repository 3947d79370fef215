from __future__ import annotations

from django.db import migrations

FORWARD = """
CREATE SEQUENCE people_mpi MINVALUE 1 MAXVALUE 99999999;
"""
BACKWARD = """
DROP SEQUENCE people_mpi;
"""


class Migration(migrations.Migration):
    dependencies = [("people", "0001_initial")]
    operations = [migrations.RunSQL(FORWARD, BACKWARD)]
