"""Writes of the live connection: which page counts, its beat, its lease, its link, the robot's pictures."""

from __future__ import annotations

import re
from typing import Any
from uuid import UUID

from django.db import transaction

from devices.fleet import services as fleet_services
from devices.fleet import tokens
from devices.fleet.authentication import robot_principal
from devices.fleet.push import push_exam, push_robot
from hospital.access import peers, sessions, tablets
from hospital.access.principals import Principal
from hospital.access.selectors import principal_of_user
from hospital.audit.services import audit_record
from hospital.common.clock import now
from hospital.common.errors import Conflict, Forbidden, Invalid, NotFound
from hospital.common.reads import read_recorded
from hospital.interop.dicom import read_meta
from hospital.people import selectors as people
from hospital.people.rules import RECORDING
from hospital.records import services as records_services

from . import rules, selectors, services
from .models import Exam, LinkQuality, Presence
from .report_views import frozen_json
from .services.steps import announced
from .shown import exam_shown
from .states import CONNECTED, OVER, State

# RFC 8122: one `fingerprint` attribute, SHA-256, upper-case hex pairs with colons.
_FINGERPRINT = re.compile(r"^a=fingerprint:sha-256 ((?:[0-9A-F]{2}:){31}[0-9A-F]{2})\s*$", re.M | re.I)


def fingerprint_of(sdp: str) -> str:
    """The one SHA-256 DTLS fingerprint of an SDP; Invalid `bad_message` when there is none or more than one."""
    found = {match.upper() for match in _FINGERPRINT.findall(sdp)}
    if len(found) != 1:
        raise Invalid("bad_message", field="sdp")
    return f"sha-256 {found.pop()}"


@transaction.atomic
def page_joined(*, principal: Principal, exam_id: UUID, role: str, peer_id: str) -> Exam:
    """Make this page the one of its role; NotFound for everybody but the exam's physician of that role."""
    exam = selectors.exam_get(principal, exam_id, f"exam.{role}_socket")
    if State(exam.state) not in CONNECTED:
        raise Conflict("exam_over")
    Presence.objects.update_or_create(
        exam=exam,
        role=role,
        defaults={
            "user_id": principal.id,
            "peer_id": peer_id,
            "fingerprint": "",
            "since": now(),
            "last_seen_at": now(),
        },
    )
    if role == "console":
        fleet_services.lease_release(exam_id=exam.id, code="taken_over")
    # What the socket shows is read from here on. A bedside that comes back to stop must not wait for the log.
    read_recorded(principal, f"exam.{role}_socket", exam_shown(principal, exam, urgent=True))
    announced(exam)
    return exam


def page_refused(*, principal: Principal, exam_id: UUID | None, role: str, code: str) -> None:
    """The trace of a page that was not let in, after whatever it tried was rolled back."""
    audit_record(
        principal=principal,
        action=f"exam.{role}_socket",
        object_kind="exam",
        object_id=exam_id,
        outcome="refused",
        reason=code,
        urgent=True,
    )


@transaction.atomic
def page_left(*, exam_id: UUID, role: str, peer_id: str) -> None:
    """The page that counted for its role is gone: a console's lease ends, a live exam is paused.

    The bedside keeps its direct connection to the robot: its stop must outlive every failure of the server. The
    robot notices an absent bedside by itself.
    """
    gone, _ = Presence.objects.filter(exam_id=exam_id, role=role, peer_id=peer_id).delete()
    if not gone:
        return
    services.exam_pause_by_system(exam_id=exam_id, reason=f"{role}_lost")
    if role == "console":
        fleet_services.lease_release(exam_id=exam_id, code="console_lost", peer_id=peer_id)
        robot_id = Exam.objects.values_list("robot_id", flat=True).get(id=exam_id)
        push_robot(robot_id, {"type": "peer_close", "peer_id": peer_id})
    announced(Exam.objects.get(id=exam_id))


def socket_closed(*, exam_id: UUID, role: str, peer_id: str) -> bool:
    """A console that drops loses control at once; a bedside socket may blink, `sweep` decides after 6 s.

    True when this page was the one that counted: only then the other end is told.
    """
    counted = page_counts(exam_id=exam_id, role=role, peer_id=peer_id)
    if role == "console":
        page_left(exam_id=exam_id, role=role, peer_id=peer_id)
    return counted


def page_counts(*, exam_id: UUID, role: str, peer_id: str) -> bool:
    """Whether this page is still the one of its role."""
    return Presence.objects.filter(exam_id=exam_id, role=role, peer_id=peer_id).exists()


@transaction.atomic
def page_beat(
    *, exam_id: UUID, role: str, peer_id: str, token_id: UUID | None = None
) -> dict[str, Any] | None:
    """Once a second: the page is there; the console's lease, if it holds one, lives on. None: replaced or over.

    A page at an open exam also keeps its sign-in from ending idle: hands are on the patient, not on the keyboard.
    NotFound when the person lost the role or the part meanwhile, or somebody else's place on the tablet ended the
    sign-in: the page is shown nothing more.
    """
    mine = Presence.objects.select_related("user").filter(exam_id=exam_id, role=role, peer_id=peer_id)
    page = mine.first()
    if page is not None:
        person = principal_of_user(page.user)
        if not page.user.is_active or not selectors.may_join(person, exam_id, role):
            raise NotFound()
        if not tablets.still_seated(token_id):
            raise NotFound()
    alive = mine.update(last_seen_at=now())
    state = Exam.objects.values_list("state", flat=True).get(id=exam_id)
    if not alive or State(state) in OVER:
        return None
    sessions.token_touch(token_id=token_id)
    if role != "console":
        return {}
    lease = fleet_services.lease_renew(exam_id=exam_id, peer_id=peer_id, live=state == State.LIVE)
    if lease is None:
        return {}
    return {
        "epoch": lease.epoch,
        "serial": lease.serial,
        "live": state == State.LIVE,
        "expires_in_ms": tokens.LEASE_TTL_MS,
    }


