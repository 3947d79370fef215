from __future__ import annotations

import pytest
from django.db import DatabaseError, transaction

from hospital.access.principals import SYSTEM
from hospital.audit.models import AuditEntry
from hospital.audit.services import audit_record, request_address

pytestmark = pytest.mark.django_db


def record() -> AuditEntry:
    audit_record(principal=SYSTEM, action="exam.book", object_kind="exam", object_id=None, reason="r")
    return AuditEntry.objects.get()


def test_an_entry_can_be_neither_changed_nor_deleted() -> None:
    entry = record()
    with pytest.raises(DatabaseError), transaction.atomic():
        AuditEntry.objects.update(reason="other")
    with pytest.raises(DatabaseError), transaction.atomic():
        AuditEntry.objects.all().delete()
    assert AuditEntry.objects.get().reason == entry.reason


def test_an_entry_falls_with_the_deed_that_it_tells_of() -> None:
    with transaction.atomic():
        record()
        transaction.set_rollback(True)
    assert not AuditEntry.objects.exists()


def test_an_entry_says_from_where_when_a_request_is_being_answered() -> None:
    known = request_address.set("10.0.0.7")
    try:
        assert record().address == "10.0.0.7"
    finally:
        request_address.reset(known)
