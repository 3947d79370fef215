"""Words of the turnover between two exams. What the items are called comes with the turnover itself."""

from __future__ import annotations

TEXTS_TURNOVER: dict[str, tuple[str, str]] = {
    "turnover.title": ("清场", "Turnover"),
    "turnover.left": ("还差 {n} 项", "{n} left"),
    "turnover.complete": ("已完成", "Complete"),
    "turnover.waits": ("待清场", "turnover open"),
    "turnover.not_due": (
        "检查还在进行，结束后再签清场。",
        "The exam is still going on; sign when it is over.",
    ),
    "turnover.sign": ("我已完成", "I did this"),
    "turnover.take_back": ("更正", "Correct"),
    "turnover.take_back_title": ("更正：{item}", "Correct: {item}"),
    "turnover.take_back_do": ("这一项其实没有完成", "This was not done"),
    "turnover.reason": ("原因", "Reason"),
    "turnover.was_taken_back": ("{by} {at} 更正：{reason}", "Taken back by {by} {at}: {reason}"),
    "turnover.before": (
        "上一位患者检查后的清场须先完成，每一项由做的人自己签。",
        "First complete the turnover after the patient before; whoever did an item signs it.",
    ),
    "turnover.board": ("清场未完成：{where} · {left}", "Turnover open: {where} · {left}"),
    "bed.step.turnover": ("清场", "Turnover"),
}
