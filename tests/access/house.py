"""A hospital with something in every table, its strangers, and every address of the house filled with its ids."""

from __future__ import annotations

import base64
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import date, timedelta
from typing import Any
from uuid import UUID, uuid4

import jwt
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from django.db import connection
from django.urls import URLPattern, URLResolver, get_resolver
from rest_framework.test import APIClient

from hospital.access import peers
from hospital.access import services as access
from hospital.access.models import (
    AccessToken,
    Activation,
    Membership,
    PatientAccount,
    Role,
    SecurityKey,
    User,
)
from hospital.access.phones import phone_index
from hospital.access.selectors import principal_of_user
from hospital.audit.models import AuditEntry
from hospital.common.clock import now
from hospital.common.sockets import JsonSocket
from hospital.people import delegates
from hospital.people import services as people
from hospital.people.models import (
    BreakGlass,
    Delegation,
    PatientArchive,
    Privilege,
    Registration,
)
from hospital.records import services as records
from hospital.records.models import FrozenFrame, Image, Measurement, Report
from teleconsult import feeds, reporting
from teleconsult.models import Exam
from teleconsult.urls import websocket_urlpatterns
from tests.access.house_rows import (
    PNG,
    asked_made,
    calendars_made,
    correction_made,
    doubles_made,
    kept_made,
    pem_of,
    shared_made,
)
from tests.factories import World, make_world
from tests.tablet import SoftTablet

META: dict[str, Any] = {
    "frame_id": 77, "width": 640, "height": 480, "mm_per_px_x": 0.4, "mm_per_px_y": 0.4,
    "region": [0, 0, 640, 480],
}  # fmt: skip
# Written while somebody only looks or is refused: traces, not content.
TRACES = frozenset(
    {"audit_auditentry", "audit_auditseal", "common_idempotentrequest", "access_accesstoken", "access_ticket"}
    | {
        "django_session",
        "access_logincode",
        "access_peernonce",
        "access_codetry",
        "access_keychallenge",
        "access_unknownname",
    }
)
STRANGER_ROLES = tuple(Role.values)


@dataclass
class House:
    """`exam` is over with a signed report, `booked` is tomorrow's; `ids` fills the addresses."""

    world: World
    exam: Exam = field(init=False)
    booked: Exam = field(init=False)
    report: Report = field(init=False)
    ids: dict[str, Any] = field(default_factory=dict)

    @property
    def secrets(self) -> list[str]:
        """What no stranger may read anywhere: people, numbers, texts, ids."""
        patient = self.world.patient
        return [
            patient.name, patient.mpi, patient.document_number, patient.phone, "肝脏大小正常", "胆囊结石", "民初1号",
            *(str(self.ids[name]) for name in ("exam_id", "patient_id", "report_id", "image_id")),
            str(self.booked.id),
        ]  # fmt: skip


