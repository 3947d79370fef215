"""Message texts, Chinese first, English after it; filled with `str.format`. No text says why a person is cared for."""

from __future__ import annotations

from collections.abc import Mapping
from string import Formatter

TEMPLATES: dict[str, str] = {
    "login_code": (
        "【长三角互联网医院】验证码 {code}，5 分钟内有效。工作人员不会向您索要验证码。"
        " Your code is {code}, valid for 5 minutes. Staff never ask for it."
    ),
    "correction_answered": (
        "【长三角互联网医院】您的更正申请已有答复，请在手机端查看，或致电医院。"
        " Your request for a correction was answered; see it in the app, or call the hospital."
    ),
    "delegation_ends": (
        "【长三角互联网医院】您的一项家属照护授权将于{on}到期，需要时请重新授权。"
        " A family or carer's delegation ends on {on}; renew it if it is still needed."
    ),
    "break_glass_overdue": (
        "{at} 的一次紧急调阅已超过一天未复核，请尽快复核。"
        " An emergency access of {at} was not reviewed within a day; please review it."
    ),
    "waiting_offer": (
        "【长三角互联网医院】{place}有一个空出的时间：{when}。请在{until}前确认或放弃：{link}"
        " A time is free at {place_en}: {when}. Accept or decline before {until}: {link}"
    ),
    "paper_ends": (
        "{what}（{name}）将于{day}到期，还有 {days} 天；到期后不能再预约。"
        " {what_en} ({name}) ends on {day}, {days} days from now; nothing can be booked on it afterwards."
    ),
    "exam_delayed": (
        "【长三角互联网医院】抱歉，今天的检查有延迟，预计 {at} 左右在{place}开始，请在候诊区等候叫号。"
        " We are sorry: your exam today is late, it will begin at about {at} in {place}. Please wait to be called."
    ),
    "break_glass": (
        "【长三角互联网医院】{hospital}的{name}因紧急情况于{at}查看了您的病历，院方将在一天内复核。如有疑问请联系医院。"
        " {name} of {hospital} opened your record in an emergency at {at}; it will be reviewed within a day."
    ),
    # Of a booking: one language each, the patient's.
    "exam_booked": (
        "【长三角互联网医院】已预约：{day} {time}，{place}，预约号{number}。请带身份证提前15分钟到。{preparation}{calendar}"
    ),
    "exam_booked_en": (
        "Yangtze Delta Hospital: booked for {day}, {time}, {place}, number {number}. Please bring your identity card"
        " and come 15 minutes early. {preparation} {calendar}"
    ),
    "exam_reminder": (
        "【长三角互联网医院】提醒：{day} {time}，{place}，预约号{number}。{preparation}不能来请提前致电医院。"
    ),
    "exam_reminder_en": (
        "Yangtze Delta Hospital: a reminder of {day}, {time}, {place}, number {number}. {preparation}"
        " If you can't come, please call the hospital."
    ),
    "exam_reminder_family": (
        "【长三角互联网医院】提醒：您协助的家人{day} {time}有预约，{place}，预约号{number}。{preparation}不能来请提前致电医院。"
    ),
    "exam_reminder_family_en": (
        "Yangtze Delta Hospital: a reminder, the person you care for has a booking on {day}, {time}, {place}, number"
        " {number}. {preparation} If they can't come, please call the hospital."
    ),
    "exam_moved": (
        "【长三角互联网医院】您的预约（{number}）已改到{day} {time}，{place}，原时间取消。{preparation}"
    ),
    "exam_moved_en": (
        "Yangtze Delta Hospital: your booking {number} was moved to {day}, {time}, {place}. The old time is off."
        " {preparation}"
    ),
    "exam_cancelled": (
        "【长三角互联网医院】您{day} {time}的预约（{number}）已取消，请不要前来；如需改约请致电医院。"
    ),
    "exam_cancelled_en": (
        "Yangtze Delta Hospital: your booking {number} of {day}, {time} was cancelled, please do not come."
        " To book anew, call the hospital."
    ),
    "exam_displaced": (
        "【长三角互联网医院】很抱歉，因急诊需要，您{day} {time}的预约（{number}）须改期，请不要按原时间前来。您已排在候补名单最前，有空位立即通知您。"
    ),
    "exam_displaced_en": (
        "Yangtze Delta Hospital: we are sorry, an emergency takes your time of {day}, {time} ({number}). Please do not"
        " come then; you are first on the waiting list and hear from us as soon as a time is free."
    ),
    "exam_moved_staff": (
        "原定{before}的检查（{number}）已改动：{day} {time}，{place}。"
        " The exam {number} of {before} was changed: {day_en} {time}, {place}."
    ),
    "exam_cancelled_staff": (
        "{day} {time} {place} 的检查（{number}）已取消。 The exam {number} of {day_en} {time} is cancelled."
    ),
    "exam_late": (
        "{day} {time} {place} 的检查（{number}）到时未开始。 The exam {number} of {day_en} {time} did not start in time."
    ),
    "request_booked": (
        "您{asked}提出的检查申请已约好：{day} {time}，{place}（{number}）。"
        " What you asked for on {asked} is booked: {number}, {day_en} {time}."
    ),
    "request_declined": (
        "您{asked}提出的检查申请未获安排：{reason}。 What you asked for on {asked} was declined: {reason}."
    ),
    "exam_in_closed_time": (
        "{day} {time} {place} 的检查（{number}）需要的人员或设备届时停用，请改期。"
        " Somebody or something that exam {number} of {day_en} {time} needs is closed by then: please move it."
    ),
    "patient_not_reached": (
        "{day} {time} {place} 的检查（{number}）：{what}没有送达，{why}（{code}）。请打电话告知。"
        " Exam {number} of {day_en} {time}: {what_en} was not delivered, {why_en}. Please call."
    ),
    "preflight": (
        "{day} {time} {place} 的检查即将开始，请处理：{what} The exam {number} of {day_en} {time} begins soon, please see to"
        " it: {what_en}"
    ),
    "report_unsigned": (
        "{day} {time} 的检查（{number}）已结束，报告尚未签署。"
        " The report of exam {number}, {day_en} {time}, is not signed yet."
    ),
}


def spoken(code: str) -> str:
    """`046` -> `0，4，6`: a voice call reads digit by digit, with pauses."""
    return "，".join(code)


def _as_said(channel: str, context: Mapping[str, str]) -> dict[str, str]:
    if channel == "voice" and "code" in context:
        return {**context, "code": spoken(context["code"])}
    return dict(context)


def render(template: str, channel: str, context: Mapping[str, str]) -> str:
    """KeyError for an unknown template or a missing value: a message is never sent half filled."""
    return TEMPLATES[template].format(**_as_said(channel, context))


def values_of(template: str, channel: str, context: Mapping[str, str]) -> dict[str, str]:
    """Name -> value in the order in which our text names them first: how a carrier's own copy is filled.

    KeyError for a missing value: some carriers fill by place, and a later value would stand in an earlier one's.
    """
    said = _as_said(channel, context)
    names = [name for _, name, _, _ in Formatter().parse(TEMPLATES[template]) if name]
    return {name: said[name] for name in dict.fromkeys(names)}
