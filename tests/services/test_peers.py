"""Another institution's system: its key, its short tokens, and what consent and agreement let it read."""

from __future__ import annotations

import time
import uuid
from datetime import timedelta
from typing import Any

import jwt
import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from rest_framework.test import APIClient

from hospital.access import peers
from hospital.access import services as access
from hospital.access.models import AccessToken, Membership, Peer, PeerNonce, User
from hospital.access.principals import Principal
from hospital.access.selectors import principal_of_user
from hospital.audit.models import AuditEntry
from hospital.common.clock import now, today
from hospital.common.errors import Conflict, Invalid, NotFound, Unauthenticated
from hospital.people import consents
from hospital.people.models import Agreement, Consent
from tests.access.house import House, make_house

pytestmark = pytest.mark.django_db
DOCUMENT = "310229195003150012"


def pem_of(key: Any) -> str:
    form = serialization.PublicFormat.SubjectPublicKeyInfo
    return str(key.public_key().public_bytes(serialization.Encoding.PEM, form).decode())


class Hospital:
    """Another hospital's system with its own key."""

    def __init__(self, house: House, place: str, key: Any = None, *, days: int = 90) -> None:
        self.place, self.key = house.world.places[place], key or Ed25519PrivateKey.generate()
        self.row = peers.peer_register(
            principal=security(house),
            institution_id=self.place.id,
            public_key_pem=pem_of(self.key),
            days=days,
        )

    def token(self, **changes: Any) -> str:
        issued = int(time.time())
        claims = {
            "iss": str(self.place.id), "sub": "影像科 张医生", "aud": "hospital", "iat": issued,
            "exp": issued + 300, "jti": uuid.uuid4().hex,
        }  # fmt: skip
        return jwt.encode(
            claims | changes, self.key, algorithm=self.row.algorithm, headers={"kid": self.row.kid}
        )

    def client(self, **changes: Any) -> APIClient:
        return APIClient(HTTP_AUTHORIZATION=f"Peer {self.token(**changes)}")

    def asks(self, document: str = DOCUMENT) -> Any:
        return self.client().post("/api/v1/peer/reports", {"document_number": document}, format="json")


def security(house: House) -> Principal:
    user, _ = User.objects.get_or_create(
        username="sec", defaults={"name": "陈静", "password": "!", "totp_secret": "JBSWY3DPEHPK3PXP"}
    )
    Membership.objects.get_or_create(user=user, institution=house.world.places["home"], role="security_admin")
    return principal_of_user(user)


@pytest.fixture
def house() -> House:
    house = make_house()
    Consent.objects.filter(kind="transfer").delete()
    return house


def consent_to(house: House, place: str) -> Consent:
    return consents.consent_record(
        principal=house.world.principals["desk"], patient_id=house.world.patient.id, kind="transfer",
        receiver_id=house.world.places[place].id, text_version="1", given_by="patient", method="witness",
        witness_name="钱丽",
    )  # fmt: skip


@pytest.mark.parametrize(
    "make", [Ed25519PrivateKey.generate, lambda: ec.generate_private_key(ec.SECP256R1())]
)
def test_with_consent_and_agreement_a_hospital_reads_reports_and_their_pictures(
    house: House, make: Any
) -> None:
    hospital = Hospital(house, "expert", make())
    consent_to(house, "expert")
    listed = hospital.asks()
    assert [row["id"] for row in listed.json()["results"]] == [str(house.report.id)]
    report = hospital.client().get(f"/api/v1/peer/reports/{house.report.id}").json()
    assert report["findings"] == "肝脏大小正常"
    assert report["mpi"] == house.world.patient.mpi
    picture = hospital.client().get(report["images"][0]["url"] + "?as=dicom")
    assert (picture.status_code, picture.content) == (200, b"dicom bytes")


def test_each_read_is_on_record_and_the_patient_sees_who(house: House) -> None:
    hospital = Hospital(house, "expert")
    consent_to(house, "expert")
    hospital.asks()
    hospital.client().get(f"/api/v1/peer/reports/{house.report.id}")
    rows = AuditEntry.objects.filter(actor_kind="peer", outcome="read")
    assert {row.actor_institution_id for row in rows} == {hospital.place.id}
    assert [row.patient_ids for row in rows] == [[house.world.patient.id]] * 2
    account = access.token_issue(life=timedelta(hours=1), account=_account(house))[0]
    client = APIClient(HTTP_AUTHORIZATION=f"Bearer {account}")
    mine = client.get("/api/v1/me/accesses").json()["results"]
    assert {row["institution"] for row in mine if row["kind"] == "peer"} == {hospital.place.name}


