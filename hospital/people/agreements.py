"""Agreements between two hospitals: written once with their document, signed by each side's own people, ended by one.

What was written never changes; a correction is another agreement (LAW-20).
"""

from __future__ import annotations

from datetime import date
from uuid import UUID

from django.db import IntegrityError, transaction
from django.db.models import QuerySet

from hospital.access.keys import Deed
from hospital.access.models import Institution
from hospital.access.principals import Principal
from hospital.access.scopes import within
from hospital.access.services import proof_consume
from hospital.access.table import places
from hospital.audit.services import audit_record
from hospital.common import objects
from hospital.common.clock import now
from hospital.common.errors import Conflict, Invalid, NotFound

from .models import Agreement
from .practice import SERVICE_SCOPES
from .warnings import paper_watched

DOCUMENT_MAX_BYTES = 20 * 1024 * 1024  # design value: a scanned agreement
PDF_MAGIC = b"%PDF-"


def agreements(principal: Principal) -> QuerySet[Agreement]:
    """The agreements of the caller's institutions, the newest first."""
    rows = Agreement.objects.select_related("inviting", "invited")
    return rows.filter(within(principal, "agreement.keep", "agreement")).order_by("-valid_from", "id")


def agreement_get(principal: Principal, agreement_id: UUID) -> Agreement:
    found = agreements(principal).filter(id=agreement_id).first()
    if found is None:
        raise NotFound()
    return found


@transaction.atomic
def agreement_write(
    *,
    principal: Principal,
    inviting_id: UUID,
    invited_id: UUID,
    services: list[str],
    valid_from: date,
    valid_to: date,
    document: bytes,
) -> Agreement:
    """A new agreement with its document (PDF), unsigned. One party must be the caller's own.

    Invalid `agreement_parties`, `agreement_services`, `agreement_dates`, `agreement_document`.
    """
    mine = places(principal, "agreement.keep")
    known = Institution.objects.filter(id__in=[inviting_id, invited_id]).count() == 2
    if inviting_id == invited_id or not known or not {inviting_id, invited_id}.intersection(mine):
        raise Invalid("agreement_parties")
    if not services or not set(services) <= set(SERVICE_SCOPES):
        raise Invalid("agreement_services", known=sorted(SERVICE_SCOPES))
    if valid_to < valid_from:
        raise Invalid("agreement_dates", field="valid_to")
    if not document.startswith(PDF_MAGIC) or len(document) > DOCUMENT_MAX_BYTES:
        raise Invalid("agreement_document", field="document")
    path, digest = objects.put(document)
    row = Agreement.objects.create(
        inviting_id=inviting_id,
        invited_id=invited_id,
        services=sorted(set(services)),
        valid_from=valid_from,
        valid_to=valid_to,
        document_sha256=digest,
        document_path=path,
    )
    _noted(principal, "agreement.write", row)
    paper_watched("agreement", row.id, valid_to)
    return row


def agreement_document(row: Agreement) -> bytes:
    """The document as it was uploaded; NotFound for agreements from before documents were kept here."""
    if not row.document_path:
        raise NotFound()
    return objects.read(row.document_path)


def _locked(principal: Principal, agreement_id: UUID) -> Agreement:
    agreement_get(principal, agreement_id)
    return Agreement.objects.select_for_update().get(id=agreement_id)


@transaction.atomic
def agreement_sign(*, principal: Principal, agreement_id: UUID, signatory: str) -> Agreement:
    """Record the signature of the caller's own side: who signed there; uses up a fresh proof. Conflict
    `agreement_signed`, `agreement_ended`, `agreement_one_hand` when the same person recorded the other side's."""
    row, mine = _locked(principal, agreement_id), places(principal, "agreement.keep")
    if not signatory.strip():
        raise Invalid("agreement_signatory", field="signatory")
    if row.ended_at is not None:
        raise Conflict("agreement_ended")
    sides = {"inviting": row.inviting_id, "invited": row.invited_id}
    open_sides = [
        side
        for side, place in sides.items()
        if place in mine and getattr(row, f"signed_by_{side}_at") is None
    ]
    if not open_sides:
        raise Conflict("agreement_signed")
    proof_consume(principal=principal, deed=Deed(action="agreement.sign", object_id=row.id))
    side = open_sides[0]
    setattr(row, f"signed_by_{side}_at", now())
    setattr(row, f"{side}_signatory", signatory.strip())
    setattr(row, f"{side}_recorded_by_id", principal.id)
    try:
        with transaction.atomic():
            row.save()
    except IntegrityError:
        raise Conflict("agreement_one_hand") from None
    _noted(principal, "agreement.sign", row, reason=side)
    return row


@transaction.atomic
def agreement_end(*, principal: Principal, agreement_id: UUID, reason: str) -> Agreement:
    """Either side ends it: nothing starts on it any more. Conflict `agreement_ended` the second time."""
    row = _locked(principal, agreement_id)
    if row.ended_at is not None:
        raise Conflict("agreement_ended")
    row.ended_at, row.ended_reason = now(), reason
    row.save(update_fields=["ended_at", "ended_reason"])
    _noted(principal, "agreement.end", row, reason=reason)
    return row


def _noted(principal: Principal, action: str, row: Agreement, reason: str = "") -> None:
    own = set(places(principal, "agreement.keep"))
    home = row.inviting_id if row.inviting_id in own else row.invited_id
    audit_record(
        principal=principal,
        action=action,
        object_kind="agreement",
        object_id=row.id,
        institution_id=home,
        reason=reason,
        details={"valid_to": row.valid_to.isoformat(), "sha256": row.document_sha256},
    )
