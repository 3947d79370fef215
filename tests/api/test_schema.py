"""The published schema against the running house, as each kind of caller: no crash, nothing undocumented.

With a fixed seed and few examples an operation here; `--schema-examples 200` looks longer.
"""

from __future__ import annotations

import re
import time
import zlib
from collections.abc import Iterator
from datetime import timedelta
from typing import Any
from uuid import uuid4

import jwt
import pytest
import schemathesis
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from django.core.wsgi import get_wsgi_application
from django.db import connection
from hypothesis import HealthCheck, given, note, seed, settings
from hypothesis import strategies as st
from rest_framework.test import APIClient
from schemathesis import GenerationMode
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_headers_conformance,
    response_schema_conformance,
    status_code_conformance,
)
from schemathesis.specs.openapi.schemas import OpenApiSchema

from hospital.access import peers
from hospital.access import services as access
from hospital.access.models import Membership, PatientAccount, Peer, Role, User
from hospital.access.phones import phone_index
from hospital.access.selectors import principal_of_user
from hospital.access.table import ACTIONS
from hospital.common.api import PUBLIC
from hospital.people.models import AccountPatient
from tests.access.house import Address, House, addresses, make_house
from tests.access.house_rows import pem_of
from tests.api.test_exams import Box

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.timeout(900)]
CHECKS = [
    schemathesis.checks.not_a_server_error,
    status_code_conformance,
    content_type_conformance,
    response_headers_conformance,
    response_schema_conformance,
]
CALLERS = ("nobody", "patient", "delegate", "robot", "peer", *Role.values)
PEER_KEY = Ed25519PrivateKey.generate()


@pytest.fixture
def house(settings: Any) -> House:
    settings.EMBEDDED = True
    return make_house()


@pytest.fixture
def schema(transactional_db: None) -> Iterator[OpenApiSchema]:
    """Requests in this process over WSGI; a crash comes back as the 500 it would be."""
    connection.settings_dict["CONN_MAX_AGE"] = None  # not a new connection for each request
    yield schemathesis.openapi.from_wsgi("/api/v1/schema/", get_wsgi_application())
    connection.settings_dict["CONN_MAX_AGE"] = 0


def _account(house: House, phone: str, *, delegate: bool) -> PatientAccount:
    account, _ = PatientAccount.objects.get_or_create(
        phone_index=phone_index(phone), defaults={"phone": phone}
    )
    if not delegate:
        AccountPatient.objects.get_or_create(account=account, patient=house.world.patient)
    return account


def _bearer(**whose: Any) -> dict[str, str]:
    return {"Authorization": f"Bearer {access.token_issue(life=timedelta(hours=1), **whose)[0]}"}


def _peer_token(house: House) -> str:
    """As the expert's hospital signs it; the hospital of the house keeps its key."""
    place, pem = house.world.places["expert"], pem_of(PEER_KEY)
    row = Peer.objects.filter(institution=place, public_key_pem=pem).first() or peers.peer_register(
        principal=principal_of_user(User.objects.get(username="home-security_admin")),
        institution_id=place.id,
        public_key_pem=pem,
        days=1,
    )
    issued = int(time.time())
    claims = {
        "iss": str(place.id), "sub": "影像科", "aud": peers.AUDIENCE, "iat": issued, "exp": issued + 300,
        "jti": uuid4().hex,
    }  # fmt: skip
    return jwt.encode(claims, PEER_KEY, algorithm=row.algorithm, headers={"kid": row.kid})


def headers_of(house: House, caller: str, box: Box) -> dict[str, str]:
    """A fresh proof of who asks; a robot's and a peer institution's token count once."""
    if caller == "nobody":
        return {}
    if caller == "robot":
        return box.headers()
    if caller == "peer":
        return {"Authorization": f"Peer {_peer_token(house)}"}
    if caller in ("patient", "delegate"):
        phone = "13900000001" if caller == "patient" else "13900000077"
        return _bearer(account=_account(house, phone, delegate=caller == "delegate"))
    user, _ = User.objects.get_or_create(
        username=f"caller-{caller}",
        defaults={"name": "呼叫", "password": "!", "totp_secret": "JBSWY3DPEHPK3PXP"},
    )
    Membership.objects.get_or_create(user=user, institution=house.world.places["home"], role=caller)
    return _bearer(user=user)


def open_to(caller: str, action: str) -> bool:
    return action == PUBLIC or caller in ACTIONS[action]


def some_inside(operation: Any, callers: list[str]) -> list[str]:
    """Two of those to whom the door is open, others for other doors: each kind gets its share of the house."""
    first = zlib.crc32(f"{operation.path} {operation.method}".encode()) % max(1, len(callers))
    return (callers[first:] + callers[:first])[:2]


