"""What patients and staff are told of an exam. Words and reader are made when a message is sent, from the exam as it is.

No text says what is examined or why: the preparation (fasting) is all it must say.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from uuid import UUID

from django.db.models import QuerySet

from hospital.access.models import Membership, Role
from hospital.common.clock import SHANGHAI, now
from hospital.common.prebuilt import Value, prebuilt
from hospital.common.rows import only
from hospital.messages import kinds
from hospital.messages.composing import About, Moot, Said
from hospital.messages.events import MessageUndelivered
from hospital.messages.providers import group_known
from hospital.messages.quiet import SOON
from hospital.messages.services import GROUP, message_send, messages_drop, notices_give
from hospital.people.delegates import readers_of
from hospital.people.scopes import of_readable
from hospital.people.wishes import wishes_of

from .feeds import link_of
from .models import Exam, ExamRequest
from .states import State

EXAM = "exam"  # the kind under which messages name an exam
DESK_GROUP = "desk"  # the staff group that hears of late exams, where one is configured
DELEGATION = "delegation"  # in the queued values: whose phone it goes to, where it is not the patient's own
BEFORE = "before"  # in the queued values: when the exam was to be before a move, as `when` says it
# template -> its kind for wishes, and the states in which there is still something to say
TOLD: dict[str, tuple[str, State]] = {
    "exam_booked": (kinds.BOOKED, State.BOOKED),
    "exam_reminder": (kinds.REMINDER, State.BOOKED),
    "exam_reminder_family": (kinds.FAMILY, State.BOOKED),
    "exam_moved": (kinds.MOVED, State.BOOKED),
    "exam_cancelled": (kinds.CANCELLED, State.CANCELLED),
    "exam_displaced": (kinds.CANCELLED, State.CANCELLED),
}
# What a message to a patient or family was, as the desk says it.
WORD = {
    kinds.BOOKED: ("给患者的预约通知", "the patient's confirmation"),
    kinds.REMINDER: ("给患者的提醒", "the patient's reminder"),
    kinds.FAMILY: ("给家属的提醒", "the family's reminder"),
    kinds.MOVED: ("给患者的改期通知", "word of the move to the patient"),
    kinds.CANCELLED: ("给患者的取消通知", "word of the cancellation to the patient"),
}
NOT_TAKEN = {
    True: (
        "运营商拒收或一天内未能送出，不再重试",
        "the carrier refused it or could not send it within a day",
    ),
    False: ("运营商暂时未接收，仍在重试", "the carrier does not take it yet and is asked again"),
}
# Carriers refuse empty values.
CALENDAR = {False: "加入手机日历：{link}", True: "For your calendar: {link}"}
SPOKEN_CALENDAR = {
    False: "请记下时间。",
    True: "Please note the time.",
}  # nobody writes down an address on the phone
NOTHING_TO_PREPARE = {False: "请保持手机畅通。", True: "Please keep your phone at hand."}
WHEN = "%Y-%m-%d %H:%M"
WEEKDAYS_ZH = "一二三四五六日"
WEEKDAYS_EN = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")
MONTHS_EN = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")


def when(moment: datetime) -> str:
    """As people in the house read it."""
    return moment.astimezone(SHANGHAI).strftime(WHEN)


def day_of(moment: datetime, language: str) -> str:
    """A Shanghai day as people say it: `11月27日（周五）`, `Fri 27 Nov`."""
    local = moment.astimezone(SHANGHAI)
    if language == "en":
        return f"{WEEKDAYS_EN[local.weekday()]} {local.day} {MONTHS_EN[local.month - 1]}"
    return f"{local.month}月{local.day}日（周{WEEKDAYS_ZH[local.weekday()]}）"


def values(exam: Exam, language: str, channel: str = "sms") -> dict[str, str]:
    """What the texts of an exam are filled with, as it is now."""
    english = language == "en"
    place, room, kind = exam.requesting_institution, exam.room, exam.exam_type
    return {
        "day": day_of(exam.starts_at, language),
        "day_en": day_of(exam.starts_at, "en"),  # texts to staff are in both languages
        "time": exam.starts_at.astimezone(SHANGHAI).strftime("%H:%M"),
        "place": f"{place.name_en if english else place.short_name} {room.name_en or room.name if english else room.name}",
        "number": exam.accession,
        "preparation": (kind.preparation_en if english else kind.preparation_zh)
        or NOTHING_TO_PREPARE[english],
        "calendar": SPOKEN_CALENDAR[english]
        if channel == "voice"
        else CALENDAR[english].format(link=link_of(exam.id)),
    }


def _soon(exam: Exam, context: dict[str, str]) -> bool:
    """Whether a change can't wait for the morning: the exam, or the time it had before, is near."""
    moments = [exam.starts_at]
    if BEFORE in context:
        moments.append(datetime.strptime(context[BEFORE], WHEN).replace(tzinfo=SHANGHAI))
    return any(moment - now() <= SOON for moment in moments)


@prebuilt
def _exam(*, exam_id: Value) -> QuerySet[Exam]:
    related = ("patient", "exam_type", "room", "requesting_institution")
    return Exam.objects.select_related(*related).filter(id=exam_id)


