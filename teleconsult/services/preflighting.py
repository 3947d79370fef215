"""Pre-flight: the desk is told what stands against an exam that begins in a quarter of an hour."""

from __future__ import annotations

from devices.fleet.push import push_desk
from hospital.access.principals import SYSTEM
from hospital.audit.services import audit_record
from hospital.common.error_texts import title

from .. import preflight, telling
from ..models import Exam

ACTION = "exam.preflight"


def preflight_due(*, exam: Exam) -> list[str]:
    """The codes of what was told, in the transaction of the due work. Nothing for what is called off or has begun."""
    codes = preflight.alarms([exam]).get(exam.id, [])
    push_desk(exam.requesting_institution_id, exam.id)
    if codes:
        telling.preflight(
            exam,
            what="；".join(title(code, "zh") for code in codes),
            what_en="; ".join(title(code, "en") for code in codes),
        )
        audit_record(
            principal=SYSTEM,
            action=ACTION,
            object_kind="exam",
            object_id=exam.id,
            institution_id=exam.requesting_institution_id,
            reason=" ".join(codes),
            patient_ids=(exam.patient_id,),
        )
    return codes
