"""How long what is stored must stay, and who may erase it: clocks, their arithmetic, and the classes each app names.

A clock runs in whole days of Shanghai: the day of the start is not counted, and the last day is kept to its end. So
something of 1 March 2026 that is kept for 15 years may go from 2 March 2041, 00:00 Shanghai. A day that a later year or
month does not have (29 February, 31 August + 6 months) counts as the first of the next month: never too early.
Transient things (one-time codes, tickets) have a plain span instead.

`law` is set only where the text of the law was seen; every other number is ours ("design value").
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from uuid import UUID

from .clock import SHANGHAI, shanghai_day

Words = tuple[str, str]  # Chinese, English
PATIENT, ROBOT = "patient", "robot"


@dataclass(frozen=True, kw_only=True)
class Clock:
    """`starts` says from what the time is counted, `why` what it stands on."""

    name: str
    starts: Words
    why: Words
    law: str = ""
    years: int = 0
    months: int = 0
    span: timedelta = timedelta(0)


def _later(day: date, years: int, months: int) -> date:
    """The same day of a later month; the first of the next one where there is no such day."""
    count = day.year * 12 + day.month - 1 + years * 12 + months
    try:
        return day.replace(year=count // 12, month=count % 12 + 1)
    except ValueError:
        return date((count + 1) // 12, (count + 1) % 12 + 1, 1)


def erasable_on(clock: Clock, start: datetime) -> date:
    """The first Shanghai day on which something that started then may go. ValueError for a start without a zone."""
    if start.tzinfo is None:
        raise ValueError("a start needs a zone")
    day = (start + clock.span).astimezone(SHANGHAI).date()
    return _later(day, clock.years, clock.months) + timedelta(days=1)


def cutoff(clock: Clock, at: datetime) -> datetime:
    """What started before this moment may go at `at`: the other side of `erasable_on`, exactly."""
    if not clock.years and not clock.months:
        return at - clock.span
    today = at.astimezone(SHANGHAI).date()
    day = _later(today, -clock.years, -clock.months)
    while erasable_on(clock, shanghai_day(day)[0]) > today:
        day -= timedelta(days=1)
    while erasable_on(clock, shanghai_day(day)[1]) <= today:
        day += timedelta(days=1)
    return shanghai_day(day)[1]


# LAW-11, LAW-12, PI-06, SEC-10, SAF-07 of the requirements; everything without `law` is a design value.
RECORD = Clock(
    name="record",
    years=15,
    law="LAW-11",
    starts=("最近一次就诊结束", "the end of the last visit (design value)"),
    why=(
        "互联网诊疗监管细则（试行）：门诊电子病历保存不少于15年",
        "Internet diagnosis supervision rules (trial): outpatient records stay at least 15 years",
    ),
)
PROCESS = Clock(
    name="process",
    years=3,
    law="LAW-12",
    starts=("检查结束", "the end of the exam (design value)"),
    why=(
        "互联网诊疗监管细则（试行）：诊疗过程资料保存不少于3年",
        "Internet diagnosis supervision rules (trial): what was kept of the process stays at least 3 years",
    ),
)
HANDLING = Clock(
    name="handling",
    years=3,
    law="PI-06",
    starts=("答复之日", "the day it was answered (design value)"),
    why=(
        "个人信息保护法第五十六条：处理记录保存至少三年",
        "Personal Information Protection Law, art 56: records of processing stay at least three years",
    ),
)
NETWORK = Clock(
    name="network",
    months=6,
    law="SEC-10",
    starts=("登录失效", "the end of the sign-in (design value)"),
    why=(
        "网络安全法（2016）第二十一条：网络日志留存不少于六个月",
        "Cybersecurity Law (2016), art 21: network logs stay at least six months",
    ),
)
DEVICE = Clock(
    name="device",
    years=5,
    law="SAF-07",
    starts=("设备停用", "the end of the device's life"),
    why=(
        "医疗器械监督管理条例第五十条：使用档案保存至规定使用期限终止后5年",
        "Regulation on medical devices, art 50: the use file stays 5 years beyond the device's life",
    ),
)
UNSEEN = Clock(
    name="unseen",
    years=1,
    starts=("登记或预约时间", "registration, or the time that was booked"),
    why=("未就诊：本院规定", "nobody came: our own rule (design value)"),
)
CLOCKS = (RECORD, PROCESS, HANDLING, NETWORK, DEVICE, UNSEEN)


def span(name: str, time: timedelta, starts: Words) -> Clock:
    """A clock for what only serves the moment."""
    return Clock(
        name=name, span=time, starts=starts, why=("用途已尽：本院规定", "its use is over: our own rule")
    )


@dataclass(frozen=True, kw_only=True)
class Part:
    """Rows of one patient or robot, erased in the transaction of that subject, the highest `order` first.

    `count(subject, before)`, `erase(subject, before)` and `ids(subject, before)` mean rows that started before that
    moment; None means all. With `own_clock` the part goes when its own time is over, whatever else stays; without, it
    goes with the subject's record. `on_request` parts go at once when the patient asks. `ids` names what the database is told may
    go. `candidates(before)`: subjects with something that old. Erasing runs in the caller's transaction.
    """

    name: str
    words: Words
    subject: str
    clock: Clock
    order: int
    count: Callable[[UUID, datetime | None], int]
    erase: Callable[[UUID, datetime | None], int]
    newest: Callable[[UUID], datetime | None] = lambda _subject: None
    ids: Callable[[UUID, datetime | None], list[UUID]] = lambda _subject, _before: []
    candidates: Callable[[datetime], Iterable[UUID]] = lambda _before: ()
    own_clock: bool = False
    on_request: bool = False


@dataclass(frozen=True, kw_only=True)
class Rows:
    """Rows that belong to nobody's record and go one by one. `clear(before, limit)` erases at most `limit`."""

    name: str
    words: Words
    clock: Clock
    count: Callable[[datetime], int]
    clear: Callable[[datetime, int], int]


