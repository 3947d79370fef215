"""Agreements, licences, registrations and privileges: who keeps them, what they decide, and who is told in time."""

from __future__ import annotations

import base64
import hashlib
import importlib
from datetime import timedelta
from typing import Any

import pytest
from django.apps import apps
from django.db import IntegrityError, transaction
from django.test import Client
from rest_framework.test import APIClient

from hospital.access import services as access
from hospital.access.models import AccessToken, Institution, Membership, Proof, User
from hospital.common.clock import now, today
from hospital.common.errors import Conflict
from hospital.common.models import Work
from hospital.common.work import work_drain
from hospital.messages.models import Message
from hospital.people.models import Agreement, Practitioner, Privilege, Registration
from tests.access.house_rows import member
from tests.factories import World, make_world

pytestmark = pytest.mark.django_db
PDF = b"%PDF-1.7 signed by two hospitals"


@pytest.fixture
def world() -> World:
    return make_world()


def client_as(world: World, role: str, place: str) -> APIClient:
    user = User.objects.filter(username=f"{place}-{role}").first()
    if user is None:
        user = User.objects.get(id=member(world, role, place).id)
    token, _ = access.token_issue(life=timedelta(hours=1), user=user)
    return APIClient(HTTP_AUTHORIZATION=f"Bearer {token}")


def ask(client: APIClient, method: str, path: str, **body: Any) -> Any:
    return getattr(client, method)(f"/api/v1/{path}", body, format="json")


def paper(world: World, **changes: Any) -> dict[str, Any]:
    return {
        "inviting_id": str(world.places["home"].id),
        "invited_id": str(world.places["expert"].id),
        "services": ["remote_ultrasound"],
        "valid_from": today().isoformat(),
        "valid_to": (today() + timedelta(days=60)).isoformat(),
        "document": base64.b64encode(PDF).decode(),
    } | changes


def fresh_proof() -> None:
    """As after a step-up of everybody who is signed in."""
    AccessToken.objects.update(stepped_up_at=now())


def can_book(world: World, **changes: Any) -> str:
    """`booked`, or the codes of what is missing."""
    try:
        return world.book(**changes).state
    except Conflict as error:
        return ",".join(error.data["missing"])


def test_an_agreement_counts_when_both_sides_have_signed_it(world: World) -> None:
    Agreement.objects.all().delete()
    home, expert = client_as(world, "system_admin", "home"), client_as(world, "system_admin", "expert")
    written = ask(home, "post", "agreements", **paper(world))
    assert written.status_code == 201, written.json()
    assert written.json()["document_sha256"] == hashlib.sha256(PDF).hexdigest()
    path = f"agreements/{written.json()['id']}"
    for client, state in ((home, "agreement_missing"), (expert, "booked")):
        assert can_book(world) == "agreement_missing"
        fresh_proof()
        assert ask(client, "post", f"{path}/sign", signatory="院长").status_code == 200
        assert ask(client, "post", f"{path}/sign", signatory="院长").json()["code"] == "agreement_signed"
        if state != "booked":
            assert can_book(world) == state
    assert can_book(world) == "booked"
    assert expert.get(f"/api/v1/{path}/document").content == PDF
    assert client_as(world, "system_admin", "other").get(f"/api/v1/{path}/document").status_code == 404
    assert ask(expert, "post", f"{path}/end", reason="到期不续").status_code == 200
    assert can_book(world, starts_at=world.tomorrow(60)) == "agreement_missing"
    assert ask(home, "post", f"{path}/end", reason="x").json()["code"] == "agreement_ended"


def test_a_signature_takes_a_fresh_proof_of_its_own(world: World) -> None:
    """Without one nothing is written; one proof is good for one signature, and one for another paper for none."""
    Agreement.objects.all().delete()
    home = client_as(world, "system_admin", "home")
    first, second = (ask(home, "post", "agreements", **paper(world)).json()["id"] for _ in range(2))
    refused = ask(home, "post", f"agreements/{first}/sign", signatory="甲")
    assert (refused.status_code, refused.json()["code"]) == (403, "proof_required")
    assert Agreement.objects.get(id=first).signed_by_inviting_at is None
    token = AccessToken.objects.get(user__username="home-system_admin")
    Proof.objects.create(
        token=token, action="agreement.sign", object_id=second, expires_at=now() + timedelta(minutes=2)
    )
    assert ask(home, "post", f"agreements/{first}/sign", signatory="甲").json()["code"] == "proof_required"
    assert ask(home, "post", f"agreements/{second}/sign", signatory="甲").status_code == 200
    assert Proof.objects.get().used_at is not None


