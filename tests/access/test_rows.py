"""The permission table both ways: each door and page x each role of the same hospital."""

from __future__ import annotations

from typing import Any

import pytest
from django.urls import get_resolver
from rest_framework.test import APIClient

from hospital.access.models import Membership, Role, User
from hospital.access.table import ACTIONS, roles_of
from hospital.common.api import PUBLIC
from tests.access.house import (
    Address,
    House,
    addresses,
    bodies,
    body_for,
    client_for,
    contents,
    make_house,
    other_ids,
    socket_classes,
)
from tests.api.test_auth import doors

pytestmark = pytest.mark.django_db
PAGE_ACTIONS = {
    "console/": "page.home",
    "console/account/": "page.account",
    "console/desk/": "page.desk",
    "console/calls/<uuid:room_id>/": "page.calls",
    "console/exams/<uuid:exam_id>/slip/": "page.slip",
    "console/requests/": "page.requests",
    "console/calendars/": "page.calendars",
    "console/exam-types/": "page.exam_types",
    "console/patients/<uuid:patient_id>/": "page.patient",
    "console/patients/<uuid:patient_id>/consents/": "page.consents",
    "console/corrections/": "page.identity",
    "console/identity/": "page.identity",
    "console/bedside/": "page.bedside",
    "console/my-day/": "page.my_day",
    "console/mailbox/": "page.mailbox",
    "console/papers/": "page.papers",
    "console/figures/": "page.figures",
    "console/keeping/": "page.keeping",
    "console/keeping/requests/<uuid:request_id>/print/": "page.erasure_print",
    "console/consents/<uuid:consent_id>/print/": "page.consent_print",
    "console/admin/system/": "page.admin_system",
    "console/admin/security/": "page.admin_security",
    "console/admin/audit/": "page.admin_audit",
    "console/admin/tablets/": "page.tablets",
    "console/exams/<uuid:exam_id>/": "page.exam_console",
    "console/bedside/<uuid:exam_id>/": "page.exam_bedside",
    "console/exams/<uuid:exam_id>/report/": "page.report",
    "console/reports/<uuid:report_id>/print/": "page.report_print",
}
OPEN_PAGES = frozenset(
    {"console/sign-in/", "console/sign-out/", "console/language/", "console/sign-in/with/<uuid:provider_id>/"}
    | {"console/sign-in/back/", "console/sign-in/second/", "console/activate/", "console/tablet/"}
    | {"console/offer/"}
)


@pytest.fixture
def house(settings: Any) -> House:
    settings.EMBEDDED = True
    return make_house()


def action_of(address: Address) -> str | None:
    """The row that decides; None for what everybody may ask."""
    if address.route in OPEN_PAGES:
        return None
    if address.route.startswith("console/"):
        return PAGE_ACTIONS[address.route]
    found = next(door for door in doors(get_resolver().url_patterns) if address.door is door)
    action: str = found.actions[address.method]
    return None if action == PUBLIC else action


def colleague(house: House, role: str) -> APIClient:
    user = User.objects.create(
        username=f"colleague-{role}", name="同事", password="!", totp_secret="JBSWY3DPEHPK3PXP"
    )
    Membership.objects.create(user=user, institution=house.world.places["home"], role=role)
    return client_for(user=user)


def refused_by_the_table(answer: Any, action: str) -> bool:
    """The table names the action that it refused; a refusal for another reason does not. A robot's door does not
    even look at other people's tokens."""
    if set(ACTIONS[action]) <= {"robot", "peer"}:
        return bool(answer.status_code == 401)
    if answer.status_code != 403:
        return False
    return not answer.headers["Content-Type"].startswith("application/problem+json") or (
        answer.json().get("action") == action
    )


def ask(client: APIClient, address: Address, ids: dict[str, Any], body: dict[str, Any]) -> Any:
    method = getattr(client, address.method.lower())
    bare = address.method in ("GET", "DELETE")
    return method(address.path(ids)) if bare else method(address.path(ids), body, format="json")


@pytest.mark.parametrize("role", Role.values)
def test_a_role_is_let_in_where_its_row_says_and_nowhere_else(house: House, role: str) -> None:
    """On ids of nothing, so that who is let in changes nothing either."""
    client, known, nowhere = colleague(house, role), bodies(house), other_ids(house)
    before = contents()
    for address in addresses():
        action = action_of(address)
        if action is None or action in ("auth.password", "auth.step_up"):
            continue
        permitted = role in ACTIONS[action]
        if permitted and not address.names and address.method == "POST":
            continue  # would succeed; what it does is tested where it belongs
        refused = refused_by_the_table(ask(client, address, nowhere, body_for(address, known)), action)
        assert refused is not permitted, (address, role)
    assert {table for table, digest in contents().items() if before[table] != digest} == set()


def test_patients_and_robots_are_let_into_nothing_of_the_staff(house: House) -> None:
    world = house.world
    account = world.account()
    from hospital.access.models import PatientAccount

    client = client_for(account=PatientAccount.objects.get(id=account.id))
    known, nowhere = bodies(house), other_ids(house)
    for address in addresses():
        action = action_of(address)
        if (
            action is None
            or roles_of(account).intersection(ACTIONS[action])
            or address.route.startswith("console/")
        ):
            continue
        answer = ask(client, address, nowhere, body_for(address, known))
        assert refused_by_the_table(answer, action), address


def test_every_page_has_a_row() -> None:
    pages = {found.route for found in addresses() if found.route.startswith("console/")} - OPEN_PAGES
    assert pages == set(PAGE_ACTIONS)
    assert {action for action in ACTIONS if action.startswith("page.")} == set(PAGE_ACTIONS.values())


def test_every_message_of_every_socket_has_a_row_and_every_socket_row_a_message() -> None:
    sockets = socket_classes()
    assert {socket.__name__ for socket in sockets} >= {"ConsoleSocket", "BedsideSocket", "RobotSocket"}
    spoken = {f"{socket.door}.{kind}" for socket in sockets for kind in socket.hears()}
    joined = {socket.join for socket in sockets}
    assert len(spoken) > 15
    assert spoken | joined <= set(ACTIONS)
    assert {action for action in ACTIONS if "_socket." in action} == spoken
