"""Bedside tablets: pairing, the change of person, what such a sign-in may do, and the exam that changes hands."""

from __future__ import annotations

from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest
from django.db import IntegrityError, transaction
from rest_framework.test import APIClient

from hospital.access import keys, proofs, selectors, tablets
from hospital.access import services as access
from hospital.access.models import AccessToken, BedsidePin, Membership, Tablet, TabletOpening, User
from hospital.access.principals import Principal
from hospital.access.table import ACTIONS, BEDSIDE_ONLY, allowed
from hospital.audit.models import AuditEntry
from hospital.common.clock import now
from hospital.common.errors import Conflict, DomainError, Forbidden, Invalid, NotFound, Unauthenticated
from hospital.scheduling.models import Reservation
from teleconsult import selectors as exams
from teleconsult import services, turnover
from teleconsult.models import BedsideHandOver, Exam, Turnover
from teleconsult.representations import exam_json
from tests.authenticator import Authenticator
from tests.factories import World, make_world
from tests.tablet import PIN, SoftTablet

pytestmark = pytest.mark.django_db


@pytest.fixture
def world() -> World:
    return make_world()


@pytest.fixture
def tablet(world: World) -> SoftTablet:
    """Paired, and opened by both bedside physicians and a nurse."""
    found = SoftTablet()
    found.pair(world)
    user = User.objects.create(username="nurse", name="何敏", password="!", totp_secret="JBSWY3DPEHPK3PXP")
    Membership.objects.create(user=user, institution=world.places["home"], role="nurse")
    _, row = access.token_issue(life=timedelta(hours=1), user=user)
    world.users["nurse"] = user
    world.principals["nurse"] = selectors.principal_of_user(user, row.id)
    for who in ("bedside", "bedside2", "nurse"):
        found.opened_by(world.principals[who])
    return found


def refused(code: str, error: type[DomainError]) -> pytest.RaisesExc[DomainError]:
    return pytest.RaisesExc(error, check=lambda found: found.code == code)


def browser() -> APIClient:
    return APIClient(HTTP_HOST="localhost")


def change(client: APIClient, tablet: SoftTablet, user: User, pin: str = PIN, **more: Any) -> Any:
    body = tablet.body("change", user.id, user_id=str(user.id), pin=pin, **more)
    return client.post(f"/api/v1/tablets/{tablet.id}/change", body, format="json")


def seated(tablet: SoftTablet, user: User) -> Principal:
    found = selectors.principal_of_token_id(tablet.seated(user.id).id)
    assert found is not None
    return found


# Pairing


def test_a_code_pairs_one_browser_once(world: World) -> None:
    _, code = tablets.tablet_offer(
        principal=world.principals["desk"],
        institution_id=world.places["home"].id,
        room_id=world.room.id,
        name="一室",
    )
    first, plain = SoftTablet(), code.replace("-", "")
    given = {
        "code": code, "public_key": first.spki,
        "signature": first.sign(f"bedside tablet 1\npair\n{plain}".encode()),
    }  # fmt: skip
    assert browser().post("/api/v1/tablets/pair", given, format="json").status_code == 201
    again = browser().post("/api/v1/tablets/pair", given, format="json")
    assert (again.status_code, again.json()["code"]) == (401, "tablet_code_invalid")


def test_a_code_is_over_after_a_quarter_of_an_hour(world: World) -> None:
    tablet, code = tablets.tablet_offer(
        principal=world.principals["desk"],
        institution_id=world.places["home"].id,
        room_id=world.room.id,
        name="一室",
    )
    Tablet.objects.filter(id=tablet.id).update(code_expires_at=now() - timedelta(seconds=1))
    soft = SoftTablet()
    with refused("tablet_code_invalid", Unauthenticated):
        tablets.tablet_pair(code=code, public_key=soft.spki, signature=soft.sign(b"x"))


def test_a_key_that_did_not_sign_the_code_pairs_nothing(world: World) -> None:
    row, code = tablets.tablet_offer(
        principal=world.principals["desk"],
        institution_id=world.places["home"].id,
        room_id=world.room.id,
        name="一室",
    )
    with refused("tablet_key_invalid", Invalid):
        tablets.tablet_pair(code=code, public_key=SoftTablet().spki, signature=SoftTablet().sign(b"x"))
    row.refresh_from_db()
    assert row.paired_at is None


def test_a_room_of_another_hospital_is_not_there(world: World) -> None:
    client = browser()
    token, _ = access.token_issue(life=timedelta(hours=1), user=world.users["other_desk"])
    body = {"room_id": str(world.room.id), "name": "x"}
    answer = client.post("/api/v1/tablets", body, format="json", headers={"Authorization": f"Bearer {token}"})
    assert answer.status_code == 404
    assert not Tablet.objects.exists()


