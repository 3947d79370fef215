from __future__ import annotations

from typing import Any

from hospital.common.clock import now, today

from . import corrections
from .break_glass import REVIEW_WITHIN
from .delegates import WARN_BEFORE
from .models import (
    BreakGlass,
    Consent,
    CorrectionRequest,
    Delegation,
    IdentityVerification,
    Patient,
    PatientArchive,
    PatientMerge,
)
from .reviews import Case
from .rules import age_on, masked_name, masked_number


def patient_found(patient: Patient) -> dict[str, Any]:
    """A row of a list: enough to tell namesakes apart, nothing to copy; the name comes with the record (PI-12)."""
    return {
        "id": str(patient.id),
        "mpi": patient.mpi,
        "name_masked": masked_name(patient.name),
        "sex": patient.sex,
        "birth_date": patient.birth_date.isoformat(),
        "age": age_on(patient.birth_date, today()),
        "document_tail": patient.document_number[-4:],
        "phone_tail": patient.phone[-4:],
        "verified": patient.verified_at is not None,
    }


def patient_hit(patient: Patient, named: bytes) -> dict[str, Any]:
    """A row of a search; `name_exact` when the whole name was asked for, of which `named` is the index."""
    return patient_found(patient) | {"name_exact": bytes(patient.name_index) == named}


def patient_named(patient: Patient) -> dict[str, Any]:
    """One record that was opened, or the reader's own."""
    return patient_found(patient) | {"name": patient.name}


def patient_full(patient: Patient) -> dict[str, Any]:
    """One patient for the desk: the number stays masked, the tail is what people compare."""
    return patient_named(patient) | {
        "document_type": patient.document_type,
        "document_masked": masked_number(patient.document_number),
        "phone_masked": masked_number(patient.phone),
        "verified_at": patient.verified_at.isoformat() if patient.verified_at else None,
    }


def patient_masked(patient: Patient) -> dict[str, Any]:
    """Another hospital's patient beside one's own: enough to see that somebody must ask there."""
    return {
        "id": None,
        "own": False,
        "mpi": patient.mpi,
        "name_masked": masked_name(patient.name),
        "sex": patient.sex,
        "birth_year": patient.birth_date.year,
        "document_type": patient.document_type,
        "document_tail": patient.document_number[-4:],
        "phone_tail": patient.phone[-4:],
        "institution": patient.institution.name,
    }


def candidate_row(patient: Patient, own: bool) -> dict[str, Any]:
    """One side of a review in the queue."""
    if not own:
        return patient_masked(patient)
    return patient_found(patient) | {"own": True, "document_type": patient.document_type}


def candidate_json(patient: Patient, own: bool) -> dict[str, Any]:
    """One side of a review that was opened."""
    if not own:
        return patient_masked(patient)
    return patient_full(patient) | {
        "own": True,
        "institution": patient.institution.name,
        "registered_at": patient.created_at.isoformat(),
    }


def claim_row(claim: dict[str, str]) -> dict[str, Any]:
    """What a desk read from a document that is on file under another name, in the queue."""
    return {
        "id": None,
        "own": True,
        "name_masked": masked_name(claim["name"]),
        "sex": claim["sex"],
        "birth_date": claim["birth_date"],
        "document_type": claim["document_type"],
        "document_tail": claim["document_number"][-4:],
        "phone_tail": claim["phone"][-4:],
    }


def claim_json(claim: dict[str, str]) -> dict[str, Any]:
    return claim_row(claim) | {
        "name": claim["name"],
        "document_masked": masked_number(claim["document_number"]),
        "phone_masked": masked_number(claim["phone"]),
    }


def review_row(case: Case) -> dict[str, Any]:
    """One entry of the queue, both sides masked; `kind` is pair or claim."""
    row = case.row
    return {
        "id": str(row.id),
        "kind": "pair" if case.right else "claim",
        "reasons": row.reasons,
        "status": row.status,
        "opened_at": row.opened_at.isoformat(),
        "left": candidate_row(case.left, case.left.id in case.own),
        "right": candidate_row(case.right, case.right.id in case.own)
        if case.right
        else claim_row(case.claim),
    }


def review_json(case: Case) -> dict[str, Any]:
    """One review that was opened, with what is needed to decide it."""
    row = case.row
    right = candidate_json(case.right, case.right.id in case.own) if case.right else claim_json(case.claim)
    return review_row(case) | {
        "left": candidate_json(case.left, case.left.id in case.own),
        "right": right,
        "may_merge": case.right is not None and len(case.own) == 2,
        "decided_at": row.decided_at.isoformat() if row.decided_at else None,
        "note": row.note,
        "merge_id": str(row.merge_id) if row.merge_id else None,
    }


def merge_json(row: PatientMerge) -> dict[str, Any]:
    return {
        "id": str(row.id),
        "source_id": str(row.source_id),
        "survivor_id": str(row.survivor_id),
        "moved": {label: len(keys) for label, keys in row.moved.items()},
        "merged_at": row.merged_at.isoformat(),
        "undone_at": row.undone_at.isoformat() if row.undone_at else None,
    }


