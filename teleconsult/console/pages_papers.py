"""Pages about papers: agreements and licences, and the printed consent."""

from __future__ import annotations

from uuid import UUID

from django.http import HttpRequest, HttpResponse
from django.views.decorators.http import require_GET

from hospital.access import selectors as access
from hospital.access.principals import Principal
from hospital.access.table import allowed, places
from hospital.common.clock import today
from hospital.people import agreements, registry
from hospital.people import selectors as people
from hospital.people.representations import consent_json, patient_named
from hospital.people.representations_papers import agreement_json
from hospital.people.rules import GUARDIAN_BELOW_YEARS, age_on
from hospital.people.shown import desk_shown

from .. import selectors
from ..representations import exam_summary
from .shell import page, show, shows
from .texts import language_of, text


@require_GET
@page("page.papers", catalogue=True)
def papers(request: HttpRequest, principal: Principal) -> HttpResponse:
    """What the hospital may do on paper. Who keeps it sees agreements; who grants privileges sees physicians only."""
    keeps = allowed(principal, "agreement.keep")
    names = access.institutions_all()
    body = {
        "today": today().isoformat(),
        "keeps": keeps,
        "grants": allowed(principal, "privilege.grant"),
        "mine": [str(place) for place in places(principal, "page.papers")],
        "institutions": [{"id": str(row.id), "name": row.name, "name_en": row.name_en} for row in names],
        "agreements": [agreement_json(row) for row in agreements.agreements(principal)] if keeps else [],
        "physicians": registry.physicians(principal),
    }
    return show(request, "papers.html", papers=body)


@require_GET
@page("page.consents")
def consents_page(request: HttpRequest, principal: Principal, patient_id: UUID) -> HttpResponse:
    """A patient's consents, and what is needed to take one: texts in force, institutions, exams being prepared."""
    patient = people.patient_get(principal=principal, patient_id=patient_id, action="page.consents")
    shows(request, desk_shown(patient, kind="consents"))
    rows = people.consents(principal, "patient.consents").filter(patient=patient)
    body = {
        "patient": patient_named(patient),
        "needs_guardian": age_on(patient.birth_date, today()) < GUARDIAN_BELOW_YEARS,
        "texts": {
            row.kind: {"version": row.version, "body_zh": row.body_zh, "body_en": row.body_en}
            for row in people.consent_texts()
        },
        "receivers": [
            {"id": str(row.id), "name": row.name, "name_en": row.name_en}
            for row in access.institutions_all()
            if row.id != patient.institution_id
        ],
        "exams": [exam_summary(exam, principal) for exam in selectors.exams_preparing(principal, patient.id)],
        "consents": [consent_json(row) for row in rows],
    }
    return show(request, "consents.html", consents=body)


@require_GET
@page("page.consent_print")
def consent_print(request: HttpRequest, principal: Principal, consent_id: UUID) -> HttpResponse:
    """The consent as it was given: the very text, signature or witness, guardian, and whether it still stands."""
    consent = people.consent_get(principal=principal, action="page.consent_print", consent_id=consent_id)
    patient = consent.patient
    shows(request, desk_shown(patient, kind="consent", object_id=consent.id))
    signature = f"data:image/png;base64,{consent.signature_png}" if consent.signature_png else ""
    return show(
        request,
        "consent_print.html",
        consent=consent,
        patient=patient,
        kind=text(f"consent.kind.{consent.kind}", language_of(request)),
        accession=selectors.accession_of(consent.exam_id),
        signature=signature,
        recorded_by=access.user_names(ids=[consent.recorded_by_id]).get(consent.recorded_by_id, ""),
    )
