"""What may go and what stays, decided on facts alone."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta

# Why something stays -> what a patient is told (Chinese, English).
DUE, CLOCK, HELD, OPEN, RUNNING = "due", "clock", "held", "open", "running"
WHY: dict[str, tuple[str, str]] = {
    HELD: ("正在进行的法律程序需要保存", "a legal procedure needs it"),
    OPEN: ("尚有未完成的检查或报告", "an exam or report is not finished yet"),
    RUNNING: ("期限尚未开始计算", "its time has not begun to run"),
}
ANSWER_WITHIN = timedelta(days=15)  # design value: the law says "in time"


@dataclass(frozen=True)
class Decision:
    """`why` is due, clock, held, open or running; `until` the day it may go (None: not known yet)."""

    goes: bool
    why: str
    until: date | None = None


def decide(*, until: date | None, today: date, held: bool, open_code: str, asked: bool = False) -> Decision:
    """`until` is the first day on which the clock lets it go; `asked`: the patient wants it gone and no law keeps it.

    A hold is stronger than everything. An exam that is still open keeps what its clock would let go; what the clock
    keeps anyway has the day to say.
    """
    if held:
        return Decision(False, HELD, until)
    if asked:
        return Decision(True, DUE, until)
    if until is not None and until > today:
        return Decision(False, CLOCK, until)
    if open_code:
        return Decision(False, OPEN, until)
    return Decision(True, DUE, until) if until is not None else Decision(False, RUNNING)
