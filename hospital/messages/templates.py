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
    "exam_moved": (
        "【长三角互联网医院】您原定{before}的预约已改到{when}，地点：{place}{room}。如有疑问请致电医院。"
        " Your booking of {before} is now at {when}, {place_en}, room {room}."
    ),
    "exam_cancelled": (
        "【长三角互联网医院】您{when}在{place}的预约已取消。如需重新预约请致电医院。"
        " Your booking of {when} at {place_en} is cancelled."
    ),
    "exam_moved_staff": (
        "原定{before}的检查已改动：{when}，{place}{room}。 The exam of {before} was changed: {when}, {place_en}, {room}."
    ),
    "exam_cancelled_staff": (
        "{when}在{place}{room}的检查已取消。 The exam of {when} at {place_en}, {room}, is cancelled."
    ),
    "paper_ends": (
        "{what}（{name}）将于{day}到期，还有 {days} 天；到期后不能再预约。"
        " {what_en} ({name}) ends on {day}, {days} days from now; nothing can be booked on it afterwards."
    ),
    "break_glass": (
        "【长三角互联网医院】{hospital}的{name}因紧急情况于{at}查看了您的病历，院方将在一天内复核。如有疑问请联系医院。"
        " {name} of {hospital} opened your record in an emergency at {at}; it will be reviewed within a day."
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
    """Name -> value in the order in which our text names them first: how a carrier's own copy is filled."""
    said = _as_said(channel, context)
    names = [name for _, name, _, _ in Formatter().parse(TEMPLATES[template]) if name]
    return {name: said[name] for name in dict.fromkeys(names)}
