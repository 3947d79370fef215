from __future__ import annotations

TITLES: dict[str, tuple[str, str]] = {
    "unknown_exam_type": ("没有这种检查类型。", "There is no such exam type."),
    "appointment_over": ("预约已结束或取消。", "The appointment is over or cancelled."),
    "bad_period": ("时间段不正确。", "The time is not a possible one."),
    "calendar_locked": (
        "另一预约正在处理同一时间，请稍后重试。",
        "Another booking for the same calendars is being made; please try again.",
    ),
    "resource_closed": (
        "所选人员、检查室或机器人在该时段不出诊或停用，请另选时间。",
        "A chosen person, room or robot is not open at that time; please choose another time.",
    ),
    "not_released": (
        "专家所在医院未开放该时段，或未用时段已在开始前 24 小时收回。",
        "The expert's hospital has not released that time, or it went back unused 24 hours ahead.",
    ),
    "outside_exam_hours": (
        "该检查只在规定时段进行，请在规定时段内另选时间。",
        "This exam is done only at certain hours; please choose a time within them.",
    ),
    "must_come_before": (
        "该检查须安排在另一项检查之前，请改到之前或另一天。",
        "This exam must come before the other procedure; choose an earlier time or another day.",
    ),
    "too_soon_after": (
        "距另一项检查的间隔天数不足，请改到更晚的日期。",
        "Too few days have passed since the other procedure; choose a later day.",
    ),
    "assistant_needed": ("该检查需要一名助手，请选择助手。", "This exam needs an assistant; choose one."),
    "not_qualified": (
        "所选人员、检查室或设备不能用于该检查。",
        "A chosen person, room or device is not qualified for this exam.",
    ),
    "no_such_probe": (
        "该院没有此检查所需的探头。",
        "The institution has no probe of the type that this exam needs.",
    ),
    "too_many_holds": (
        "您已预留多个时段，请先使用或释放其中之一。",
        "You keep several times already; use one or give one back first.",
    ),
    "bad_hours": ("时段的结束须晚于开始。", "Hours must end after they begin."),
    "order_rule_twice": ("同一检查的顺序规则重复。", "There are two order rules for one procedure."),
    "not_a_person": ("只有医师可以按开放时段预约。", "Only a person can be booked by released times."),
    "holidays_unknown": (
        "该年度的节假日安排尚未收录，仅按普通星期和固定节日计算，请人工核对。",
        "That year's holidays are not known yet: plain weekdays and fixed holidays are used; please check by hand.",
    ),
    "hours_not_written": (
        "部分人员、检查室或机器人未设出诊时间，按工作日 08:00–17:30 查找。",
        "Some people, rooms or robots have no hours; working days 08:00-17:30 are searched for them.",
    ),
    "hold_over": ("预留时间已失效，请重新选择。", "The time is no longer held for you; please choose again."),
}
