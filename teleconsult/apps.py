from __future__ import annotations

from django.apps import AppConfig


class TeleconsultConfig(AppConfig):
    name = "teleconsult"
    label = "teleconsult"

    def ready(self) -> None:
        from devices.fleet.events import LeaseEnded, RobotChanged, RobotReported
        from hospital.common.error_texts import register_titles
        from hospital.common.events import subscribe
        from hospital.common.retention import register
        from hospital.keeping.events import RecordRestricting
        from hospital.keeping.services import register_blocker
        from hospital.messages.composing import composer_register
        from hospital.messages.events import MessageUndelivered, NoticeGiven, NoticesRead
        from hospital.people.archive import part_register
        from hospital.people.consents import ConsentWithdrawn
        from hospital.people.references import How, merge_attaches, merge_check, merge_knows
        from hospital.people.retention import register_visits
        from hospital.scheduling.events import BookedTimeClosed, TimeFreed

        from . import exam_work as exam_work  # registers its due work
        from . import merging, reactions, retention, scopes, telling, work_handlers  # noqa: F401  registers its handlers
        from .archive import exams_part
        from .texts import TITLES

        register_titles(TITLES)
        scopes.register()
        composer_register(telling.EXAM, telling.compose)
        part_register("exams", exams_part)
        merge_knows("teleconsult.Exam", "patient", How.MOVE)
        merge_knows("teleconsult.ExamRequest", "patient", How.MOVE)
        for label in ("records.Image.patient", "people.Consent.patient"):
            merge_attaches(label, by="exam_id", of="teleconsult.Exam.patient")
        merge_check(merging.no_exam_open)
        subscribe(RobotReported, reactions.on_robot_reported)
        subscribe(RobotChanged, reactions.on_robot_changed)
        subscribe(LeaseEnded, reactions.on_lease_ended)
        subscribe(ConsentWithdrawn, reactions.on_consent_withdrawn)
        subscribe(RecordRestricting, reactions.on_record_restricting)
        subscribe(NoticeGiven, reactions.on_notices)
        subscribe(NoticesRead, reactions.on_notices)
        subscribe(MessageUndelivered, reactions.on_message_undelivered)
        subscribe(TimeFreed, reactions.on_time_freed)
        subscribe(BookedTimeClosed, reactions.on_booked_time_closed)
        register(*retention.PARTS, retention.FEEDS)
        register_visits("exam", retention.VISITS)
        register_blocker(retention.still_running)