@dataclass(frozen=True, kw_only=True)
class Standing:
    """Where a subject's record stands: which clock runs, since when (None: not yet), and what is still open."""

    clock: Clock
    start: datetime | None
    open: str = ""


@dataclass(frozen=True, kw_only=True)
class Subject:
    """Whose record it is. `find` takes what people write (a number, a name, an id) and gives every one it may mean,
    of any hospital; `candidates(at)` may be due.

    `lock` keeps others from adding to the record until the transaction ends; False when there is no such record.
    `aliases`: other ids under which the same record was known; a hold on one of them counts. `label`: the number by
    which the record is found elsewhere, for the list of what goes; no name.
    """

    kind: str
    lock: Callable[[UUID], bool]
    find: Callable[[str], list[UUID]]
    institution: Callable[[UUID], UUID | None]
    standing: Callable[[UUID], Standing]
    candidates: Callable[[datetime], Iterable[UUID]]
    aliases: Callable[[UUID], list[UUID]] = lambda _subject: []
    label: Callable[[UUID], str] = str


_parts: dict[str, Part] = {}
_rows: dict[str, Rows] = {}
_subjects: dict[str, Subject] = {}


def register(*classes: Part | Rows | Subject) -> None:
    """Each app names its classes in `ready()`; a second time replaces the first."""
    for one in classes:
        if isinstance(one, Part):
            _parts[one.name] = one
        elif isinstance(one, Rows):
            _rows[one.name] = one
        else:
            _subjects[one.kind] = one


def parts(kind: str) -> list[Part]:
    """The parts of one kind of subject in the order in which they go."""
    return sorted(
        (one for one in _parts.values() if one.subject == kind), key=lambda one: (-one.order, one.name)
    )


def rows() -> list[Rows]:
    return sorted(_rows.values(), key=lambda one: one.name)


def subject(kind: str) -> Subject:
    return _subjects[kind]


def kinds() -> list[str]:
    return sorted(_subjects)