def make_house(world: World | None = None) -> House:
    house = House(world or make_world())
    world = house.world
    house.booked = world.book(starts_at=world.tomorrow(120))
    house.exam = exam = world.ended()
    still = META | {"kind": "still", "sop_uid": "2.25.1", "frames": 1, "view": "liver"}
    image, _ = records.image_store(
        exam_id=exam.id, patient_id=world.patient.id, meta=still, data=b"dicom bytes"
    )
    records.frozen_store(exam_id=exam.id, meta=META, data=PNG)
    measured = reporting.measurement_add(
        principal=world.principals["expert"], exam_id=exam.id, frame_id=77, kind="distance",
        points=[[10.0, 10.0], [60.0, 10.0]], label="",
    )  # fmt: skip
    house.report = report = reporting.report_save(
        principal=world.principals["expert"], exam_id=exam.id, findings="肝脏大小正常", impression="未见异常", revision=0
    )  # fmt: skip
    AccessToken.objects.filter(user=world.users["expert"]).update(stepped_up_at=now())
    reporting.report_sign(principal=world.principals["expert"], report_id=report.id)
    lent = delegates.delegation_grant(
        principal=world.principals["desk"], patient=world.patient, name="沈梅", relation="女儿",
        phone="13900000077", scopes=["read"], days=30, paper="P-1",
    )  # fmt: skip
    opened = BreakGlass.objects.create(
        patient=world.patient, user=world.users["bedside2"], institution=world.places["home"],
        reason="急诊需要查看", ends_at=now() + timedelta(hours=1),
    )  # fmt: skip
    key = SecurityKey.objects.create(
        user=world.users["expert"], credential_id=b"k", public_key=b"p", aaguid="0", name="钥匙"
    )
    review, merge = doubles_made(world)
    shared, peer = shared_made(world)
    reset = Activation.objects.create(
        user=world.users["expert2"], purpose="reset", asked_by=world.users["admin"]
    )
    exception, released, hold_id = calendars_made(world)
    entry = AuditEntry.objects.filter(patient_ids__contains=[world.patient.id]).latest("seq")
    house.ids = {
        "correction_id": correction_made(world).id,
        "tablet_id": SoftTablet().pair(world).id,
        "archive_id": PatientArchive.objects.create(patient=world.patient, account_id=world.account().id).id,
        "review_id": review.id, "merge_id": merge.id,
        "membership_id": Membership.objects.get(user=world.users["expert2"]).id, "activation_id": reset.id,
        "audit_id": entry.id,
        "exam_id": exam.id, "patient_id": world.patient.id, "report_id": report.id, "image_id": image.id,
        "measurement_id": measured.id, "frame_id": 77, "robot_id": world.robot.id,
        "key_id": key.id, "provider_id": uuid4(), "subject_id": uuid4(),
        "session_id": world.principals["desk"].token_id, "delegation_id": lent.id, "entry_id": opened.id,
        "consent_id": shared.id, "peer_id": peer.id,
        "code": "abdomen", "room_id": world.room.id, "resource_id": world.room.id, "institution_id": world.places["home"].id,
        "feed_id": feeds.feed_make(principal=world.principals["expert"], resource_id=None)[0].id,
        "feed_secret": "x" * 43, "booking_token": "x" * 38,
        "exception_id": exception.id, "released_id": released.id, "time_hold_id": hold_id,
        "agreement_id": world.agreement.id, "user_id": world.users["expert"].id,
        "registration_id": Registration.objects.get(user=world.users["expert"]).id,
        "privilege_id": Privilege.objects.get(user=world.users["expert"]).id,
        "turnover_id": exam.turnover.id, **kept_made(world), **asked_made(world),
    }  # fmt: skip
    assert Image.objects.exists() and FrozenFrame.objects.exists() and Measurement.objects.exists()
    return house


@dataclass(frozen=True)
class Address:
    """One method of one door or page."""

    route: str
    names: tuple[str, ...]
    method: str
    door: Any = None

    def path(self, ids: dict[str, Any]) -> str:
        """Filled with ids. KeyError when nobody said what fills a name: a new address must be added to the house."""
        path = self.route
        for name in self.names:
            for kind in ("uuid", "int", "str"):
                path = path.replace(f"<{kind}:{name}>", str(ids[name]))
        return f"/{path}"


def addresses() -> list[Address]:
    """Every method of every REST door, and GET of every page."""
    return sorted(_walk(get_resolver().url_patterns, ""), key=lambda found: (found.route, found.method))


def _walk(patterns: list[Any], before: str) -> Iterator[Address]:
    for pattern in patterns:
        route = before + str(pattern.pattern)
        if isinstance(pattern, URLResolver):
            yield from _walk(pattern.url_patterns, route)
        elif isinstance(pattern, URLPattern) and "(?P" not in route:
            door = getattr(pattern.callback, "view_class", None)
            actions = getattr(door, "actions", None)
            names = tuple(pattern.pattern.converters)
            for method in actions or (["GET"] if route.startswith("console/") else []):
                yield Address(route, names, method, door)


