from __future__ import annotations

from django.contrib.postgres.fields import ArrayField
from django.contrib.postgres.indexes import GinIndex
from django.db import models
from django.db.models import Q

from hospital.common.ids import uuid7


class AuditEntry(models.Model):
    """Who did, read or was refused what, on whose behalf, when, from where and why.

    Append-only: a trigger and the rights of the application's role refuse the rest. Ids only: the log knows no other
    app's tables and must survive them. `seq`, `xid` and `at` are the database's own; the application's role can't
    write them. Written by `services.audit_record`, never by the ORM.

    A gap in `seq` is a transaction that was rolled back (sequences don't roll back). A deletion is something else:
    the seal of the row stays without it. Rows older than the chain say `success` for `done`.
    """

    id = models.UUIDField(primary_key=True, default=uuid7)
    seq = models.BigIntegerField(unique=True, editable=False)
    xid = models.BigIntegerField(db_index=True, editable=False)
    at = models.DateTimeField(db_index=True, editable=False)
    actor_kind = models.CharField(max_length=10)
    actor_id = models.UUIDField(db_index=True)
    actor_institution_id = models.UUIDField(null=True)
    device_kind = models.CharField(max_length=10, blank=True)
    device_id = models.UUIDField(null=True)
    on_behalf_kind = models.CharField(max_length=10, blank=True)
    on_behalf_id = models.UUIDField(null=True)
    institution_id = models.UUIDField(null=True)
    action = models.CharField(max_length=60)
    object_kind = models.CharField(max_length=40)
    object_id = models.UUIDField(db_index=True, null=True)
    patient_ids: models.Field[object, list[object]] = ArrayField(models.UUIDField(), default=list)
    outcome = models.CharField(max_length=10, default="done")
    reason = models.TextField(blank=True)
    address = models.CharField(max_length=45, blank=True)
    details = models.JSONField(default=dict)

    class Meta:
        indexes = [
            # Without a pending list: a writer never pays for the tidying of others.
            GinIndex(
                fields=["patient_ids"], name="audit_patients", fastupdate=False, condition=~Q(patient_ids=[])
            ),
        ]


class AuditSeal(models.Model):
    """One link of the chain: `hash` = SHA-256(hash of the link before + canonical bytes of the entry).

    `number` has no gaps and is the order of sealing; a row that was committed late gets a later number, whatever
    its `seq`. Append-only like the entries.
    """

    number = models.BigIntegerField(primary_key=True)
    entry_seq = models.BigIntegerField(unique=True)
    hash = models.BinaryField(max_length=32)


class AuditCheckpoint(models.Model):
    """The chain's end at a moment, signed (Ed25519): who owns the database alone can't make another chain.

    Every entry whose transaction is older than `watermark` was sealed by then.
    """

    id = models.BigAutoField(primary_key=True)
    number = models.BigIntegerField(db_index=True)
    hash = models.BinaryField(max_length=32)
    watermark = models.BigIntegerField()
    at = models.DateTimeField(db_index=True)
    key_id = models.CharField(max_length=16)
    signature = models.BinaryField(max_length=64)
