from __future__ import annotations

import django.contrib.postgres.fields
import django.contrib.postgres.indexes
from django.db import migrations, models

# The database numbers and dates the entries itself: the application's role has no right to write these columns
# (grant_app_role), so that nobody who took over the application can back-date a row.
FORWARD = """
CREATE SEQUENCE audit_entry_seq AS bigint;
ALTER TABLE audit_auditentry
  ADD COLUMN seq bigint NOT NULL DEFAULT nextval('audit_entry_seq'),
  ADD COLUMN xid bigint NOT NULL DEFAULT (pg_current_xact_id()::text::bigint),
  ALTER COLUMN at SET DEFAULT clock_timestamp(),
  ADD CONSTRAINT audit_auditentry_seq_key UNIQUE (seq);
ALTER SEQUENCE audit_entry_seq OWNED BY audit_auditentry.seq;
CREATE INDEX audit_auditentry_xid ON audit_auditentry (xid);
"""
BACKWARD = """
ALTER TABLE audit_auditentry DROP COLUMN seq, DROP COLUMN xid, ALTER COLUMN at DROP DEFAULT;
"""
PROTECT = """
CREATE TRIGGER audit_append_only BEFORE UPDATE OR DELETE ON audit_auditseal
  FOR EACH ROW EXECUTE FUNCTION audit_append_only();
CREATE TRIGGER audit_append_only BEFORE UPDATE OR DELETE ON audit_auditcheckpoint
  FOR EACH ROW EXECUTE FUNCTION audit_append_only();
CREATE TRIGGER audit_no_truncate BEFORE TRUNCATE ON audit_auditentry
  FOR EACH STATEMENT EXECUTE FUNCTION audit_append_only();
CREATE TRIGGER audit_no_truncate BEFORE TRUNCATE ON audit_auditseal
  FOR EACH STATEMENT EXECUTE FUNCTION audit_append_only();
CREATE TRIGGER audit_no_truncate BEFORE TRUNCATE ON audit_auditcheckpoint
  FOR EACH STATEMENT EXECUTE FUNCTION audit_append_only();
"""
UNPROTECT = """
DROP TRIGGER audit_no_truncate ON audit_auditentry;
DROP TRIGGER audit_no_truncate ON audit_auditseal;
DROP TRIGGER audit_no_truncate ON audit_auditcheckpoint;
DROP TRIGGER audit_append_only ON audit_auditseal;
DROP TRIGGER audit_append_only ON audit_auditcheckpoint;
"""
NUMBERED = [
    migrations.AddField("auditentry", "seq", models.BigIntegerField(editable=False, unique=True)),
    migrations.AddField("auditentry", "xid", models.BigIntegerField(db_index=True, editable=False)),
    migrations.AlterField("auditentry", "at", models.DateTimeField(db_index=True, editable=False)),
]
# Their default is written by the database; Django's own SQL names every column.
EMPTY = """
ALTER TABLE audit_auditentry
  ALTER COLUMN device_kind SET DEFAULT '', ALTER COLUMN on_behalf_kind SET DEFAULT '',
  ALTER COLUMN patient_ids SET DEFAULT '{}';
"""


class Migration(migrations.Migration):
    dependencies = [("audit", "0003_auditentry_address")]

    operations = [
        migrations.SeparateDatabaseAndState([migrations.RunSQL(FORWARD, BACKWARD)], NUMBERED),
        migrations.AddField("auditentry", "actor_institution_id", models.UUIDField(null=True)),
        migrations.AddField(
            "auditentry", "device_kind", models.CharField(blank=True, default="", max_length=10),
            preserve_default=False,
        ),
        migrations.AddField("auditentry", "device_id", models.UUIDField(null=True)),
        migrations.AddField(
            "auditentry", "on_behalf_kind", models.CharField(blank=True, default="", max_length=10),
            preserve_default=False,
        ),
        migrations.AddField("auditentry", "on_behalf_id", models.UUIDField(null=True)),
        migrations.AddField(
            "auditentry", "patient_ids",
            django.contrib.postgres.fields.ArrayField(models.UUIDField(), default=list),
        ),
        migrations.AlterField("auditentry", "outcome", models.CharField(default="done", max_length=10)),
        migrations.AddIndex(
            "auditentry",
            django.contrib.postgres.indexes.GinIndex(
                condition=models.Q(("patient_ids", []), _negated=True),
                fastupdate=False, fields=["patient_ids"], name="audit_patients",
            ),
        ),
        migrations.RunSQL(EMPTY, migrations.RunSQL.noop),
        migrations.CreateModel(
            name="AuditSeal",
            fields=[
                ("number", models.BigIntegerField(primary_key=True, serialize=False)),
                ("entry_seq", models.BigIntegerField(unique=True)),
                ("hash", models.BinaryField(max_length=32)),
            ],
        ),
        migrations.CreateModel(
            name="AuditCheckpoint",
            fields=[
                ("id", models.BigAutoField(primary_key=True, serialize=False)),
                ("number", models.BigIntegerField(db_index=True)),
                ("hash", models.BinaryField(max_length=32)),
                ("watermark", models.BigIntegerField()),
                ("at", models.DateTimeField(db_index=True)),
                ("key_id", models.CharField(max_length=16)),
                ("signature", models.BinaryField(max_length=64)),
            ],
        ),
        migrations.RunSQL(PROTECT, UNPROTECT),
    ]