def bodies(house: House) -> dict[str, dict[str, Any]]:
    """Requests that would succeed if the caller were allowed, by the end of the route."""
    world = house.world
    return {
        "api/v1/exams": world.booking(patient_id=world.patient.id, starts_at=world.tomorrow(300).isoformat()),
        "api/v1/patients": {
            "name": "吴秀英", "document_number": "320584194802290036", "birth_date": "1948-02-29",
            "sex": "2", "phone": "13900000033",
        },
        "api/v1/patients/find": {"number": world.patient.document_number},
        "/move": {"starts_at": world.tomorrow(400).isoformat()},
        "api/v1/arrivals": {"said": world.patient.document_number},
        "api/v1/walk-ins": {
            "patient_id": str(world.patient.id), "exam_type": "abdomen", "clinical_question": "x",
        },
        "/identify": {"confirmed": ["name", "birth_date"]},
        "/checklist": {"answers": {
            "last_meal": "x", "wound_or_stoma": False, "recent_surgery": False, "known_aneurysm": False,
            "pain": False, "can_lie_still": True, "gel_allergy": False,
        }},
        "patients/<uuid:patient_id>/consents": {
            "kind": "transfer", "receiver_id": str(world.places["other"].id), "text_version": "1",
            "given_by": "patient", "method": "witness", "witness_name": "钱丽",
        },
    } | _paper_bodies(house) | _deed_bodies(house) | _administration_bodies(house) | _calendar_bodies(house)  # fmt: skip


def _paper_bodies(house: House) -> dict[str, dict[str, Any]]:
    world = house.world
    return {
        "api/v1/agreements": {
            "inviting_id": str(world.places["home"].id), "invited_id": str(world.places["expert"].id),
            "services": ["remote_ultrasound"], "valid_from": "2026-01-01", "valid_to": "2030-01-01",
            "document": base64.b64encode(b"%PDF-1.7 x").decode(),
        },
        "/sign": {"signatory": "院长"},
        "/licence": {
            "licence_number": "9", "licence_expires_on": "2030-01-01", "practice_started_on": "2001-01-01",
            "standing": "suspended", "scope": "ultrasound",
        },
        "/registrations": {
            "institution_id": str(world.places["home"].id), "kind": "filing", "valid_from": "2026-01-01",
            "paper": "x",
        },
        "/privileges": {
            "level": "supervised", "simulator_hours": 1, "supervised_exams": 1, "valid_to": "2030-01-01",
        },
        "api/v1/peers": {
            "institution_id": str(world.places["expert"].id), "days": 30,
            "public_key_pem": pem_of(Ed25519PrivateKey.generate()),
        },
        "api/v1/peer/reports": {"document_number": world.patient.document_number},
    }  # fmt: skip


def _calendar_bodies(house: House) -> dict[str, dict[str, Any]]:
    late = house.world.tomorrow(60 * 24 * 22)
    kept = house.world.booking(starts_at=late.isoformat())
    times = {"starts_at": late.isoformat(), "ends_at": (late + timedelta(hours=1)).isoformat()}
    team = {name: str(kept[name]) for name in kept if name.endswith("_id") and name != "patient_id"}
    return {
        "api/v1/exams/displace": {name: str(value) for name, value in kept.items()} | {"reason": "急诊"},
        "api/v1/exam-requests": {
            "patient_id": str(house.world.patient.id), "exam_type": "abdomen", "clinical_question": "x",
            "institution_id": str(house.world.places["home"].id),
        },
        "exam-requests/<uuid:exam_request_id>/book": team | {"starts_at": kept["starts_at"]},
        "exam-requests/<uuid:exam_request_id>/fee": {"fee": "paid"},
        "exam-requests/<uuid:exam_request_id>/wait": {},
        "api/v1/offers/by-link": {"token": "x"},
        "api/v1/offers/by-link/accept": {"token": "x"},
        "api/v1/offers/by-link/refuse": {"token": "x"},
        "api/v1/holds": {name: str(value) for name, value in kept.items() if name != "patient_id"},
        "exam-types/<str:code>": {
            "minutes": 30, "preparation_zh": "x", "preparation_en": "x", "windows": [], "order_rules": [],
            "reminders": [],
        },
        "resources/<uuid:resource_id>": {
            "before_minutes": 5, "after_minutes": 5, "languages": ["zh"], "exam_types": [],
        },
        "turnovers/<uuid:turnover_id>/sign": {"item": "paper_changed"},
        "turnovers/<uuid:turnover_id>/take-back": {"item": "paper_changed", "reason": "x"},
        "/hours": {"hours": [{"weekday": 0, "opens": "08:00", "closes": "12:00"}]},
        "/exceptions": times | {"reason": "leave"},
        "/released": times,
    }  # fmt: skip