def _account(house: House) -> Any:
    from hospital.access.models import PatientAccount

    return PatientAccount.objects.get(id=house.world.account().id)


def answers(hospital: Hospital, house: House) -> list[Any]:
    """Everything a system may ask, and the same for what does not exist."""
    nothing = uuid.uuid4()
    found = [hospital.asks(), hospital.asks("320584194802290036")]
    for ident in (house.report.id, nothing):
        found.append(hospital.client().get(f"/api/v1/peer/reports/{ident}"))
    for ident in (house.ids["image_id"], nothing):
        found.append(hospital.client().get(f"/api/v1/peer/images/{ident}"))
    return found


def assert_refused_alike(hospital: Hospital, house: House) -> None:
    before = AuditEntry.objects.filter(outcome="refused", reason="transfer_refused").count()
    found = answers(hospital, house)
    assert {(answer.status_code, answer.content) for answer in found} == {(403, found[0].content)}
    assert found[0].json()["code"] == "transfer_refused"
    after = AuditEntry.objects.filter(outcome="refused", reason="transfer_refused").count()
    assert after - before >= len(found)
    refused = AuditEntry.objects.filter(
        reason="transfer_refused", patient_ids__contains=[house.world.patient.id]
    )
    assert refused.exists()


def test_without_a_consent_known_and_unknown_patients_are_refused_alike_and_on_record(house: House) -> None:
    assert_refused_alike(Hospital(house, "expert"), house)


def test_a_consent_that_names_another_hospital_opens_nothing(house: House) -> None:
    consent_to(house, "other")
    assert_refused_alike(Hospital(house, "expert"), house)


def test_a_withdrawn_consent_acts_on_the_next_request(house: House) -> None:
    hospital = Hospital(house, "expert")
    row = consent_to(house, "expert")
    assert hospital.asks().status_code == 200
    consents.consent_take_back(
        principal=house.world.principals["desk"], action="patient.consent", consent_id=row.id, reason="x"
    )
    assert_refused_alike(hospital, house)


@pytest.mark.parametrize(
    "changes",
    [
        {"valid_to": today() - timedelta(days=1), "valid_from": today() - timedelta(days=9)},
        {"ended_at": now() - timedelta(minutes=1)},
        {"signed_by_invited_at": None},
    ],
)
def test_without_an_effective_agreement_a_consent_opens_nothing(
    house: House, changes: dict[str, Any]
) -> None:
    hospital = Hospital(house, "expert")
    consent_to(house, "expert")
    Agreement.objects.update(**changes)
    assert_refused_alike(hospital, house)


def test_a_key_opens_only_what_the_hospital_that_registered_it_keeps(house: House) -> None:
    """A third hospital's administrator can't lend a key to our patients' records."""
    hospital = Hospital(house, "expert")
    consent_to(house, "expert")
    Peer.objects.update(keeper=house.world.places["other"])
    assert_refused_alike(hospital, house)


@pytest.mark.parametrize(
    "changes",
    [
        {"exp": int(time.time()) + 86_400},
        {"exp": int(time.time()) - 60, "iat": int(time.time()) - 90},
        {"aud": "somebody else"},
        {"iss": str(uuid.uuid4())},
        {"sub": ""},
        {"jti": ""},
    ],
)
def test_a_token_that_is_not_short_and_for_us_is_refused(house: House, changes: dict[str, Any]) -> None:
    hospital = Hospital(house, "expert")
    with pytest.raises(Unauthenticated):
        peers.peer_authenticate(token=hospital.token(**changes))
    assert not PeerNonce.objects.exists()


def test_a_token_works_once(house: House) -> None:
    token = Hospital(house, "expert").token()
    assert peers.peer_authenticate(token=token).kind == "peer"
    with pytest.raises(Unauthenticated):
        peers.peer_authenticate(token=token)
    PeerNonce.objects.update(expires_at=now() - timedelta(seconds=1))
    peers.nonces_clear()
    assert not PeerNonce.objects.exists()