def test_one_person_of_two_hospitals_does_not_sign_for_both(world: World) -> None:
    Agreement.objects.all().delete()
    home = client_as(world, "system_admin", "home")
    written = ask(home, "post", "agreements", **paper(world)).json()
    user = User.objects.get(username="home-system_admin")
    fresh_proof()
    assert ask(home, "post", f"agreements/{written['id']}/sign", signatory="甲").status_code == 200
    Membership.objects.filter(user=user).update(institution=world.places["expert"])
    fresh_proof()
    answer = ask(home, "post", f"agreements/{written['id']}/sign", signatory="乙")
    assert (answer.status_code, answer.json()["code"]) == (409, "agreement_one_hand")
    assert Agreement.objects.get().signed_by_invited_at is None
    with pytest.raises(IntegrityError), transaction.atomic():
        Agreement.objects.update(invited_recorded_by=user)


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"invited_id": "home"}, "agreement_parties"),
        ({"inviting_id": "other"}, "agreement_parties"),
        ({"services": []}, "agreement_services"),
        ({"services": ["surgery"]}, "agreement_services"),
        ({"valid_to": "2020-01-01"}, "agreement_dates"),
        ({"document": base64.b64encode(b"no pdf").decode()}, "agreement_document"),
        ({"document": "***"}, "agreement_document"),
    ],
)
def test_an_agreement_that_cannot_be_right_is_not_written(
    world: World, changes: dict[str, Any], code: str
) -> None:
    named = {
        key: str(world.places[value].id) if isinstance(value, str) and value in world.places else value
        for key, value in changes.items()
    }
    before = Agreement.objects.count()
    answer = ask(client_as(world, "system_admin", "home"), "post", "agreements", **paper(world, **named))
    assert answer.json()["code"] == code
    assert Agreement.objects.count() == before


def test_an_agreement_that_ends_tonight_makes_tomorrow_unbookable(world: World) -> None:
    """By Shanghai's days: an exam at 00:10 there is tomorrow's, whatever UTC says."""
    from hospital.common.clock import shanghai_day

    Agreement.objects.update(valid_to=today())
    midnight = shanghai_day(today())[1]
    assert can_book(world, starts_at=midnight + timedelta(minutes=10)) == "agreement_missing"
    late = midnight - timedelta(minutes=10)
    from hospital.common.clock import now

    if late > now():
        assert can_book(world, starts_at=late) == "booked"


@pytest.mark.parametrize(
    ("act", "code"),
    [
        (lambda w: Practitioner.objects.update(licence_expires_on=today()), "licence_invalid"),
        (lambda w: Practitioner.objects.update(scope="internal_medicine,paediatrics"), "scope_not_covering"),
        (
            lambda w: Practitioner.objects.update(practice_started_on=today() - timedelta(days=900)),
            "practice_too_short",
        ),
        (lambda w: Registration.objects.update(valid_to=today()), "registration_missing"),
        (lambda w: Privilege.objects.update(valid_to=today()), "privilege_missing"),
        (lambda w: Privilege.objects.update(level="supervised"), "privilege_missing"),
        (
            lambda w: Institution.objects.filter(short_name="expert").update(region_code="310104"),
            "filing_missing",
        ),
    ],
)
def test_each_paper_that_ends_tonight_makes_tomorrow_unbookable_with_its_own_code(
    world: World, act: Any, code: str
) -> None:
    assert can_book(world) == "booked"
    act(world)
    assert can_book(world, starts_at=world.tomorrow(120)) == code


