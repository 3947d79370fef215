"""A patient whose record is only stored appears nowhere: every address x everybody who saw it a moment before."""

from __future__ import annotations

from typing import Any

import pytest
from rest_framework.test import APIClient

from devices.fleet.authentication import robot_principal
from hospital.access.models import Membership, PatientAccount, Role, User
from hospital.common import retention
from hospital.common.clock import now
from hospital.common.errors import NotFound
from hospital.keeping import engine
from hospital.keeping.models import Restriction
from hospital.people import erasure
from hospital.people.models import AccountPatient, BreakGlass, Delegation
from hospital.records.models import FrozenFrame, Image
from teleconsult import live
from tests.access.house import META, House, addresses, bodies, body_for, client_for, make_house
from tests.access.house_rows import PNG
from tests.access.test_strangers import AT_HOME, call, shown
from tests.api.test_exams import Box, dicom

pytestmark = pytest.mark.django_db
# Those who set holds name the patient themselves; everything else must not.
HOLDS = "api/v1/legal-holds"
# The proof of who did what stays whole for the audit administrator: it may name ids, never people or contents.
LOG = ("api/v1/audit/", "console/admin/audit/")
ADDRESSES = [
    found
    for found in addresses()
    if (found.route, found.method) not in AT_HOME and not found.route.startswith(HOLDS)
]


@pytest.fixture
def house(settings: Any) -> House:
    settings.EMBEDDED = True
    return make_house()


def readers(house: House) -> dict[str, APIClient]:
    """Everybody of the house, somebody of each role at home, the patient's phone and a daughter's."""
    world = house.world
    found = {name: client_for(user=user) for name, user in world.users.items()}
    for role in Role.values:
        user = User.objects.create(
            username=f"all-{role}", name="同事", password="!", totp_secret="JBSWY3DPEHPK3PXP"
        )
        Membership.objects.create(user=user, institution=world.places["home"], role=role)
        found[f"any {role}"] = client_for(user=user)
    Delegation.objects.update(proven_at=now())
    for name, phone in (("patient", "13900000001"), ("daughter", "13900000077")):
        account = world.account(phone, linked=name == "patient")
        found[name] = client_for(account=PatientAccount.objects.get(id=account.id))
    return found


def leaks(house: House, client: APIClient, *, reads_only: bool) -> list[tuple[str, str, str]]:
    known, found, ids = bodies(house), [], {str(one) for one in house.ids.values()} | {str(house.booked.id)}
    # A namesake with papers of his own may still be found by that name.
    secrets = [one for one in house.secrets if one != house.world.patient.name]
    for address in ADDRESSES:
        if reads_only and address.method != "GET":
            continue
        answer = call(client, address, house.ids, known)
        text = shown(answer).replace(address.path(house.ids), "")
        if address.route == "api/v1/exams" and address.method == "POST":
            text = text.replace(str(body_for(address, known)["patient_id"]), "")
        mine = [one for one in secrets if not (address.route.startswith(LOG) and one in ids)]
        found += [(address.method, address.route, secret) for secret in mine if secret in text]
    return found


def restrict(house: House) -> None:
    BreakGlass.objects.update(
        reviewed_at=now(), reviewed_by=house.world.users["desk"], verdict="justified", review_note=""
    )
    row = erasure.erasure_ask_on_paper(
        principal=house.world.principals["desk"], patient_id=house.world.patient.id, paper="P-9"
    )
    assert row.answer["restricted"], row.waits_for


def test_a_restricted_patient_appears_nowhere_for_anybody(house: House) -> None:
    everybody = readers(house)
    for name in ("desk", "expert", "bedside", "bedside2", "patient", "daughter"):
        assert leaks(house, everybody[name], reads_only=True), (
            f"{name} saw nothing before: the crawl proves nothing"
        )
    restrict(house)
    for name, client in everybody.items():
        assert leaks(house, client, reads_only=False) == [], name
    assert Restriction.objects.filter(patient_id=house.world.patient.id, lifted_at=None).exists()


def test_links_that_a_hold_kept_show_nothing_either(house: House) -> None:
    """Under a legal hold account links and delegations stay stored: the scope itself must refuse."""
    everybody = readers(house)
    Restriction.objects.create(patient_id=house.world.patient.id)
    assert AccountPatient.objects.exists() and Delegation.objects.exists()
    for name in ("desk", "expert", "bedside", "bedside2", "patient", "daughter"):
        assert leaks(house, everybody[name], reads_only=True) == [], name


@pytest.mark.parametrize(("who", "role"), [("expert", "console"), ("bedside", "bedside")])
def test_no_socket_opens_on_a_restricted_patients_exam(house: House, who: str, role: str) -> None:
    Restriction.objects.create(patient_id=house.world.patient.id)
    with pytest.raises(NotFound):
        live.page_joined(
            principal=house.world.principals[who], exam_id=house.booked.id, role=role, peer_id="p"
        )


def test_a_robots_late_picture_is_still_kept_with_the_record(house: House) -> None:
    """It was taken in care: losing it would be destroying a part of the record."""
    restrict(house)
    live.frozen_received(
        principal=robot_principal(house.world.robot),
        exam_id=house.exam.id,
        meta=META | {"frame_id": 78},
        data=PNG + b"late",
    )
    assert FrozenFrame.objects.filter(exam_id=house.exam.id, frame_id=78).exists()


def test_an_image_uploaded_to_a_restricted_patients_exam_is_kept_and_shown_to_nobody_until_they_return(
    house: House,
) -> None:
    """Through the robot's own door: the box learns nothing, the file joins the record and its clock."""
    world, box = house.world, Box(house.world)
    everybody = readers(house)
    restrict(house)
    answer = box.upload(house.exam, *dicom(house.exam))
    assert answer.status_code == 201, answer.content
    assert box.upload(house.exam, *dicom(house.exam)).status_code == 200, (
        "and comes again after a lost answer"
    )
    assert [one for one in house.secrets[:7] if one in shown(answer)] == []
    image = Image.objects.get(id=answer.json()["id"])
    assert (image.exam_id, image.patient_id) == (house.exam.id, world.patient.id)
    address = f"/api/v1/images/{image.id}"
    for name, client in everybody.items():
        assert client.get(address).status_code in (401, 403, 404), name
        assert str(image.id) not in shown(client.get(f"/api/v1/exams/{house.exam.id}/report")), name
    plan = engine.plan(kind=retention.PATIENT, subject_id=world.patient.id)
    assert next(line for line in plan.lines if line.part.name == "records.image").stays == 2
    erasure.record_reopen(
        principal=world.principals["desk"], document_number=world.patient.document_number, paper="R-1"
    )
    assert everybody["expert"].get(address).content.startswith(b"\x89PNG")
