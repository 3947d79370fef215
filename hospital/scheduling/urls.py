from __future__ import annotations

from django.urls import path

from . import api

urlpatterns = [
    path("exam-types", api.ExamTypesDoor.as_view()),
    path("resources", api.ResourcesDoor.as_view()),
]
