"""Rows of every kind about one patient and one hospital, for the house that strangers walk through."""

from __future__ import annotations

import base64
import struct
from datetime import date, timedelta
from uuid import UUID, uuid4

from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from hospital.access import peers
from hospital.access.models import (
    AccessToken,
    Membership,
    Peer,
    User,
)
from hospital.access.principals import Principal
from hospital.access.selectors import principal_of_user
from hospital.common.clock import now
from hospital.keeping.models import ErasureRequest, LegalHold
from hospital.people import consents, corrections, merges
from hospital.people import services as people
from hospital.people.models import (
    Consent,
    CorrectionRequest,
    DuplicateReview,
    PatientMerge,
)
from hospital.scheduling.models import CalendarException, ReleasedTime
from teleconsult import services
from teleconsult.models import SlotOffer
from tests.factories import World

PNG = b"\x89PNG\r\n\x1a\n" + struct.pack(">I4sII", 13, b"IHDR", 640, 480) + b"rest"


def pem_of(key: Ed25519PrivateKey) -> str:
    form = serialization.PublicFormat.SubjectPublicKeyInfo
    return key.public_key().public_bytes(serialization.Encoding.PEM, form).decode()


def member(world: World, role: str, place: str) -> Principal:
    """Somebody with this role in that hospital and no part in anything."""
    user = User.objects.create(
        username=f"{place}-{role}", name="路人", password="!", totp_secret="JBSWY3DPEHPK3PXP"
    )
    Membership.objects.create(user=user, institution=world.places[place], role=role)
    return principal_of_user(user)


def kept_made(world: World) -> dict[str, UUID]:
    """An answered request for erasure, and a hold on a robot's file."""
    answered = ErasureRequest.objects.create(
        patient_id=world.patient.id, institution=world.places["home"], by_kind="staff",
        by_id=world.users["desk"].id, paper="P-2", due_at=now(), answered_at=now(),
    )  # fmt: skip
    hold = LegalHold.objects.create(
        subject_kind="robot", subject_id=world.robot.id, institution=world.places["home"],
        case_number="(2026)沪01民初1号", reason="诉讼", set_by=world.users["admin"],
    )  # fmt: skip
    return {"request_id": answered.id, "hold_id": hold.id}


def calendars_made(world: World) -> tuple[CalendarException, ReleasedTime, UUID]:
    """A closed hour and a released one, long after the bookings; a time that is kept."""
    late = world.tomorrow(60 * 24 * 20)
    exception = CalendarException.objects.create(
        resource=world.room, period=(late, late + timedelta(hours=1)), reason="maintenance",
        created_by_id=world.users["desk"].id,
    )  # fmt: skip
    released = ReleasedTime.objects.create(
        resource=world.room, period=(late, late + timedelta(hours=1)), released_by_id=world.users["desk"].id
    )
    kept = world.booking(starts_at=world.tomorrow(60 * 24 * 21))
    for name in ("patient_id", "clinical_question", "history"):
        del kept[name]
    hold_id, _ = services.exam_hold(principal=world.principals["desk"], **kept)
    return exception, released, hold_id


def asked_made(world: World) -> dict[str, UUID]:
    """A request that waits, and a time on offer to it, a month ahead."""
    row = services.request_add(
        principal=world.principals["desk"], patient_id=world.patient.id, exam_type="abdomen",
        institution_id=world.places["home"].id, clinical_question="胆囊结石？", priority="routine",
    )  # fmt: skip
    services.waiting_add(principal=world.principals["desk"], request_id=row.id)
    starts_at = world.tomorrow(60 * 24 * 25)
    offer = SlotOffer.objects.create(
        request=row, hold_id=uuid4(), starts_at=starts_at, ends_at=starts_at + timedelta(minutes=20), team={},
        digest=b"d" * 32, expires_at=starts_at - timedelta(hours=1),
    )  # fmt: skip
    return {"exam_request_id": row.id, "offer_id": offer.id}


def shared_made(world: World) -> tuple[Consent, Peer]:
    """A consent that names the expert's hospital, and that hospital's key."""
    consents.consent_text_publish(kind="transfer", version="1", body_zh="同意", body_en="consent")
    shared = consents.consent_record(
        principal=world.principals["desk"], patient_id=world.patient.id, kind="transfer",
        receiver_id=world.places["expert"].id, text_version="1", given_by="patient", method="witness",
        witness_name="钱丽",
    )  # fmt: skip
    peer = peers.peer_register(
        principal=member(world, "security_admin", "home"),
        institution_id=world.places["expert"].id,
        public_key_pem=pem_of(Ed25519PrivateKey.generate()),
        days=30,
    )
    return shared, peer


def correction_made(world: World) -> CorrectionRequest:
    return corrections.correction_ask(
        principal=world.account(), patient=world.patient, field="sex", wanted="9", reason="写错了",
        proof=base64.b64encode(PNG).decode(),
    )  # fmt: skip


def doubles_made(world: World) -> tuple[DuplicateReview, PatientMerge]:
    """A pair that waits for a decision, and one that was merged."""
    others = [
        people.patient_register(
            principal=world.principals["desk"], name="王小东", document_type="03", document_number=number,
            birth_date=date(1950, 3, 15), sex="1", phone="13900000044",
        )[0]
        for number in ("E11111111", "E22222222")
    ]  # fmt: skip
    AccessToken.objects.filter(user=world.users["desk"]).update(stepped_up_at=now())
    merge = merges.patient_merge(
        principal=world.principals["desk"],
        source_id=others[1].id,
        survivor_id=others[0].id,
        reason="同一位患者",
    )
    return DuplicateReview.objects.filter(first=world.patient, second=others[0])[0], merge
