from __future__ import annotations

from django.urls import path, re_path

from . import (
    admin_pages,
    pages,
    pages_figures,
    pages_identity,
    pages_keeping,
    pages_papers,
    pages_sign_in,
    pages_tablet,
)

urlpatterns = [
    path("", pages.home),
    path("sign-in/", pages_sign_in.sign_in),
    path("sign-in/with/<uuid:provider_id>/", pages_sign_in.sign_in_with),
    path("sign-in/back/", pages_sign_in.sign_in_back),
    path("sign-in/second/", pages_sign_in.sign_in_second),
    path("sign-out/", pages.sign_out),
    path("language/", pages.language),
    path("account/", pages.account),
    path("desk/", pages.desk),
    path("identity/", pages_identity.identity),
    path("corrections/", pages_identity.corrections_page),
    path("patients/<uuid:patient_id>/", pages_identity.patient_page),
    path("patients/<uuid:patient_id>/consents/", pages_papers.consents_page),
    path("bedside/", pages.bedside_list),
    path("bedside/<uuid:exam_id>/", pages.exam_bedside),
    path("my-day/", pages.my_day),
    path("exams/<uuid:exam_id>/", pages.exam_console),
    path("exams/<uuid:exam_id>/report/", pages.report),
    path("reports/<uuid:report_id>/print/", pages.report_print),
    path("consents/<uuid:consent_id>/print/", pages_papers.consent_print),
    path("keeping/", pages_keeping.keeping),
    path("keeping/requests/<uuid:request_id>/print/", pages_keeping.erasure_print),
    path("figures/", pages_figures.figures),
    path("papers/", pages_papers.papers),
    path("mailbox/", pages.mailbox),
    path("admin/system/", admin_pages.system),
    path("admin/security/", admin_pages.security),
    path("admin/audit/", admin_pages.audit),
    path("tablet/", pages_tablet.tablet),
    path("admin/tablets/", pages_tablet.tablets),
    path("activate/", admin_pages.activate),
    re_path(r"^(?P<rest>.*)$", pages.unknown),
]