def test_inside_the_zone_no_filing_is_asked_and_outside_it_a_filing_opens(world: World) -> None:
    place = world.places["expert"]
    for region in ("320509", "330421"):
        Institution.objects.filter(id=place.id).update(region_code=region)
        assert can_book(world, starts_at=world.tomorrow(int(region) % 97 * 30)) == "booked"
    Institution.objects.filter(id=place.id).update(region_code="310104")
    admin = client_as(world, "system_admin", "expert")
    path = f"registry/physicians/{world.users['expert'].id}/registrations"
    body = {
        "institution_id": str(world.places["home"].id),
        "kind": "filing",
        "valid_from": today().isoformat(),
    }
    assert ask(admin, "post", path, **body, paper="  ").status_code == 422
    assert can_book(world, starts_at=world.tomorrow(30)) == "filing_missing"
    added = ask(admin, "post", path, **body, paper="同意多机构备案")
    assert added.status_code == 201
    assert can_book(world, starts_at=world.tomorrow(30)) == "booked"
    assert ask(admin, "post", f"registry/registrations/{added.json()['id']}/end").status_code == 204
    assert can_book(world, starts_at=world.tomorrow(1500)) == "filing_missing"


def test_the_administrator_renews_a_licence_at_home_and_not_elsewhere(world: World) -> None:
    Practitioner.objects.update(licence_expires_on=today() - timedelta(days=1))
    path = f"registry/physicians/{world.users['expert'].id}/licence"
    body = {
        "licence_number": "2", "licence_expires_on": (today() + timedelta(days=400)).isoformat(),
        "practice_started_on": "2010-01-01", "standing": "active", "scope": "ultrasound",
    }  # fmt: skip
    assert ask(client_as(world, "system_admin", "home"), "put", path, **body).status_code == 404
    assert can_book(world) == "licence_invalid"
    assert ask(client_as(world, "system_admin", "expert"), "put", path, **body).status_code == 204
    assert can_book(world) == "booked"


def test_a_privilege_is_earned_and_granted_by_the_quality_office_alone(world: World) -> None:
    Privilege.objects.all().delete()
    path = f"registry/physicians/{world.users['expert'].id}/privileges"
    body: dict[str, Any] = {
        "level": "independent", "simulator_hours": 19, "supervised_exams": 10,
        "valid_to": (today() + timedelta(days=99)).isoformat(),
    }  # fmt: skip
    assert ask(client_as(world, "system_admin", "expert"), "post", path, **body).status_code == 403
    quality = client_as(world, "quality_control", "expert")
    assert ask(quality, "post", path, **body).json()["code"] == "privilege_not_earned"
    assert can_book(world) == "privilege_missing"
    granted = ask(quality, "post", path, **body | {"simulator_hours": 20})
    assert granted.status_code == 201
    assert granted.json()["granted_by"] == "路人"
    assert can_book(world) == "booked"
    revoked = ask(quality, "post", f"registry/privileges/{granted.json()['id']}/revoke", reason="考核未通过")
    assert revoked.status_code == 204
    assert can_book(world, starts_at=world.tomorrow(90)) == "privilege_missing"


def test_nobody_grants_their_own_privilege(world: World) -> None:
    user = world.users["expert"]
    Membership.objects.create(user=user, institution=world.places["expert"], role="quality_control")
    token, _ = access.token_issue(life=timedelta(hours=1), user=user)
    answer = ask(
        APIClient(HTTP_AUTHORIZATION=f"Bearer {token}"), "post", f"registry/physicians/{user.id}/privileges",
        level="independent", simulator_hours=99, supervised_exams=99, valid_to="2099-01-01",
    )  # fmt: skip
    assert answer.json()["code"] == "privilege_own"
    with pytest.raises(IntegrityError), transaction.atomic():
        Privilege.objects.filter(user=user).update(granted_by=user)
    with pytest.raises(IntegrityError), transaction.atomic():
        Privilege.objects.filter(user=user).update(simulator_hours=1)


def test_the_registry_says_what_stands_against_booking_today(world: World) -> None:
    Institution.objects.filter(short_name="expert").update(region_code="310104")
    rows = client_as(world, "quality_control", "expert").get("/api/v1/registry/physicians").json()["results"]
    assert {row["name"] for row in rows} == {"王思远", "赵雅琴"}
    assert rows[0]["problems"] == [
        {"inviting": "home 医院", "inviting_en": "home", "codes": ["filing_missing"]}
    ]


