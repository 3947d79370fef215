"""Every address x every role of another hospital: nothing is shown, nothing changes, and "not yours" is "not there"."""

from __future__ import annotations

import json
from typing import Any

import pytest
from rest_framework.test import APIClient

from hospital.access.models import User
from hospital.access.table import ACTIONS
from hospital.common.work import work_drain
from tests.access.house import (
    STRANGER_ROLES,
    Address,
    House,
    addresses,
    bodies,
    body_for,
    client_for,
    contents,
    make_house,
    other_ids,
    strange_delegate,
    strange_patient,
    strange_peer,
    stranger,
)
from tests.access.house_rows import member
from tests.factories import make_world

pytestmark = pytest.mark.django_db
ADDRESSES = addresses()
OWN = frozenset({"api/v1/auth/ticket", "api/v1/auth/sessions"})  # the caller's own things, wherever they work
# What a stranger may do at home without touching anything here: register a patient or a hospital, count a wrong code.
AT_HOME = frozenset(
    {
        ("api/v1/patients", "POST"),
        ("api/v1/peers", "POST"),
        ("api/v1/auth/password", "POST"),
        ("api/v1/auth/step-up", "POST"),
        ("api/v1/admin/institutions", "POST"),
        # A random number for whoever knows a tablet's id, of use to the tablet's key only.
        ("api/v1/tablets/<uuid:tablet_id>/challenge", "POST"),
    }
)
# An auditor's own reading stands in the log, which is one chain for all; whose entries are shown: test_auditing.
GROWING = frozenset({"api/v1/audit/entries", "api/v1/audit/state"})
REFUSED = (401, 403, 404, 302)  # 302: nobody is sent to sign in
FOLDED = ("request_id", "instance")


@pytest.fixture
def house(settings: Any) -> House:
    settings.EMBEDDED = True
    return make_house()


def call(client: APIClient, address: Address, ids: dict[str, Any], known: dict[str, dict[str, Any]]) -> Any:
    method = getattr(client, address.method.lower())
    if address.method in ("GET", "DELETE"):
        return method(address.path(ids))
    return method(address.path(ids), body_for(address, known), format="json")


def shown(answer: Any) -> str:
    """The body as text, JSON escapes undone."""
    if getattr(answer, "streaming", False):
        return b"".join(answer.streaming_content).decode("utf-8", "replace")
    text: str = answer.content.decode("utf-8", "replace")
    try:
        return json.dumps(json.loads(text), ensure_ascii=False)
    except ValueError:
        return text


def without_address(answer: Any) -> Any:
    try:
        problem = json.loads(answer.content)
    except ValueError:
        return answer.status_code
    return {key: value for key, value in problem.items() if key not in FOLDED}


def crawl(client: APIClient, house: House) -> None:
    known, ids, nowhere = bodies(house), house.ids, other_ids(house)
    before = contents()
    for address in ADDRESSES:
        if (address.route, address.method) in AT_HOME:
            continue
        answer = call(client, address, ids, known)
        own_path = address.path(ids)
        leaked = [secret for secret in house.secrets if secret in shown(answer).replace(own_path, "")]
        assert not leaked, (address, leaked, [shown(answer).split(one)[0][-200:] for one in leaked])
        if address.names and address.route not in OWN:
            assert answer.status_code in REFUSED, (address, answer.status_code, shown(answer)[:300])
            absent = call(client, address, nowhere, known)
            assert absent.status_code == answer.status_code, address
            if not address.route.startswith("console/"):
                assert without_address(absent) == without_address(answer), address
    changed = {table for table, digest in contents().items() if before[table] != digest}
    assert not changed, changed


@pytest.mark.parametrize("role", STRANGER_ROLES)
def test_a_stranger_of_another_hospital_sees_and_changes_nothing(house: House, role: str) -> None:
    crawl(stranger(house, role), house)


def test_another_patient_sees_and_changes_nothing(house: House) -> None:
    crawl(strange_patient(house), house)


@pytest.mark.parametrize("role", ["remote_physician", "alarm_desk"])
def test_a_colleague_without_a_part_sees_and_changes_nothing(house: House, role: str) -> None:
    """The exam's own hospital is no reason by itself."""
    crawl(client_for(user=User.objects.get(id=member(house.world, role, "home").id)), house)


def test_a_delegate_of_another_patient_sees_and_changes_nothing(house: House) -> None:
    crawl(strange_delegate(house), house)


def test_another_institutions_system_without_consent_sees_and_changes_nothing(house: House) -> None:
    crawl(strange_peer(house), house)


@pytest.mark.parametrize("role", STRANGER_ROLES)
def test_a_strangers_lists_are_the_same_in_a_full_and_in_an_empty_hospital(settings: Any, role: str) -> None:
    """No total, no page count and no hint grows with what others hold."""
    settings.EMBEDDED = True
    world = make_world()
    client = client_for(user=User.objects.get(id=member(world, role, "other").id))

    def lists() -> dict[str, Any]:
        plain = [found for found in ADDRESSES if found.method == "GET" and not found.names]
        asked = [found.route for found in plain if found.route.startswith("api/")]
        asked = [route for route in asked if route not in OWN | GROWING]
        return {route: client.get(f"/{route}").content for route in asked}

    empty = lists()
    make_house(world)
    while work_drain():  # the machine's own health counts what is due
        pass
    assert len(empty) > 10
    assert {route for route, body in lists().items() if body != empty[route]} == set()


def test_nobody_sees_and_changes_nothing(house: House) -> None:
    crawl(APIClient(HTTP_HOST="localhost"), house)


def test_the_crawl_would_see_a_leak(house: House) -> None:
    """Pointed at the exam's own expert it must find secrets: otherwise it proves nothing."""
    with pytest.raises(AssertionError):
        crawl(client_for(user=house.world.users["expert"]), house)


def test_every_address_of_the_house_is_crawled() -> None:
    crawled = {address.route for address in ADDRESSES}
    assert len(crawled) > 60
    assert {"api/v1/exams/<uuid:exam_id>", "console/exams/<uuid:exam_id>/"} <= crawled


def test_every_row_of_the_table_is_used_by_a_door_or_page() -> None:
    import django.urls

    from hospital.common.api import Door
    from tests.api.test_auth import doors

    used = {
        action for door in doors(django.urls.get_resolver().url_patterns) for action in door.actions.values()
    }
    pages = {action for action in ACTIONS if action.startswith("page.") or "socket" in action}
    assert issubclass(next(doors(django.urls.get_resolver().url_patterns)), Door)
    assert set(ACTIONS) - pages - used == set()
