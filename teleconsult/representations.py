"""Exams as JSON for pages, sockets and the API: one function a view."""

from __future__ import annotations

import json
from datetime import date
from typing import Any

from devices.fleet import selectors as fleet
from hospital.access.principals import Principal
from hospital.access.table import DESK, A, B, N, R, S, row_of
from hospital.access.table import allowed as role_allowed
from hospital.common.clock import today
from hospital.common.error_texts import title
from hospital.people import selectors as people
from hospital.records import selectors as records

from . import selectors, turnover
from .models import Exam
from .states import Command, State, commands
from .turnover_views import turnover_json

# Commands of the table of states -> action of the permission table, which says who may give them.
COMMAND_ACTIONS: dict[Command, str] = {
    Command.MOVE: "exam.move",
    Command.CHECK_IN: "exam.check_in",
    Command.READY: "exam.ready",
    Command.START: "exam.start",
    Command.PAUSE: "exam.pause",
    Command.RESUME: "exam.resume",
    Command.END: "exam.end",
    Command.CANCEL: "exam.cancel",
    Command.NO_SHOW: "exam.no_show",
    Command.ABORT: "exam.abort",
}
# The roles of the permission table as parts in one exam.
PARTS = {R: "remote", B: "bedside", S: "desk", N: "desk", A: "desk"}


def parts_of(principal: Principal, exam: Exam) -> set[str]:
    """Which parts this person has in this exam: remote, bedside, desk."""
    parts = set()
    if principal.id == exam.remote_physician_id:
        parts.add("remote")
    if principal.id == exam.bedside_physician_id:
        parts.add("bedside")
    if any(principal.has(role, exam.requesting_institution_id) for role in DESK):
        parts.add("desk")
    return parts


def allowed_commands(principal: Principal, exam: Exam) -> list[str]:
    parts = parts_of(principal, exam)
    return sorted(
        str(command)
        for command in commands(State(exam.state))
        if command in COMMAND_ACTIONS
        and parts.intersection(PARTS[role] for role in row_of(COMMAND_ACTIONS[command]))
        and role_allowed(principal, COMMAND_ACTIONS[command])
    )


def age_on(birth: date, on: date) -> int:
    return on.year - birth.year - ((on.month, on.day) < (birth.month, birth.day))


def _iso(value: Any) -> str | None:
    return value.isoformat() if value is not None else None


def patient_json(exam: Exam) -> dict[str, Any]:
    patient = exam.patient
    return {
        "id": str(patient.id),
        "mpi": patient.mpi,
        "name": patient.name,
        "sex": patient.sex,
        "birth_date": patient.birth_date.isoformat(),
        "age": age_on(patient.birth_date, today()),
        "document_tail": patient.document_number[-4:],
        "phone_tail": patient.phone[-4:],
    }


def _checklist_json(exam: Exam) -> dict[str, Any] | None:
    checklist = getattr(exam, "checklist", None)
    if checklist is None:
        return None
    agreed = {"bedside": checklist.agreed_bedside_at, "remote": checklist.agreed_remote_at}
    return {
        "answers": json.loads(checklist.answers),
        "concerns": checklist.concerns,
        "agreed_by": [end for end, at in agreed.items() if at],
    }


def _consent_json(exam: Exam, kind: str) -> dict[str, Any] | None:
    consent = people.consent_active(exam_id=exam.id, kind=kind)
    if consent is None:
        return None
    return {
        "id": str(consent.id),
        "given_at": _iso(consent.given_at),
        "method": consent.method,
        "given_by": consent.given_by,
        "text_version": consent.text.version,
    }


def _robot_parts(exam: Exam) -> dict[str, Any]:
    test, lease = fleet.self_test_of(exam.id), fleet.lease_of(exam.id)
    return {
        "robot": {
            "id": str(exam.robot_id),
            "name": exam.robot.name,
            "name_en": exam.robot.name_en,
            "online": fleet.is_online(exam.robot),
        },
        "self_test": {
            "id": str(test.id),
            "status": fleet.self_test_state(test),
            "passed": test.passed,
            "checks": test.checks,
            "at": _iso(test.finished_at or test.asked_at),
        }
        if test
        else None,
        "lease": {
            "epoch": lease.epoch,
            "serial": lease.serial,
            "holder_id": str(lease.holder_id),
            "peer_id": lease.peer_id,
            "expires_at": _iso(lease.expires_at),
        }
        if lease
        else None,
    }