def test_another_key_under_the_same_name_is_refused(house: House) -> None:
    hospital = Hospital(house, "expert")
    hospital.key = Ed25519PrivateKey.generate()
    with pytest.raises(Unauthenticated):
        peers.peer_authenticate(token=hospital.token())


def test_two_keys_rotate_and_a_revoked_one_is_dead_for_ever(house: House) -> None:
    old, new = Hospital(house, "expert"), Hospital(house, "expert")
    for hospital in (old, new):
        assert peers.peer_authenticate(token=hospital.token())
    peers.peer_revoke(principal=security(house), peer_id=old.row.id)
    with pytest.raises(Unauthenticated):
        peers.peer_authenticate(token=old.token())
    assert peers.peer_authenticate(token=new.token())
    with pytest.raises(NotFound):
        peers.peer_revoke(principal=security(house), peer_id=old.row.id)
    with pytest.raises(Conflict):
        Hospital(house, "expert", old.key)


def test_a_key_ends_by_itself(house: House) -> None:
    hospital = Hospital(house, "expert")
    Peer.objects.update(expires_at=now())
    with pytest.raises(Unauthenticated):
        peers.peer_authenticate(token=hospital.token())


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"public_key_pem": "no key"}, "peer_key_invalid"),
        ({"public_key_pem": pem_of(rsa.generate_private_key(65537, 2048))}, "peer_key_invalid"),
        ({"public_key_pem": pem_of(ec.generate_private_key(ec.SECP384R1()))}, "peer_key_invalid"),
        ({"days": 0}, "peer_days"),
        ({"days": 367}, "peer_days"),
        ({"institution_id": uuid.uuid4()}, "peer_institution"),
    ],
)
def test_a_key_that_cannot_be_right_is_not_registered(
    house: House, changes: dict[str, Any], code: str
) -> None:
    given: dict[str, Any] = {
        "institution_id": house.world.places["expert"].id,
        "public_key_pem": pem_of(Ed25519PrivateKey.generate()),
        "days": 90,
    }
    with pytest.raises(Invalid) as caught:
        peers.peer_register(principal=security(house), **given | changes)
    assert caught.value.code == code


def test_a_peers_token_opens_no_other_door(house: House) -> None:
    hospital = Hospital(house, "expert")
    consent_to(house, "expert")
    for path in (
        f"/api/v1/exams/{house.exam.id}",
        f"/api/v1/images/{house.ids['image_id']}",
        "/api/v1/me/exams",
    ):
        assert hospital.client().get(path).status_code == 401


def test_the_list_says_when_a_key_was_last_used(house: House) -> None:
    """A read or a refusal by the key's own name; a key nobody used says nothing."""
    used, idle = Hospital(house, "expert"), Hospital(house, "other")
    used.asks()
    token, _ = access.token_issue(life=timedelta(hours=1), user=User.objects.get(username="sec"))
    rows = APIClient(HTTP_AUTHORIZATION=f"Bearer {token}").get("/api/v1/peers").json()["results"]
    by_kid = {row["kid"]: row["last_used_at"] for row in rows}
    assert by_kid[used.row.kid] is not None
    assert by_kid[idle.row.kid] is None


def test_a_key_is_added_only_after_a_recent_proof(house: House) -> None:
    token, row = access.token_issue(life=timedelta(hours=1), user=User.objects.get(id=security(house).id))
    client = APIClient(HTTP_AUTHORIZATION=f"Bearer {token}")
    AccessToken.objects.filter(id=row.id).update(proven_at=now() - timedelta(minutes=11))
    body = {
        "institution_id": str(house.world.places["other"].id), "days": 30,
        "public_key_pem": pem_of(Ed25519PrivateKey.generate()),
    }  # fmt: skip
    before = Peer.objects.count()
    assert client.post("/api/v1/peers", body, format="json").json()["code"] == "step_up_required"
    assert Peer.objects.count() == before
    AccessToken.objects.filter(id=row.id).update(proven_at=now())
    assert client.post("/api/v1/peers", body, format="json").status_code == 201