def test_two_tablets_of_one_house_have_two_names(world: World) -> None:
    SoftTablet().pair(world, "一室")
    with refused("tablet_name_taken", Conflict):
        SoftTablet().pair(world, "一室")


# The change


def test_six_digits_change_the_person_and_end_the_one_before(world: World, tablet: SoftTablet) -> None:
    client = browser()
    first = change(client, tablet, world.users["bedside"])
    assert (first.status_code, first.json()["name"]) == (200, "李建国")
    before = tablet.seated(world.users["bedside"].id)
    assert change(client, tablet, world.users["bedside2"]).status_code == 200
    assert selectors.principal_of_token_id(before.id) is None
    page = client.get("/console/bedside/")
    assert page.status_code == 200 and "徐芳" in page.content.decode()


def test_one_touch_of_a_key_changes_the_person_too(world: World, tablet: SoftTablet) -> None:
    person, key = world.principals["bedside2"], Authenticator()
    asked = keys.register_challenge(principal=person)
    keys.key_register(
        principal=person,
        challenge_id=UUID(asked["challenge_id"]),
        credential=key.create(asked["options"]),
        name="k",
    )
    challenge = tablets.challenge_issue(tablet_id=tablet.id)
    signed = tablet.answer(challenge, "change", person.id)
    body = {
        "challenge_id": str(signed.challenge_id), "signature": signed.signature, "user_id": str(person.id),
        "credential": key.get(challenge["options"]),
    }  # fmt: skip
    answer = browser().post(f"/api/v1/tablets/{tablet.id}/change", body, format="json")
    assert answer.status_code == 200, answer.json()


@pytest.mark.parametrize("who", ["wrong pin", "nobody", "not opened", "locked", "left"])
def test_every_refusal_is_one_answer(world: World, tablet: SoftTablet, who: str) -> None:
    user, pin = world.users["bedside"], PIN
    if who == "wrong pin":
        pin = "111119"
    elif who == "nobody":
        user = User(id=world.robot.id)
    elif who == "not opened":
        user = world.users["expert"]
    elif who == "locked":
        User.objects.filter(id=user.id).update(locked_until=now() + timedelta(hours=1))
    else:
        Membership.objects.filter(user=user).delete()
    answer = change(browser(), tablet, user, pin)
    assert (answer.status_code, answer.json()["code"]) == (401, "tablet_refused")
    assert set(answer.json()) <= {"type", "title", "status", "code", "instance", "request_id"}
    assert AuditEntry.objects.filter(action="tablet.change", outcome="refused").count() == 1


def test_the_fifth_wrong_pin_ends_what_the_person_had_open_and_only_both_factors_open_it_again(
    world: World, tablet: SoftTablet
) -> None:
    user = world.users["bedside"]
    for _ in range(tablets.PIN_TRIES):
        assert change(browser(), tablet, user, "111119").status_code == 401
    assert change(browser(), tablet, user, PIN).status_code == 401
    assert not TabletOpening.objects.filter(user=user).exists()
    tablet.opened_by(world.principals["bedside"], pin="")
    assert change(browser(), tablet, user, PIN).status_code == 200


def test_a_challenge_is_good_once(world: World, tablet: SoftTablet) -> None:
    user = world.users["bedside"]
    body = tablet.body("change", user.id, user_id=str(user.id), pin=PIN)
    where = f"/api/v1/tablets/{tablet.id}/change"
    assert browser().post(where, body, format="json").status_code == 200
    assert browser().post(where, body, format="json").status_code == 401


def test_a_signature_for_another_purpose_or_person_changes_nothing(world: World, tablet: SoftTablet) -> None:
    user, other = world.users["bedside"], world.users["bedside2"]
    for purpose, named in (("roster", user.id), ("open", user.id), ("change", other.id)):
        body = tablet.body(purpose, named, user_id=str(user.id), pin=PIN)
        assert browser().post(f"/api/v1/tablets/{tablet.id}/change", body, format="json").status_code == 401


def test_a_copied_cookie_without_the_tablets_key_changes_nobody(world: World, tablet: SoftTablet) -> None:
    client = browser()
    change(client, tablet, world.users["bedside"])
    thief = browser()
    thief.cookies = client.cookies
    copy = SoftTablet(id=tablet.id)
    assert change(thief, copy, world.users["bedside2"]).status_code == 401
    assert tablet.seated(world.users["bedside"].id)


def test_the_shift_ends(world: World, tablet: SoftTablet) -> None:
    past = now() - timedelta(hours=13)
    TabletOpening.objects.update(opened_at=past, ends_at=past + timedelta(hours=12))
    assert change(browser(), tablet, world.users["bedside"]).status_code == 401


def test_a_new_password_ends_the_pin(world: World, tablet: SoftTablet) -> None:
    User.objects.filter(id=world.users["bedside"].id).update(password_set_at=now())
    assert change(browser(), tablet, world.users["bedside"]).status_code == 401