def _deed_bodies(house: House) -> dict[str, dict[str, Any]]:
    world = house.world
    return {
        "/consents": {"text_version": "1", "given_by": "patient", "method": "witness", "witness_name": "钱丽"},
        "/abort": {"code": "other", "reason": "x"},
        "/messages": {"language": "en", "channel": "sms", "refused": ["reminder"]},
        "/report": {"findings": "x", "impression": "x", "revision": 1},
        "/missing-views": {"views": ["spleen"], "reason": "gas"},
        "/measurements": {"frame_id": 77, "kind": "distance", "points": [[1, 1], [9, 9]]},
        "/delegates": {
            "name": "吴梅", "relation": "女", "phone": "13900000078", "scopes": ["read"], "days": 5, "paper": "P",
        },
        "/erasure-requests": {"paper": "P-3"},
        "me/erasure-requests": {"patient_id": str(world.patient.id)},
        "api/v1/restrictions/lift": {"document_number": "320584194802290036", "paper": "R-1"},
        "api/v1/legal-holds": {
            "subject_kind": "patient", "subject": world.patient.mpi, "case_number": "1", "reason": "x",
        },
        "/review": {"verdict": "justified"},
        "api/v1/break-glass": {"document_number": "320584194802290036", "reason": "急诊昏迷，需要查看"},
    }  # fmt: skip


def _administration_bodies(house: House) -> dict[str, dict[str, Any]]:
    world = house.world
    return {
        "admin/institutions": {
            "name": "新院", "name_en": "New", "short_name": "新", "region_code": "330421",
            "uscc": "91350100M000100Y43",
        },
        "admin/staff": {
            "username": "new.nurse", "name": "何敏", "institution_id": str(world.places["home"].id), "role": "nurse",
        },
        "/roles": {"institution_id": str(world.places["home"].id), "role": "nurse"},
        "/lock": {"reason": "x"},
        "admin/administrators": {
            "user_id": str(world.users["expert2"].id), "institution_id": str(world.places["home"].id),
            "role": "audit_admin",
        },
        "auth/activate": {"username": "nobody", "code": "AAAA-AAAA-AAAA-AAAA"},
        "auth/activate/finish": {
            "username": "nobody", "code": "AAAA", "password": "another horse battery", "totp": "000000",
        },
        "auth/password": {"password": "x", "new_password": "another horse battery", "totp": "000000"},
        "auth/step-up": {"totp": "000000"},
        "auth/keys": {"challenge_id": str(world.robot.id), "credential": {}, "name": "x"},
        "auth/keys/options": {},
        "auth/totp": {},
        "auth/totp/confirm": {"totp": "000000"},
        "auth/providers": {
            "kind": "staff", "name": "x", "name_en": "x", "issuer": "http://x", "client_id": "x",
            "client_secret": "x",
        },
        "/subjects": {"username": "expert", "subject": "x"},
        "auth/step-up/challenge": {"action": "report.sign"},
        "api/v1/tablets": {"room_id": str(world.room.id), "name": "x"},
        "api/v1/tablets/pair": {"code": "AAAAA-AAAAA", "public_key": SoftTablet().spki, "signature": "x"},
        "/roster": {"challenge_id": str(world.robot.id), "signature": "x"},
        "/open": {"challenge_id": str(world.robot.id), "signature": "x"},
        "/change": {
            "challenge_id": str(world.robot.id), "signature": "x", "pin": "258036",
            "user_id": str(world.users["bedside"].id),
        },
        "api/v1/duplicates": {"first_id": str(world.patient.id), "second_id": str(house.ids["patient_id"])},
        "/decide": {"verdict": "distinct", "note": "看过证件"},
        "/verify": {"seen": "card"},
        "/corrections": {"field": "sex", "wanted": "9", "reason": "写错了"},
        "corrections/<uuid:correction_id>/decide": {"accepted": False, "answer": "不符"},
        "/undo": {"reason": "看错了人"},
        "": {"reason": "x"},
    }  # fmt: skip


def body_for(address: Address, known: dict[str, dict[str, Any]]) -> dict[str, Any]:
    """The longest ending that fits."""
    return known[max((end for end in known if address.route.endswith(end)), key=len)]