def verification_json(row: IdentityVerification) -> dict[str, Any]:
    return {
        "authority": row.authority,
        "outcome": row.outcome,
        "seen": row.seen,
        "document_type": row.document_type,
        "checked_at": row.checked_at.isoformat(),
    }


def archive_json(row: PatientArchive) -> dict[str, Any]:
    """A job and its progress; `url` only while the file can be fetched."""
    return {
        "id": str(row.id),
        "patient_id": str(row.patient_id),
        "status": row.status,
        "done": row.done_n,
        "total": row.total_n,
        "size": row.size or None,
        "asked_at": row.asked_at.isoformat(),
        "expires_at": row.expires_at.isoformat() if row.expires_at else None,
        "url": f"/api/v1/me/archives/{row.id}/file" if row.status == "ready" else None,
    }


def consent_for_patient(row: Consent) -> dict[str, Any]:
    return {
        "id": str(row.id),
        "kind": row.kind,
        "exam_id": str(row.exam_id) if row.exam_id else None,
        "receiver": row.receiver.name if row.receiver else None,
        "version": row.text.version,
        "body_zh": row.text.body_zh,
        "body_en": row.text.body_en,
        "given_by": row.given_by,
        "method": row.method,
        "given_at": row.given_at.isoformat(),
        "withdrawn_at": row.withdrawn_at.isoformat() if row.withdrawn_at else None,
    }


def correction_for_patient(row: CorrectionRequest) -> dict[str, Any]:
    return {
        "id": str(row.id),
        "field": row.field,
        "wanted": row.wanted,
        "reason": row.reason,
        "status": row.status,
        "answer": row.answer,
        "asked_at": row.asked_at.isoformat(),
        "due_at": row.due_at.isoformat(),
        "decided_at": row.decided_at.isoformat() if row.decided_at else None,
    }


def correction_row(row: CorrectionRequest) -> dict[str, Any]:
    """For the desk's list: whose, which field and until when; the values come with the request itself."""
    return {
        "id": str(row.id),
        "field": row.field,
        "status": row.status,
        "patient": patient_found(row.patient),
        "asked_at": row.asked_at.isoformat(),
        "due_at": row.due_at.isoformat(),
        "decided_at": row.decided_at.isoformat() if row.decided_at else None,
        "overdue": corrections.overdue(row),
        "days_left": corrections.days_left(row),
    }


def correction_json(row: CorrectionRequest) -> dict[str, Any]:
    """One request for the desk: what stands there and what is wanted; numbers whole, compared digit by digit."""
    return (
        correction_row(row)
        | correction_for_patient(row)
        | {
            "patient": patient_named(row.patient),
            "now": row.before or corrections.current(row.patient, row.field),
            "has_proof": bool(row.proof_path),
        }
    )


def delegation_json(row: Delegation) -> dict[str, Any]:
    """One delegate, as the patient and the desk see them; the phone stays masked."""
    return {
        "id": str(row.id),
        "name": row.name,
        "relation": row.relation,
        "phone_masked": masked_number(row.phone),
        "scopes": row.scopes,
        "granted_by": row.granted_by_kind,
        "granted_at": row.granted_at.isoformat(),
        "expires_at": row.expires_at.isoformat(),
        "ends_in_days": (row.expires_at - now()).days,
        "ends_soon": row.expires_at - now() < WARN_BEFORE,
        "in_use": row.proven_at is not None,
    }


def consent_json(row: Consent) -> dict[str, Any]:
    """One consent, without its signature: that is on the printed page."""
    receiver = row.receiver
    return {
        "id": str(row.id),
        "patient_id": str(row.patient_id),
        "kind": row.kind,
        "exam_id": str(row.exam_id) if row.exam_id else None,
        "receiver": {"id": str(receiver.id), "name": receiver.name, "name_en": receiver.name_en}
        if receiver
        else None,
        "text_version": row.text.version,
        "given_by": row.given_by,
        "guardian_relation": row.guardian_relation,
        "method": row.method,
        "given_at": row.given_at.isoformat(),
        "withdrawn_at": row.withdrawn_at.isoformat() if row.withdrawn_at else None,
    }


def break_glass_json(row: BreakGlass) -> dict[str, Any]:
    """One emergency access for its reviewer; the patient stays masked, the review needs no more."""
    return {
        "id": str(row.id),
        "patient": {"mpi": row.patient.mpi, "name_masked": masked_name(row.patient.name)},
        "by": {
            "id": str(row.user_id),
            "name": row.user.name,
            "institution": row.institution.name,
            "institution_en": row.institution.name_en,
        },
        "reason": row.reason,
        "began_at": row.began_at.isoformat(),
        "ends_at": row.ends_at.isoformat(),
        "review_due_at": (row.began_at + REVIEW_WITHIN).isoformat(),
        "verdict": row.verdict or None,
        "note": row.review_note,
        "reviewed_at": row.reviewed_at.isoformat() if row.reviewed_at else None,
        "reviewed_by": row.reviewed_by.name if row.reviewed_by else None,
    }