def due(days: int) -> None:
    """Let the clock reach the warnings of so many days before, and no others, whatever the hour of the test."""
    Work.objects.filter(kind="paper_ends").update(due_at=now() + timedelta(days=1))
    kept = Work.objects.filter(kind="paper_ends", payload__days=days)
    kept.update(due_at=kept.model._meta.get_field("due_at").get_default())
    work_drain()


@pytest.mark.parametrize("days", [30, 7, 1])
def test_both_sides_administrators_are_told_before_an_agreement_ends(world: World, days: int) -> None:
    home, expert = client_as(world, "system_admin", "home"), client_as(world, "system_admin", "expert")
    assert expert
    ends = today() + timedelta(days=days)
    assert ask(home, "post", "agreements", **paper(world, valid_to=ends.isoformat())).status_code == 201
    due(days)
    told = Message.objects.filter(template="paper_ends", channel="in_app")
    names = {User.objects.get(id=row.to).username for row in told}
    assert names == {"home-system_admin", "expert-system_admin", "admin"}
    assert all(ends.isoformat() in row.text and str(days) in row.text for row in told)


def test_an_agreement_that_was_ended_or_a_licence_renewed_warns_nobody(world: World) -> None:
    home = client_as(world, "system_admin", "home")
    ends = (today() + timedelta(days=7)).isoformat()
    written = ask(home, "post", "agreements", **paper(world, valid_to=ends)).json()
    ask(home, "post", f"agreements/{written['id']}/end", reason="x")
    path = f"registry/physicians/{world.users['bedside'].id}/licence"
    for expires in (ends, (today() + timedelta(days=700)).isoformat()):
        ask(
            home, "put", path, licence_number="2", licence_expires_on=expires,
            practice_started_on="2010-01-01", standing="active", scope="ultrasound",
        )  # fmt: skip
    due(7)
    assert not Message.objects.filter(template="paper_ends").exists()


def test_the_physician_and_the_keeper_are_told_of_a_licence_once_for_each_warning(world: World) -> None:
    """A warning that comes late does not repeat what a nearer one says."""
    home = client_as(world, "system_admin", "home")
    body = {
        "licence_number": "2", "licence_expires_on": (today() + timedelta(days=7)).isoformat(),
        "practice_started_on": "2010-01-01", "standing": "active", "scope": "ultrasound",
    }  # fmt: skip
    for _ in range(2):
        ask(home, "put", f"registry/physicians/{world.users['bedside'].id}/licence", **body)
    due(30)
    assert not Message.objects.filter(template="paper_ends").exists()
    due(7)
    told = {User.objects.get(id=row.to).username for row in Message.objects.filter(template="paper_ends")}
    assert told == {"bedside", "home-system_admin", "admin"}


def test_an_upgraded_hospital_goes_on_booking_and_its_carried_papers_say_so(world: World) -> None:
    """Physicians who practised before these papers were kept; others gain nothing by it."""
    Registration.objects.all().delete()
    Privilege.objects.all().delete()
    Institution.objects.filter(short_name="expert").update(region_code="310104")
    assert can_book(world) == "registration_missing,filing_missing,privilege_missing"
    migration = importlib.import_module("hospital.people.migrations.0011_carried_over")
    migration.carry_over(apps, None)
    assert can_book(world) == "booked"
    assert {row.paper for row in Registration.objects.all()} == {migration.NOTE}
    assert not Registration.objects.filter(user=world.users["bedside"]).exists()
    assert set(Registration.objects.filter(kind="filing").values_list("valid_to", flat=True)) == {
        world.agreement.valid_to
    }


def test_a_notice_stands_on_its_readers_own_page_and_on_nobody_elses(world: World, settings: Any) -> None:
    """Also where messages to phones go through a carrier: what is told in the pages needs none."""
    settings.MESSAGES_PROVIDER = ""
    home = client_as(world, "system_admin", "home")
    ends = today() + timedelta(days=1)
    ask(home, "post", "agreements", **paper(world, valid_to=ends.isoformat()))
    for _ in range(3):  # the warning, then its messages
        due(1)
    readers = {"admin": True, "desk": False}
    for who, told in readers.items():
        browser = Client(HTTP_HOST="localhost")
        session = browser.session
        session[access.SESSION_KEY] = str(world.principals[who].token_id)
        session.save()
        page = browser.get("/console/account/").content.decode()
        assert (f"将于{ends}到期" in page) is told, who
