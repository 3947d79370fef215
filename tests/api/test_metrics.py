"""/metrics is read on the machine itself or with the token; whoever else asks finds nothing there."""

from __future__ import annotations

import asyncio
from typing import Any

import httpx
import pytest
from django.test import Client
from uvicorn.middleware.proxy_headers import ProxyHeadersMiddleware

from hospital.project import asgi

pytestmark = pytest.mark.django_db
TOKEN = "tests-only-0123456789-0123456789-abc"
ELSEWHERE = "192.0.2.7"


def asked(address: str, **headers: str) -> Any:
    return Client(HTTP_HOST="localhost", REMOTE_ADDR=address).get("/metrics", headers=headers)


def test_a_program_on_this_machine_reads_it() -> None:
    for address in ("127.0.0.1", "127.0.0.53", "::1"):
        answer = asked(address)
        assert answer.status_code == 200 and b"process_cpu_seconds_total" in answer.content, address


@pytest.mark.parametrize("address", [ELSEWHERE, "10.0.0.4", "2001:db8::1", "::ffff:10.0.0.4", "", "unix:"])
def test_from_anywhere_else_there_is_nothing(address: str) -> None:
    answer = asked(address)
    assert answer.status_code == 404 and answer.json()["code"] == "not_found"
    assert b"process_cpu" not in answer.content
    nowhere = Client(HTTP_HOST="localhost", REMOTE_ADDR=address).get("/no-such-address")
    assert (answer.status_code, answer.content) == (nowhere.status_code, nowhere.content)


@pytest.mark.parametrize(
    "header",
    ["X-Forwarded-For", "X-Forwarded-Proto", "X-Forwarded-Host", "X-Real-IP", "Forwarded", "Via"],
)
def test_what_a_proxy_on_this_machine_forwards_is_not_local(header: str) -> None:
    assert asked("127.0.0.1", **{header: "127.0.0.1"}).status_code == 404


@pytest.mark.parametrize("trusted", ["127.0.0.1", "*"])
@pytest.mark.parametrize("claims", ["127.0.0.1", "::1", f"127.0.0.1, {ELSEWHERE}", ELSEWHERE])
def test_an_address_claimed_in_a_header_opens_nothing(trusted: str, claims: str, settings: Any) -> None:
    """As the server runs: its own reading of forwarded addresses in front, however much it is told to trust."""
    settings.METRICS_TOKEN = TOKEN
    server: Any = ProxyHeadersMiddleware(asgi.application, trusted)  # type: ignore[arg-type]

    async def ask(**headers: str) -> int:
        transport = httpx.ASGITransport(app=server, client=("127.0.0.1", 50_000))
        async with httpx.AsyncClient(transport=transport, base_url="http://localhost") as client:
            return (await client.get("/metrics", headers=headers)).status_code

    async def both() -> tuple[int, int, int]:
        forwarded = {"X-Forwarded-For": claims}
        return (
            await ask(),
            await ask(**forwarded),
            await ask(**forwarded, Authorization=f"Bearer {TOKEN}"),
        )

    assert asyncio.run(both()) == (200, 404, 200)


def test_the_token_opens_it_from_elsewhere(settings: Any) -> None:
    settings.METRICS_TOKEN = TOKEN
    assert asked(ELSEWHERE, Authorization=f"Bearer {TOKEN}").status_code == 200
    assert asked(ELSEWHERE, **{"Authorization": f"bearer {TOKEN}", "X-Real-IP": ELSEWHERE}).status_code == 200


@pytest.mark.parametrize(
    "given", ["", TOKEN, "Bearer", "Bearer ", f"Basic {TOKEN}", f"Bearer {TOKEN}x", f"Bearer {TOKEN[:-1]}"]
)
def test_another_token_opens_nothing(given: str, settings: Any) -> None:
    settings.METRICS_TOKEN = TOKEN
    assert asked(ELSEWHERE, Authorization=given).status_code == 404


@pytest.mark.parametrize("given", ["Bearer", "Bearer ", "Bearer  ", "Bearer x"])
def test_without_a_token_in_the_settings_none_is_right(given: str, settings: Any) -> None:
    settings.METRICS_TOKEN = ""
    assert asked(ELSEWHERE, Authorization=given).status_code == 404


def test_the_token_is_compared_in_constant_time(settings: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """No early end that would tell how many characters were right."""
    settings.METRICS_TOKEN = TOKEN
    compared: list[tuple[bytes, bytes]] = []

    def noting(given: bytes, kept: bytes) -> bool:
        compared.append((given, kept))
        return False

    monkeypatch.setattr("hospital.project.metrics.hmac.compare_digest", noting)
    assert asked(ELSEWHERE, Authorization="Bearer wrong").status_code == 404
    assert compared == [(b"wrong", TOKEN.encode())]