def exam_summary(exam: Exam, principal: Principal) -> dict[str, Any]:
    """A row of a list: no gates, no robot queries."""
    patient = patient_json(exam)
    return {
        "id": str(exam.id),
        "accession": exam.accession,
        "state": exam.state,
        "starts_at": _iso(exam.starts_at),
        "ends_at": _iso(exam.ends_at),
        "exam_type": {
            "code": exam.exam_type.code,
            "name_zh": exam.exam_type.name_zh,
            "name_en": exam.exam_type.name_en,
            "views": exam.exam_type.views,
        },
        "patient": patient,
        "remote_physician": _person(exam.remote_physician, exam.performing_institution),
        "bedside_physician": _person(exam.bedside_physician, exam.requesting_institution),
        "robot": {"id": str(exam.robot_id), "name": exam.robot.name, "name_en": exam.robot.name_en},
        "room": {"id": str(exam.room_id), "name": exam.room.name, "name_en": exam.room.name_en},
        "assistant": _person(exam.assistant, exam.requesting_institution) if exam.assistant else None,
        "probe": {"id": str(exam.probe.id), "name": exam.probe.name, "name_en": exam.probe.name_en}
        if exam.probe
        else None,
        "requesting_institution": exam.requesting_institution.name,
        "performing_institution": exam.performing_institution.name,
        "requesting_institution_en": exam.requesting_institution.name_en,
        "performing_institution_en": exam.performing_institution.name_en,
        "checked_in_at": _iso(exam.checked_in_at),
        "ready_at": _iso(exam.ready_at),
        "started_at": _iso(exam.started_at),
        "ended_at": _iso(exam.ended_at),
        "allowed": allowed_commands(principal, exam),
    }


def _person(user: Any, institution: Any) -> dict[str, Any]:
    return {"id": str(user.id), "name": user.name, "institution": institution.name}


def exam_booked(exam: Exam, principal: Principal) -> dict[str, Any]:
    """What a deed of the desk answers: the row and what was asked for. Gates are read by who opens the exam."""
    asked = {name: getattr(exam, name) for name in ("clinical_question", "history", "end_code", "end_reason")}
    return exam_summary(exam, principal) | asked


def exam_json(exam: Exam, principal: Principal, language: str = "zh") -> dict[str, Any]:
    """The whole exam, with its gates as they stand now."""
    report = records.report_current(exam.id)
    owed = turnover.owed_before(exam)
    return (
        exam_summary(exam, principal)
        | _robot_parts(exam)
        | {
            "study_uid": exam.study_uid,
            "clinical_question": exam.clinical_question,
            "history": exam.history,
            "gates": [
                {"code": gate.code, "ok": gate.ok, "title": title(gate.code, language)}
                for gate in selectors.gates(exam, owed)
            ],
            "turnover": [turnover_json(one.turnover) for one in owed],
            "checks": {check.end: check.confirmed for check in exam.identifier_checks.all()},
            "checklist": _checklist_json(exam),
            "consent": _consent_json(exam, "remote_exam"),
            "recording_consent": _consent_json(exam, "recording"),
            "report": {"id": str(report.id), "version": report.version, "status": report.status}
            if report
            else None,
            "end_code": exam.end_code,
            "end_reason": exam.end_reason,
            "hand_overs": [
                {"at": _iso(row.at), "from": row.before.name, "to": row.after.name, "state": row.state}
                for row in exam.hand_overs.select_related("before", "after").order_by("at")
            ],
            "you": sorted(parts_of(principal, exam)),
        }
    )


def exam_for_patient(exam: Exam) -> dict[str, Any]:
    """What the patient's own app shows: no staff identifiers, no gates, no clinical drafts."""
    report = records.report_signed(exam.id)
    return {
        "id": str(exam.id),
        "state": exam.state,
        "starts_at": _iso(exam.starts_at),
        "exam_type": {"name_zh": exam.exam_type.name_zh, "name_en": exam.exam_type.name_en},
        "preparation": {"zh": exam.exam_type.preparation_zh, "en": exam.exam_type.preparation_en},
        "patient_name": exam.patient.name,
        "requesting_institution": exam.requesting_institution.name,
        "performing_institution": exam.performing_institution.name,
        "room": exam.room.name,
        "report_available": report is not None,
    }
