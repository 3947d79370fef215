from __future__ import annotations

TITLES: dict[str, tuple[str, str]] = {
    "unknown_exam_type": ("没有这种检查类型。", "There is no such exam type."),
    "appointment_over": ("预约已结束或取消。", "The appointment is over or cancelled."),
    "bad_period": ("时间段不正确。", "The time is not a possible one."),
    "calendar_locked": (
        "另一预约正在处理同一时间，请稍后重试。",
        "Another booking for the same calendars is being made; please try again.",
    ),
    "hold_over": ("预留时间已失效，请重新选择。", "The time is no longer held for you; please choose again."),
}
