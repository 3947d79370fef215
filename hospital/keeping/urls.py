from __future__ import annotations

from django.urls import path

from . import api

urlpatterns = [
    path("legal-holds", api.HoldsDoor.as_view()),
    path("legal-holds/<uuid:hold_id>/lift", api.HoldLiftDoor.as_view()),
    path("erasure-requests", api.ErasureRequestsDoor.as_view()),
    path("erasure-requests/<uuid:request_id>", api.ErasureRequestDoor.as_view()),
]
