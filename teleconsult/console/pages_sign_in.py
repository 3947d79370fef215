"""The doors of signing in: by form, by an identity provider, and the second factor that a provider did not show."""

from __future__ import annotations

import json
import secrets
from typing import Any
from urllib.parse import urlencode
from uuid import UUID

from django.conf import settings
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.utils.http import url_has_allowed_host_and_scheme
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_GET

from hospital.access import providers
from hospital.access.factors import Given
from hospital.access.keys import Touch
from hospital.access.services import page_sign_in
from hospital.common.error_texts import title
from hospital.common.errors import DomainError, Unauthenticated

from .shell import SIGN_IN, show
from .texts import language_of, text

LOCKED_CODES = frozenset({"locked", "account_locked", "too_many"})
PASSWORD_CODES = frozenset({"password_old", "password_weak", "password_same"})
BACK, SECOND = f"{SIGN_IN}back/", f"{SIGN_IN}second/"
BINDING_KEY, NEXT_KEY = "provider_binding", "provider_next"


def way_back(request: HttpRequest, wanted: str) -> str:
    """Only addresses of this site; anything else leads to the first page."""
    safe = url_has_allowed_host_and_scheme(
        wanted, allowed_hosts={request.get_host()}, require_https=request.is_secure()
    )
    return wanted if safe and wanted.startswith("/") else "/console/"


def _providers(language: str) -> list[dict[str, str]]:
    name = "name_en" if language == "en" else "name"
    return [
        {
            "href": f"{SIGN_IN}with/{one.id}/",
            "label": text("signin.with_provider", language, name=getattr(one, name)),
        }
        for one in providers.providers_open("staff")
    ]


def _touch(request: HttpRequest) -> Touch | None:
    """A key's answer from the form's hidden fields; what can't be read is a wrong answer, not an error."""
    given = request.POST.get("credential", "")
    if not given:
        return None
    try:
        credential, challenge_id = json.loads(given), UUID(request.POST.get("challenge_id", ""))
    except (ValueError, RecursionError):
        return Touch(challenge_id=UUID(int=0), credential={})
    return Touch(challenge_id=challenge_id, credential=credential if isinstance(credential, dict) else {})


@never_cache
def sign_in(request: HttpRequest) -> HttpResponse:
    """GET shows the form; POST signs in or shows it again with the sentence of what is wrong."""
    language = language_of(request)
    context: dict[str, Any] = {
        "providers": _providers(language),
        "next": request.POST.get("next") or request.GET.get("next", ""),
        "username": "",
        "notice": "",
    }
    if request.method != "POST":
        if context["next"]:
            context["notice"] = text("signin.needed", language)
        elif "out" in request.GET:
            context["notice"] = text("signin.out", language)
        if "idle" in request.GET:
            context["notice"] = text("signin.idle", language)
        return show(request, "sign_in.html", **context)
    context["username"] = request.POST.get("username", "").strip()
    try:
        page_sign_in(
            request=request,
            username=context["username"],
            password=request.POST.get("password", ""),
            totp=request.POST.get("totp", "").strip(),
            touch=_touch(request),
            new_password=request.POST.get("new_password", ""),
        )
    except DomainError as error:
        locked = error.code in LOCKED_CODES or error.status == 429
        context["renew"] = error.code in PASSWORD_CODES or "new_password" in request.POST
        sentence = title(error.code, language)
        return show(request, "sign_in.html", status=error.status, sentence=sentence, locked=locked, **context)
    return HttpResponseRedirect(way_back(request, context["next"]))


def _again(request: HttpRequest, error: DomainError) -> HttpResponse:
    """The sign-in form with the sentence of what went wrong at the provider."""
    language = language_of(request)
    sentence = title(error.code, language)
    return show(
        request, "sign_in.html", status=error.status, sentence=sentence, providers=_providers(language),
        hide_why=True, locked=error.code in LOCKED_CODES,
    )  # fmt: skip


@never_cache
@require_GET
def sign_in_with(request: HttpRequest, provider_id: UUID) -> HttpResponse:
    """To the provider; what comes back must come to this browser."""
    binding = secrets.token_urlsafe(32)
    try:
        url = providers.provider_begin(
            provider_id=provider_id,
            kind="staff",
            redirect_uri=f"{settings.BASE_URL.rstrip('/')}{BACK}",
            binding=binding,
        )
    except DomainError as error:
        return _again(request, error)
    request.session[BINDING_KEY] = binding
    request.session[NEXT_KEY] = request.GET.get("next", "")
    return HttpResponseRedirect(url)


@never_cache
@require_GET
def sign_in_back(request: HttpRequest) -> HttpResponse:
    """From the provider: signed in, or on to our own second factor, or back to the form."""
    wanted = request.session.get(NEXT_KEY, "")
    try:
        if "code" not in request.GET or BINDING_KEY not in request.session:
            raise Unauthenticated("provider_refused")
        done = providers.page_sign_in_by_provider(
            request=request,
            state=request.GET.get("state", ""),
            code=request.GET["code"],
            binding=request.session.pop(BINDING_KEY),
            issuer=request.GET.get("iss", ""),
        )
    except DomainError as error:
        return _again(request, error)
    second = f"{SECOND}?{urlencode({'next': wanted})}"
    return HttpResponseRedirect(way_back(request, wanted) if done else second)


@never_cache
def sign_in_second(request: HttpRequest) -> HttpResponse:
    """Our own second factor, after a provider that showed no cryptographic one."""
    name = providers.pending_name(request)
    if not name:
        return HttpResponseRedirect(SIGN_IN)
    wanted = request.POST.get("next") or request.GET.get("next", "")
    context: dict[str, Any] = {"next": wanted, "second": name}
    if request.method != "POST":
        return show(request, "sign_in.html", **context)
    given = Given(code=request.POST.get("totp", "").strip(), touch=_touch(request))
    try:
        providers.page_second_factor(request=request, given=given)
    except DomainError as error:
        context |= {"sentence": title(error.code, language_of(request)), "locked": error.status == 429}
        return show(request, "sign_in.html", status=error.status, **context)
    return HttpResponseRedirect(way_back(request, wanted))
