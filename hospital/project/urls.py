from __future__ import annotations

from django.urls import include, path

from . import api, views
from .metrics import metrics

handler400 = "hospital.project.views.bad_request"
handler404 = "hospital.project.views.not_found"
handler500 = "hospital.project.views.server_error"

urlpatterns = [
    path("", views.home),
    path("healthz", views.healthz),
    path("readyz", views.readyz),
    path("metrics", metrics),
    path("api/v1/schema/", views.Schema.as_view()),
    path("api/v1/admin/health", api.HealthDoor.as_view()),
    path("api/v1/", include("hospital.access.urls")),
    path("api/v1/", include("hospital.keeping.urls")),
    path("api/v1/", include("hospital.people.urls")),
    path("api/v1/", include("hospital.scheduling.urls")),
    path("api/v1/", include("devices.fleet.urls")),
    path("api/v1/", include("teleconsult.urls")),
    path("console/", include("teleconsult.console.urls")),
]
