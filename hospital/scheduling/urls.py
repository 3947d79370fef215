from __future__ import annotations

from django.urls import path

from . import api, api_calendars

RESOURCE, HOUSE = "resources/<uuid:resource_id>", "institutions/<uuid:institution_id>"

urlpatterns = [
    path("exam-types", api.ExamTypesDoor.as_view()),
    path("exam-types/<str:code>", api_calendars.ExamTypeDoor.as_view()),
    path("resources", api.ResourcesDoor.as_view()),
    path(RESOURCE, api_calendars.ResourceDoor.as_view()),
    path(f"{RESOURCE}/hours", api_calendars.ResourceHoursDoor.as_view()),
    path(f"{RESOURCE}/exceptions", api_calendars.ResourceExceptionsDoor.as_view()),
    path(f"{RESOURCE}/exceptions/<uuid:exception_id>", api_calendars.ResourceExceptionDoor.as_view()),
    path(f"{RESOURCE}/released", api_calendars.ReleasedTimesDoor.as_view()),
    path(f"{RESOURCE}/released/<uuid:released_id>", api_calendars.ReleasedTimeDoor.as_view()),
    path(f"{HOUSE}/hours", api_calendars.InstitutionHoursDoor.as_view()),
    path(f"{HOUSE}/exceptions", api_calendars.InstitutionExceptionsDoor.as_view()),
    path(f"{HOUSE}/exceptions/<uuid:exception_id>", api_calendars.InstitutionExceptionDoor.as_view()),
]
