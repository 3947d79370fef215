from __future__ import annotations

import json

from django.contrib.auth.views import LoginView
from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.urls import include, path
from oauth2_provider.settings import oauth2_settings

from tests.oidc import provider


def login(request: HttpRequest) -> HttpResponseBase:
    """The library's form, for a browser played by plain requests: without a token from a page nobody reads."""
    request._dont_enforce_csrf_checks = True  # type: ignore[attr-defined]
    return LoginView.as_view()(request)


def lie(request: HttpRequest) -> HttpResponse:
    provider.lies.update(json.loads(request.body))
    return HttpResponse()


def about(request: HttpRequest, name: str) -> HttpResponse:
    provider.about[name] = json.loads(request.body)
    return HttpResponse()


def rotate(request: HttpRequest) -> HttpResponse:
    """A new signing key; the old one is no longer published."""
    oauth2_settings.OIDC_RSA_PRIVATE_KEY = provider.new_key()
    return HttpResponse()


urlpatterns = [
    path("login", login),
    path("lie", lie),
    path("about/<str:name>", about),
    path("rotate", rotate),
    path("", include("oauth2_provider.urls", namespace="oauth2_provider")),
]