@pytest.mark.parametrize(
    "pin", ["111111", "123456", "987654", "890123", "121212", "123123", "12345", "１２３４５６"]
)
def test_a_pin_that_anybody_tries_first_is_not_taken(world: World, tablet: SoftTablet, pin: str) -> None:
    with refused("pin_weak", Invalid):
        tablet.opened_by(world.principals["bedside"], pin)


def test_a_pin_is_kept_as_argon2_only(world: World, tablet: SoftTablet) -> None:
    row = BedsidePin.objects.get(user=world.users["bedside"])
    assert row.digest.startswith("argon2") and PIN not in row.digest


def test_opening_needs_both_factors_a_moment_ago(world: World, tablet: SoftTablet) -> None:
    AccessToken.objects.update(proven_at=now() - timedelta(minutes=11))
    with refused("step_up_required", Forbidden):
        tablet.opened_by(world.principals["bedside"])


def test_nobody_of_another_house_opens_it(world: World, tablet: SoftTablet) -> None:
    with refused("tablet_elsewhere", Forbidden):
        tablet.opened_by(world.principals["expert"])


def test_the_roster_is_told_to_the_tablet_alone_and_masks_names(world: World, tablet: SoftTablet) -> None:
    where = f"/api/v1/tablets/{tablet.id}/roster"
    signed = tablet.signed("roster")
    body = {"challenge_id": str(signed.challenge_id), "signature": signed.signature}
    people = browser().post(where, body, format="json").json()["people"]
    assert [row["name"] for row in people] == ["何敏", "徐芳", "李*国"]
    assert all(row["pin"] and not row["key"] for row in people)
    assert browser().post(where, body, format="json").status_code == 401


# What it is good for


def test_such_a_sign_in_does_bedside_things_in_its_room_only(world: World, tablet: SoftTablet) -> None:
    here, away = world.book(), world.book(room_id=world.room2.id, starts_at=world.tomorrow(60))
    change(browser(), tablet, world.users["bedside"])
    principal = seated(tablet, world.users["bedside"])
    assert {action for action in ACTIONS if allowed(principal, action)} <= BEDSIDE_ONLY
    assert [exam.id for exam in exams.exams(principal)] == [here.id]
    with pytest.raises(NotFound):
        exams.exam_get(principal, away.id)


def test_it_signs_what_another_room_of_the_tablets_hospital_still_owes_and_no_other_hospitals(
    world: World, tablet: SoftTablet
) -> None:
    exam = world.ended()
    Turnover.objects.filter(exam=exam).update(room=world.room2)
    Membership.objects.create(user=world.users["nurse"], institution=world.places["other"], role="nurse")
    change(browser(), tablet, world.users["nurse"])
    principal = seated(tablet, world.users["nurse"])
    (owed,) = turnover.standing(principal)
    signed = services.turnover_sign(principal=principal, turnover_id=owed.id, item="paper_changed", means="")
    assert turnover.done_of(turnover.turnover_get(principal, signed.id)) == ["paper_changed"]
    Turnover.objects.filter(exam=exam).update(institution=world.places["other"])
    assert turnover.standing(principal) == []
    with pytest.raises(NotFound):
        services.turnover_sign(principal=principal, turnover_id=owed.id, item="arm_wiped", means="")


def test_it_signs_nothing_and_can_not_be_stepped_up(world: World, tablet: SoftTablet) -> None:
    client = browser()
    change(client, tablet, world.users["bedside"])
    principal = seated(tablet, world.users["bedside"])
    with refused("step_up_required", Forbidden):
        proofs.recently_proven(principal=principal)
    for path in ("auth/step-up", "auth/password", "auth/keys/options", f"tablets/{tablet.id}/open"):
        assert client.post(f"/api/v1/{path}", {}, format="json").status_code == 403
    assert client.delete(f"/api/v1/auth/sessions/{world.principals['bedside'].token_id}").status_code == 403


def test_the_log_names_the_person_and_the_tablet(world: World, tablet: SoftTablet) -> None:
    change(browser(), tablet, world.users["bedside"])
    entry = AuditEntry.objects.get(action="tablet.change")
    assert (entry.actor_id, entry.device_kind, entry.device_id) == (
        world.users["bedside"].id,
        "tablet",
        tablet.id,
    )