@transaction.atomic
def peer_offered(*, principal: Principal, exam_id: UUID, role: str, peer_id: str, sdp: str) -> None:
    """Send the page's offer to the robot with a token that binds the page's DTLS fingerprint."""
    exam = selectors.exam_get(principal, exam_id, f"{role}_socket.peer_offer")
    if not selectors.fleet.is_online(exam.robot):
        raise Conflict("robot_offline")
    fingerprint = fingerprint_of(sdp)
    known = Presence.objects.filter(exam_id=exam_id, role=role, peer_id=peer_id)
    if not known.update(fingerprint=fingerprint):
        raise Conflict("console_absent")
    token = tokens.peer_token(
        robot_id=exam.robot_id,
        exam_id=exam.id,
        role=role,
        user_id=principal.id,
        peer_id=peer_id,
        fingerprint=fingerprint,
    )
    offer = {"type": "peer_offer", "peer_id": peer_id, "exam_id": str(exam.id), "role": role, "sdp": sdp}
    push_robot(exam.robot_id, {**offer, "token": token})


@transaction.atomic
def link_measured(*, exam_id: UUID, measured: dict[str, float]) -> bool:
    """Keep one measurement of the console's link with the exam; True when it is good enough."""
    names = ("rtt_p50_ms", "rtt_p95_ms", "loss_pct", "jitter_ms", "fps", "seconds")
    values = {name: float(measured[name]) for name in names}
    if not all(0 <= value < 1e6 for value in values.values()):
        raise Invalid("bad_message", field="quality")
    good = rules.link_is_good(
        rtt_p95_ms=values["rtt_p95_ms"],
        loss_pct=values["loss_pct"],
        jitter_ms=values["jitter_ms"],
        fps=values["fps"],
        seconds=values["seconds"],
    )
    LinkQuality.objects.create(exam_id=exam_id, good=good, **values)
    announced(Exam.objects.get(id=exam_id))
    return good


def _scanning(exam: Exam) -> None:
    """Pictures belong to a scan; an upload may come late, after the end, but not before the start."""
    if exam.started_at is None:
        raise Conflict("illegal_transition", state=exam.state, command="capture")


def _uploaded(exam: Exam, kind: str, object_id: UUID) -> None:
    """Without its row no picture is kept; the robot keeps it and comes again."""
    audit_record(
        principal=robot_principal(exam.robot),
        action="robot.upload",
        object_kind=kind,
        object_id=object_id,
        institution_id=exam.requesting_institution_id,
        details={"exam_id": str(exam.id)},
        patient_ids=(exam.patient_id,),
    )


@transaction.atomic
def frozen_received(*, principal: Principal, exam_id: UUID, meta: dict[str, Any], data: bytes) -> None:
    exam = selectors.exam_get(principal, exam_id, "robot.upload")
    _scanning(exam)
    frame = records_services.frozen_store(exam_id=exam.id, meta=meta, data=data)
    _uploaded(exam, "frozen", frame.id)
    push_exam(exam.id, {"type": "frozen", **frozen_json(frame)})


def _recording_permitted(exam: Exam) -> None:
    """A film longer than a loop is a recording: kept only while the patient's consent to recording stands."""
    if people.consent_active(exam_id=exam.id, kind=RECORDING) is None:
        raise Forbidden("recording_consent_missing")


@transaction.atomic
def image_received(
    *, principal: Principal, exam_id: UUID, meta: dict[str, Any], data: bytes
) -> tuple[Any, bool]:
    """Store a still or loop once; (image, new)."""
    exam = selectors.exam_get(principal, exam_id, "robot.upload")
    _scanning(exam)
    said = read_meta(data)
    if (said.study_uid, said.sop_uid) != (exam.study_uid, meta.get("sop_uid")):
        raise Invalid("dicom_mismatch")
    if said.patient_id not in people.mpi_numbers(
        exam.patient_id
    ):  # the robot may still have the number of before
        raise Invalid("dicom_mismatch")
    if (said.columns, said.rows, said.frames) != tuple(
        meta.get(name) for name in ("width", "height", "frames")
    ):
        raise Invalid("dicom_mismatch")
    if meta.get("kind") == "loop" and said.frames > rules.LOOP_MAX_FRAMES:
        _recording_permitted(exam)
    image, new = records_services.image_store(
        exam_id=exam.id, patient_id=exam.patient_id, meta=meta, data=data
    )
    if new:
        _uploaded(exam, "image", image.id)
        push_exam(
            exam.id,
            {
                "type": "image",
                "id": str(image.id),
                "kind": image.kind,
                "view": image.view,
                "frame_id": image.frame_id,
                "url": f"/api/v1/images/{image.id}",
            },
        )
    return image, new


def sweep() -> None:
    """Every few seconds: what a killed page or web process left behind."""
    fleet_services.leases_expire()
    stale = Presence.objects.filter(last_seen_at__lt=now() - selectors.PRESENT_WITHIN)
    for exam_id, role, peer_id in list(stale.values_list("exam_id", "role", "peer_id")):
        page_left(exam_id=exam_id, role=role, peer_id=peer_id)
    fleet_services.nonces_clear()
    peers.nonces_clear()