def path_of(found: Address) -> str:
    """The route as the document writes it."""
    return "/" + re.sub(r"<\w+:(\w+)>", r"{\1}", found.route)


def operations(schema: OpenApiSchema) -> Iterator[tuple[Any, str]]:
    """(operation, action of the permission table) of everything in the document."""
    known = {(path_of(found), found.method): found for found in addresses()}
    for result in schema.get_all_operations():
        operation: Any = result.ok()  # type: ignore[union-attr]
        found = known[(operation.path, operation.method.upper())]
        yield operation, found.door.actions[found.method]


def test_a_peer_institutions_token_is_let_in(house: House) -> None:
    """A caller whose proof is refused everywhere would try no door from inside."""
    box = Box(house.world)
    for headers, inside in ((headers_of(house, "peer", box), True), ({"Authorization": "Peer x"}, False)):
        answer = APIClient().post("/api/v1/peer/reports", {}, format="json", headers=headers)
        assert (answer.status_code != 401) is inside, answer.content


def probe(operation: Any, callers: list[str], examples_n: int, house: House, box: Box) -> int:
    """Send each generated request as each of `callers`, on ids that exist and on others; every answer is checked.

    How many were sent. The seed is the operation's own, so that a new door changes no other door's requests.
    """
    sent = 0
    kinds = [
        operation.as_strategy(generation_mode=mode)
        for mode in (GenerationMode.POSITIVE, GenerationMode.NEGATIVE)
    ]

    @seed(zlib.crc32(f"{operation.method} {operation.path}".encode()))
    @settings(max_examples=examples_n, database=None, deadline=None, suppress_health_check=list(HealthCheck))
    @given(case=st.one_of(*kinds), real=st.booleans())
    def run(case: Any, real: bool) -> None:
        nonlocal sent
        if real and case.path_parameters:
            case.path_parameters |= {
                name: str(house.ids[name]) for name in case.path_parameters if name in house.ids
            }
        given_headers = dict(case.headers or {})
        for caller in callers:
            note(f"as {caller}")
            case.headers = given_headers | headers_of(house, caller, box)
            case.call_and_validate(checks=CHECKS)
            sent += 1

    run()
    return sent


def test_the_document_is_a_valid_openapi_schema_with_every_door(schema: OpenApiSchema) -> None:
    assert str(schema.raw_schema["openapi"]).startswith("3.1")
    documented = {(operation.path, operation.method.upper()) for operation, _ in operations(schema)}
    doors = {(path_of(found), found.method) for found in addresses() if found.route.startswith("api/v1/")}
    assert documented == doors
    ids = [operation.definition.raw["operationId"] for operation, _ in operations(schema)]
    assert len(ids) == len(set(ids))


def _sentences(found: BaseExceptionGroup[BaseException]) -> str:
    inner = [one for one in found.exceptions for one in getattr(one, "exceptions", [one])]
    notes = [note for one in (found, *inner) for note in getattr(one, "__notes__", [])]
    return "\n".join(
        [*(f"{one.title}: {one}" if hasattr(one, "title") else repr(one) for one in inner), *notes]
    )


def test_nothing_crashes_and_nothing_is_undocumented(
    house: House, schema: OpenApiSchema, request: pytest.FixtureRequest
) -> None:
    """Once as everybody; then more requests as two of those to whom the door is open."""
    most, box, sent = int(request.config.getoption("--schema-examples")), Box(house.world), 0
    known, wrong = list(operations(schema)), []
    for operation, action in known:
        inside = some_inside(operation, [one for one in CALLERS if open_to(one, action)])
        try:
            sent += probe(operation, list(CALLERS), 1, house, box)
            sent += probe(operation, inside, most, house, box)
        except BaseExceptionGroup as found:  # every door's findings at once
            wrong.append(f"{operation.method.upper()} {operation.path}\n{_sentences(found)}")
    assert not wrong, "\n\n".join(wrong)
    assert sent > len(known) * len(CALLERS)


def test_a_crash_and_an_undocumented_status_would_be_seen(
    house: House, schema: OpenApiSchema, monkeypatch: pytest.MonkeyPatch
) -> None:
    from django.http import HttpResponse

    from devices.fleet.api import RobotsDoor

    box = Box(house.world)
    operation = next(found for found, action in operations(schema) if action == "robot.list")

    def crash(*_: Any, **__: Any) -> Any:
        raise RuntimeError("as a bug would")

    def teapot(*_: Any, **__: Any) -> Any:
        return HttpResponse(status=418)

    for broken, said in ((crash, "Server error"), (teapot, "Undocumented")):
        monkeypatch.setattr(RobotsDoor, "get", broken)
        with pytest.raises(BaseExceptionGroup) as found:
            probe(operation, ["scheduler"], 1, house, box)
        titles = [getattr(one, "title", "") for one in found.value.exceptions]
        assert any(said in title for title in titles), titles