def compose(about: About) -> Said | Moot:
    """The words for one patient's message, or why nothing is said.

    Also of a record that is only stored: that an exam is off is still said to who asked for that.
    """
    exam = _exam.one(exam_id=about.id)
    base = about.template.removesuffix("_en")
    kind, state = TOLD[base]
    if exam is None or exam.state != state:
        return Moot("not_so_any_more")
    if exam.starts_at <= now() and BEFORE not in about.context:
        return Moot("too_late")
    wishes = wishes_of(exam.patient_id)
    if kind in wishes.refused or (kind == kinds.FAMILY and kinds.REMINDER in wishes.refused):
        return Moot("refused_by_patient")
    phone = _phone_of(exam, about.context)
    if phone is None:
        return Moot("delegation_over")
    context = values(exam, wishes.language, about.channel)
    urgent = kind not in kinds.REFUSABLE and _soon(exam, about.context)
    context |= {name: about.context[name] for name in (BEFORE, DELEGATION) if name in about.context}
    template = f"{base}_en" if wishes.language == "en" else base
    return Said(to=phone, template=template, context=context, urgent=urgent)


def _phone_of(exam: Exam, context: dict[str, str]) -> str | None:
    """The patient's, or that of the delegation it was queued for, while that stands."""
    if DELEGATION not in context:
        return str(exam.patient.phone)
    row = readers_of(exam.patient_id).filter(id=context[DELEGATION]).first()
    return None if row is None else str(row.phone)


def family_reminded(exam: Exam) -> None:
    """One for each delegate who may see the exam. Who is named stays unsaid: they know whom they care for."""
    for row in readers_of(exam.patient_id):
        message_send(
            to=row.phone,
            channel="sms",
            template="exam_reminder_family",
            context=values(exam, "zh") | {DELEGATION: str(row.id)},
            about=(EXAM, exam.id),
        )


def patient_told(exam: Exam, template: str, **more: str) -> None:
    """Queue one message to the patient: the newest word about an exam replaces what still waits to be said."""
    messages_drop(about=(EXAM, exam.id), reason="newer_word")
    channel = wishes_of(exam.patient_id).channel
    message_send(
        to=exam.patient.phone,
        channel=channel,
        template=template,
        context=values(exam, "zh", channel) | more,
        about=(EXAM, exam.id),
    )


def team_of(exam: Exam) -> set[UUID]:
    """The people of an exam."""
    found = {exam.remote_physician_id, exam.bedside_physician_id}
    return found | ({exam.assistant_id} if exam.assistant_id else set())


def team_told(exam: Exam, user_ids: Iterable[UUID], template: str, **more: str) -> None:
    """One notice in the pages for each of them."""
    notices_give(user_ids=user_ids, template=template, context=values(exam, "zh") | more)


def requester_told(row: ExamRequest, by: UUID | None) -> None:
    """The clinician who asked, when somebody else decided: what became of it."""
    if row.requested_by_id in (None, by):
        return
    asked, exam = when(row.asked_at), row.exam
    if exam is not None:
        team_told(exam, [row.requested_by_id], "request_booked", asked=asked)
    else:
        context = {"asked": asked, "reason": row.reason}
        notices_give(user_ids=[row.requested_by_id], template="request_declined", context=context)


def in_closed_time(exam: Exam) -> None:
    """The desk whose patient it is: somebody or something of another house is away by then."""
    desk = with_role(Role.SCHEDULER, exam.requesting_institution_id)
    team_told(exam, desk, "exam_in_closed_time")


def with_role(role: Role, institution_id: UUID) -> list[UUID]:
    """Active staff with this role there."""
    found = Membership.objects.filter(role=role, institution_id=institution_id, user__is_active=True)
    return list(found.order_by("user_id").values_list("user_id", flat=True))


def late(exam: Exam) -> None:
    """The desk, in its pages, and its group where there is one."""
    team_told(exam, with_role(Role.SCHEDULER, exam.requesting_institution_id), "exam_late")
    if group_known(DESK_GROUP):
        message_send(to=DESK_GROUP, channel=GROUP, template="exam_late", context=values(exam, "zh"))


def not_reached(event: MessageUndelivered) -> None:
    """The desk, in its pages: the patient's message did not go out. What may still go is told only when it is urgent:
    a carrier that is away for a while would fill every desk's page."""
    related = ("exam_type", "room", "requesting_institution")
    exam = only(Exam.objects.select_related(*related).filter(of_readable(), id=event.about_id))
    if exam is None or not (event.final or _soon(exam, event.context)):
        return
    what, what_en = WORD[TOLD[event.template.removesuffix("_en")][0]]
    why, why_en = NOT_TAKEN[event.final]
    desk = with_role(Role.SCHEDULER, exam.requesting_institution_id)
    more = {"what": what, "what_en": what_en, "why": why, "why_en": why_en, "code": event.code}
    team_told(exam, desk, "patient_not_reached", **more)


def preflight(exam: Exam, *, what: str, what_en: str) -> None:
    """The desk, in its pages: what would keep the exam from starting."""
    desk = with_role(Role.SCHEDULER, exam.requesting_institution_id)
    team_told(exam, desk, "preflight", what=what, what_en=what_en)


def unsigned(exam: Exam, *, to_head: bool) -> None:
    """The physician; later who answers for quality at both hospitals (there is no role of a head of department)."""
    people = [exam.remote_physician_id]
    if to_head:
        for place in (exam.performing_institution_id, exam.requesting_institution_id):
            people += with_role(Role.QUALITY_CONTROL, place)
    team_told(exam, people, "report_unsigned")
