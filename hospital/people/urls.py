from __future__ import annotations

from django.urls import path

from . import api, api_accesses, api_break_glass, api_delegates, api_identity, api_rights

urlpatterns = [
    path("patients", api.PatientsDoor.as_view()),
    path("patients/<uuid:patient_id>", api.PatientDoor.as_view()),
    path("patients/<uuid:patient_id>/reveal", api_accesses.RevealDoor.as_view()),
    path("patients/<uuid:patient_id>/delegates", api_delegates.PatientDelegatesDoor.as_view()),
    path(
        "patients/<uuid:patient_id>/delegates/<uuid:delegation_id>",
        api_delegates.PatientDelegateDoor.as_view(),
    ),
    path("me/patients/<uuid:patient_id>/delegates", api_delegates.MyDelegatesDoor.as_view()),
    path(
        "me/patients/<uuid:patient_id>/delegates/<uuid:delegation_id>",
        api_delegates.MyDelegateDoor.as_view(),
    ),
    path("me/delegations/<uuid:delegation_id>", api_delegates.MyDelegationDoor.as_view()),
    path("patients/<uuid:patient_id>/verify", api_rights.VerifyDoor.as_view()),
    path("corrections", api_rights.CorrectionsDoor.as_view()),
    path("corrections/<uuid:correction_id>/decide", api_rights.CorrectionDecisionDoor.as_view()),
    path("corrections/<uuid:correction_id>/proof", api_rights.CorrectionProofDoor.as_view()),
    path("me/patients/<uuid:patient_id>/corrections", api_rights.MyCorrectionsDoor.as_view()),
    path("me/patients/<uuid:patient_id>/consents", api_rights.MyConsentsDoor.as_view()),
    path("me/consents/<uuid:consent_id>", api_rights.MyConsentDoor.as_view()),
    path("me/archive", api_rights.MyArchiveDoor.as_view()),
    path("me/archives/<uuid:archive_id>", api_rights.ArchiveDoor.as_view()),
    path("me/archives/<uuid:archive_id>/file", api_rights.ArchiveFileDoor.as_view()),
    path("duplicates", api_identity.ReviewsDoor.as_view()),
    path("duplicates/<uuid:review_id>/decide", api_identity.DecisionDoor.as_view()),
    path("merges/<uuid:merge_id>/undo", api_identity.UndoDoor.as_view()),
    path("break-glass", api_break_glass.BreakGlassDoor.as_view()),
    path("break-glass/<uuid:entry_id>/review", api_break_glass.ReviewDoor.as_view()),
    path("me/accesses", api_accesses.MyAccessesDoor.as_view()),
    path("practitioners", api.PractitionersDoor.as_view()),
    path("consent-texts/current", api.ConsentTextDoor.as_view()),
    path("auth/patient/code", api.PatientCodeDoor.as_view()),
    path("auth/patient/token", api.PatientTokenDoor.as_view()),
]
