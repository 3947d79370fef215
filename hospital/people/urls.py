from __future__ import annotations

from django.urls import path

from . import api

urlpatterns = [
    path("patients", api.PatientsDoor.as_view()),
    path("patients/<uuid:patient_id>", api.PatientDoor.as_view()),
    path("practitioners", api.PractitionersDoor.as_view()),
    path("consent-texts/current", api.ConsentTextDoor.as_view()),
    path("auth/patient/code", api.PatientCodeDoor.as_view()),
    path("auth/patient/token", api.PatientTokenDoor.as_view()),
]
