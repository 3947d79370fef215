"""A real OpenID Connect provider (django-oauth-toolkit) as a program of its own: `python -m tests.oidc.provider PORT DIR`.

Discovery, authorization, PKCE, codes, keys and signatures are the library's. What the tests add are its people, a
way to be told to lie in the next token (`/lie`, signed all the same), and to change its key (`/rotate`).
"""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

PORT, FOLDER = (int(sys.argv[1]), Path(sys.argv[2])) if __name__ == "__main__" else (0, Path())
ISSUER = f"http://localhost:{PORT}"
PASSWORD = "provider password"
CLIENT = {"client_id": "hospital", "client_secret": "a long secret of the hospital"}
lies: dict[str, Any] = {}
about: dict[str, dict[str, Any]] = {}


def new_key() -> str:
    from cryptography.hazmat.primitives import serialization as form
    from cryptography.hazmat.primitives.asymmetric import rsa

    key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    return key.private_bytes(form.Encoding.PEM, form.PrivateFormat.PKCS8, form.NoEncryption()).decode()


def configure() -> None:
    from django.conf import settings

    settings.configure(
        SECRET_KEY="provider", ALLOWED_HOSTS=["*"], ROOT_URLCONF="tests.oidc.provider_urls", USE_TZ=True,
        DATABASES={"default": {"ENGINE": "django.db.backends.sqlite3", "NAME": str(FOLDER / "provider.db")}},
        INSTALLED_APPS=[
            "django.contrib.contenttypes", "django.contrib.auth", "django.contrib.sessions", "oauth2_provider",
        ],
        MIDDLEWARE=[
            "django.contrib.sessions.middleware.SessionMiddleware",
            "django.contrib.auth.middleware.AuthenticationMiddleware",
        ],
        LOGIN_URL="/login", SESSION_COOKIE_NAME="provider", DEFAULT_AUTO_FIELD="django.db.models.BigAutoField",
        PASSWORD_HASHERS=["django.contrib.auth.hashers.MD5PasswordHasher"],
        OAUTH2_PROVIDER={
            "OIDC_ENABLED": True, "OIDC_ISS_ENDPOINT": ISSUER, "OIDC_RSA_PRIVATE_KEY": new_key(),
            "SCOPES": {"openid": "openid", "phone": "phone", "profile": "profile"}, "PKCE_REQUIRED": True,
            "OAUTH2_VALIDATOR_CLASS": "tests.oidc.provider_validator.Validator",
        },
    )  # fmt: skip


def populate() -> None:
    from django.contrib.auth import get_user_model
    from django.core.management import call_command
    from oauth2_provider.models import Application

    call_command("migrate", verbosity=0)
    people: Any = get_user_model()
    for name in ("doctor", "colleague", "citizen"):
        people.objects.create_user(name, password=PASSWORD)
    Application.objects.create(
        name="hospital", client_type="confidential", authorization_grant_type="authorization-code",
        redirect_uris="http://localhost:8000/console/sign-in/back/ https://app.example/signed-in",
        algorithm="RS256", skip_authorization=True, hash_client_secret=False, **CLIENT,
    )  # fmt: skip


def main() -> None:
    import django

    configure()
    django.setup()
    populate()
    from socketserver import ThreadingMixIn
    from wsgiref.simple_server import WSGIRequestHandler, WSGIServer, make_server

    from django.core.wsgi import get_wsgi_application

    class Server(ThreadingMixIn, WSGIServer):
        daemon_threads = True

    class Quiet(WSGIRequestHandler):
        def log_message(self, format: str, *args: Any) -> None:
            """Requests are not test output."""

    with make_server("127.0.0.1", PORT, get_wsgi_application(), Server, Quiet) as server:
        print(json.dumps({"issuer": ISSUER}), flush=True)
        server.serve_forever()


if __name__ == "__main__":
    sys.modules["tests.oidc.provider"] = sys.modules["__main__"]  # one module, whoever imports it
    main()
