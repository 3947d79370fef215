"""Somebody who writes the record, somebody whose record it is."""

from __future__ import annotations

from datetime import date
from uuid import UUID

import pytest

from hospital.access.models import Institution, User
from hospital.access.principals import SYSTEM, Principal
from hospital.common.ids import uuid7
from hospital.people import services as people


@pytest.fixture
def doctor() -> Principal:
    user = User.objects.create(username="wang", name="王思远", totp_secret="x")
    return Principal(kind="staff", id=user.id, name=user.name, memberships=(), token_id=None)


@pytest.fixture
def patient_id() -> UUID:
    place = Institution.objects.create(
        name="朱", name_en="Z", short_name="朱", region_code="310118", uscc="U1"
    )
    patient, _ = people.patient_register(
        principal=SYSTEM,
        institution_id=place.id,
        name="王小东",
        document_type="01",
        document_number="320584194802290036",
        birth_date=date(1948, 2, 29),
        sex="1",
        phone="13900000003",
    )
    return patient.id


@pytest.fixture
def exam_id() -> UUID:
    return uuid7()