def test_a_withdrawn_tablet_is_of_no_use_from_the_next_request(world: World, tablet: SoftTablet) -> None:
    full = AccessToken.objects.create(
        digest=b"f" * 32,
        user=world.users["bedside2"],
        tablet_id=tablet.id,
        expires_at=now() + timedelta(hours=1),
    ).id
    client = browser()
    change(client, tablet, world.users["bedside"])
    AccessToken.objects.filter(id=full).update(revoked_at=None)
    assert selectors.principal_of_token_id(full) is not None
    tablets.tablet_revoke(principal=world.principals["desk"], tablet_id=tablet.id)
    assert client.get("/api/v1/exams").status_code in (401, 403)
    assert selectors.principal_of_token_id(full) is None  # the sign-in with both factors on it ended too
    assert browser().post(f"/api/v1/tablets/{tablet.id}/challenge").status_code == 401
    with pytest.raises(NotFound):
        tablets.tablet_revoke(principal=world.principals["desk"], tablet_id=tablet.id)


def test_the_database_keeps_one_person_at_a_tablet(world: World, tablet: SoftTablet) -> None:
    change(browser(), tablet, world.users["bedside"])
    row = Tablet.objects.get(id=tablet.id)
    with pytest.raises(IntegrityError), transaction.atomic():
        access.token_issue(
            life=timedelta(hours=1), user=world.users["bedside2"], tablet=row, bedside_only=True
        )


# The exam changes hands


def test_a_live_exam_is_handed_over_with_the_person(world: World, tablet: SoftTablet) -> None:
    exam = world.live()
    answer = change(browser(), tablet, world.users["bedside2"], exam_id=str(exam.id))
    assert answer.status_code == 200, answer.json()
    exam.refresh_from_db()
    row = BedsideHandOver.objects.get(exam=exam)
    assert (exam.state, exam.bedside_physician_id) == ("live", world.users["bedside2"].id)
    assert (row.before_id, row.after_id, row.tablet_id, row.state) == (
        world.users["bedside"].id, world.users["bedside2"].id, tablet.id, "live",
    )  # fmt: skip
    assert row.calendar_moved
    booked = Reservation.objects.filter(appointment_id=exam.appointment_id, resource__user__isnull=False)
    assert {found.resource.user_id for found in booked} == {
        world.users["expert"].id,
        world.users["bedside2"].id,
    }
    told = exam_json(exams.exam_get(world.principals["expert"], exam.id), world.principals["expert"])
    assert [(one["from"], one["to"]) for one in told["hand_overs"]] == [("李建国", "徐芳")]
    entry = AuditEntry.objects.get(action="exam.bedside_take")
    assert (entry.actor_id, entry.device_id) == (world.users["bedside2"].id, tablet.id)


def test_a_nurse_does_not_take_over_and_whoever_stood_there_still_does(
    world: World, tablet: SoftTablet
) -> None:
    exam, client = world.live(), browser()
    change(client, tablet, world.users["bedside"])
    answer = change(client, tablet, world.users["nurse"], exam_id=str(exam.id))
    assert (answer.status_code, answer.json()["code"]) == (403, "bedside_physician_needed")
    assert tablet.seated(world.users["bedside"].id)
    assert not BedsideHandOver.objects.exists()
    assert client.get("/console/bedside/").status_code == 200


def test_an_exam_of_another_room_is_not_there(world: World, tablet: SoftTablet) -> None:
    exam = world.live()
    Exam.objects.filter(id=exam.id).update(room=world.room2)
    answer = change(browser(), tablet, world.users["bedside2"], exam_id=str(exam.id))
    assert answer.status_code == 404
    assert not AccessToken.objects.filter(bedside_only=True).exists()


def test_without_the_rooms_tablet_nobody_takes_over(world: World) -> None:
    exam = world.live()
    with pytest.raises(NotFound):
        services.bedside_take(principal=world.principals["bedside2"], exam_id=exam.id)


def test_an_exam_that_is_over_is_not_taken_over(world: World, tablet: SoftTablet) -> None:
    exam = world.ended()
    answer = change(browser(), tablet, world.users["bedside2"], exam_id=str(exam.id))
    assert (answer.status_code, answer.json()["code"]) == (409, "illegal_transition")


def test_a_full_calendar_does_not_keep_anybody_from_the_couch(world: World, tablet: SoftTablet) -> None:
    exam = world.live()
    world.book(
        starts_at=exam.starts_at, bedside_physician_id=world.users["bedside2"].id, robot_id=_robot(world).id,
        remote_physician_id=world.users["expert2"].id, room_id=world.room2.id,
    )  # fmt: skip
    answer = change(browser(), tablet, world.users["bedside2"], exam_id=str(exam.id))
    assert answer.status_code == 200, answer.json()
    assert not BedsideHandOver.objects.get().calendar_moved


def _robot(world: World) -> Any:
    from devices.fleet.models import Robot
    from hospital.scheduling.models import Resource

    machine = Resource.objects.create(kind="robot", institution=world.places["home"], name="二号")
    return Robot.objects.create(
        resource=machine, institution=world.places["home"], name="二号",
        calibration_due_on=world.robot.calibration_due_on, maintenance_due_on=world.robot.maintenance_due_on,
    )  # fmt: skip
