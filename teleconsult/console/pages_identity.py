"""The pages where people decide who is who, answer corrections, and see one patient's card."""

from __future__ import annotations

from uuid import UUID

from django.http import HttpRequest, HttpResponse
from django.views.decorators.http import require_GET

from hospital.access.principals import Principal
from hospital.people import corrections, delegates, reviews, selectors
from hospital.people.api_identity import cases_shown
from hospital.people.api_rights import corrections_shown
from hospital.people.representations import correction_row, delegation_json, patient_full, review_row
from hospital.people.shown import desk_shown
from hospital.people.wishes import wishes_json

from .shell import page, show, shows


@require_GET
@page("page.identity")
def identity(request: HttpRequest, principal: Principal) -> HttpResponse:
    found = reviews.cases(principal)
    shows(request, cases_shown(found))
    return show(request, "identity.html", reviews=[review_row(case) for case in found])


@require_GET
@page("page.identity")
def corrections_page(request: HttpRequest, principal: Principal) -> HttpResponse:
    rows = corrections.to_answer(principal)
    shows(request, corrections_shown(rows))
    return show(request, "corrections.html", corrections=[correction_row(row) for row in rows])


@require_GET
@page("page.patient")
def patient_page(request: HttpRequest, principal: Principal, patient_id: UUID) -> HttpResponse:
    """One patient for the desk: registration, verification, family and carers."""
    patient = selectors.patient_get(principal=principal, patient_id=patient_id, action="page.patient")
    shows(request, desk_shown(patient))
    card = patient_full(patient) | {
        "institution": patient.institution.name,
        "registered_at": patient.created_at.isoformat(),
        "delegates": [delegation_json(row) for row in delegates.delegations_of(patient)],
        "scopes": list(delegates.SCOPES),
        "messages": wishes_json(patient.id),
    }
    return show(request, "patient.html", patient=card)