class PersonClient(APIClient):
    """A bearer token for REST and a session for pages: each request proves once who asks, as a program's or a page's."""

    def generic(self, *args: Any, **extra: Any) -> Any:
        bare = {"HTTP_COOKIE": ""} if str(args[1]).startswith("/api/") else {}
        return super().generic(*args, **extra | bare)


def client_for(*, user: User | None = None, account: PatientAccount | None = None) -> APIClient:
    """With both proofs of the same person."""
    token, row = access.token_issue(life=timedelta(hours=1), user=user, account=account)
    client = PersonClient(HTTP_AUTHORIZATION=f"Bearer {token}", HTTP_HOST="localhost")
    session = client.session
    session[access.SESSION_KEY] = str(row.id)
    session.save()
    return client


def stranger(house: House, role: str) -> APIClient:
    """Somebody with that role in a hospital that has no part in anything here."""
    user = User.objects.create(
        username=f"stranger-{role}", name="外人", password="!", totp_secret="JBSWY3DPEHPK3PXP"
    )
    Membership.objects.create(user=user, institution=house.world.places["other"], role=role)
    return client_for(user=user)


def strange_patient(house: House) -> APIClient:
    phone = "13911112222"
    return client_for(
        account=PatientAccount.objects.create(
            phone=phone, phone_index=phone_index(phone), last_sign_in_at=now()
        )
    )


def strange_delegate(house: House) -> APIClient:
    """A carer whose proven delegation is for a patient of another hospital."""
    elder, _ = people.patient_register(
        principal=house.world.principals["other_desk"], name="沈阿妹", document_type="01",
        document_number="320225194507080048", birth_date=date(1945, 7, 8), sex="2", phone="13900000002",
    )  # fmt: skip
    phone = "13911113333"
    lent = delegates.delegation_grant(
        principal=house.world.principals["other_desk"], patient=elder, name="沈芳", relation="女儿",
        phone=phone, scopes=["read"], days=30, paper="P-2",
    )  # fmt: skip
    Delegation.objects.filter(id=lent.id).update(proven_at=now())
    account = PatientAccount.objects.create(
        phone=phone, phone_index=phone_index(phone), last_sign_in_at=now()
    )
    return client_for(account=account)


class PeerClient(APIClient):
    """A new short token for each request, as another institution's system makes them."""

    def __init__(self, institution_id: Any, kid: str, key: Ed25519PrivateKey) -> None:
        super().__init__(HTTP_HOST="localhost")
        self.who, self.kid, self.key = institution_id, kid, key

    def generic(self, *args: Any, **extra: Any) -> Any:
        issued = int(time.time())
        claims = {"iss": str(self.who), "sub": "影像科", "aud": "hospital", "iat": issued, "exp": issued + 60}
        token = jwt.encode(
            claims | {"jti": uuid4().hex}, self.key, algorithm="EdDSA", headers={"kid": self.kid}
        )
        return super().generic(*args, **extra | {"HTTP_AUTHORIZATION": f"Peer {token}"})


def strange_peer(house: House) -> PeerClient:
    """A registered system of a hospital that no consent names."""
    key, place = Ed25519PrivateKey.generate(), house.world.places["other"]
    keeper = principal_of_user(User.objects.get(username="home-security_admin"))
    row = peers.peer_register(principal=keeper, institution_id=place.id, public_key_pem=pem_of(key), days=30)
    return PeerClient(place.id, row.kid, key)


def other_ids(house: House) -> dict[str, Any]:
    """Ids of nothing, for "not there"."""
    return {name: uuid4() if isinstance(value, UUID) else 78 for name, value in house.ids.items()}


def contents() -> dict[str, str]:
    """A digest of every table that holds content: what a refused call must leave as it was."""
    with connection.cursor() as cursor:
        found = {}
        for table in connection.introspection.table_names(cursor):
            if table not in TRACES:
                name = connection.ops.quote_name(table)
                cursor.execute(
                    f"SELECT md5(coalesce(string_agg(t::text, '|' ORDER BY t::text), '')) FROM {name} t"
                )
                found[table] = str(cursor.fetchone()[0])
    return found


def socket_classes() -> list[type[JsonSocket]]:
    """Every socket of the house that hears messages."""
    classes = [getattr(pattern.callback, "consumer_class", None) for pattern in websocket_urlpatterns]
    return [found for found in classes if isinstance(found, type) and issubclass(found, JsonSocket)]
