"""Step 1 of the first exam, at the booking desk."""

from __future__ import annotations

from datetime import datetime, timedelta, timezone
from typing import Any

from playwright.sync_api import Page, expect

from tests.waiting import until

from .conftest import House

SHANGHAI = timezone(timedelta(hours=8))
NAME, DOCUMENT, PHONE = "沈阿妹", "320525194507080044", "13900001234"  # a namesake of a demo patient
QUESTION = "右上腹隐痛两周，胆囊结石？"
SLOT = timedelta(minutes=5)
BOOK = """async (body) => {
  const { call } = await import("/static/console/api.js");
  return call("POST", "exams", body);
}"""


def get(page: Page, house: House, path: str) -> Any:
    """What the signed-in person of this window gets from the API."""
    response = page.request.get(f"{house.base_url}/api/v1/{path}")
    assert response.ok, (path, response.status, response.text())
    return response.json()


def register(desk: Page) -> None:
    desk.get_by_role("button", name="登记新患者").click()
    desk.get_by_label("姓名").fill(NAME)
    desk.get_by_label("证件号码").fill(DOCUMENT)
    expect(desk.get_by_text("号码有效：")).to_be_visible()
    desk.get_by_label("手机号码").fill(PHONE)
    desk.get_by_role("button", name="登记", exact=True).click()
    expect(desk.get_by_text("已有同名患者")).to_be_visible()
    desk.get_by_role("button", name="都不是，继续登记").click()
    expect(desk.get_by_role("heading", name="2 预约检查")).to_be_visible()


def choose(desk: Page, part: str, words: str) -> None:
    select = desk.locator(f"select[name={part}]")
    labels: list[str] = select.locator("option").all_inner_texts()
    select.select_option(label=next(label for label in labels if words in label))


def free_start(desk: Page, house: House, minutes: int) -> datetime:
    """A start at which nothing of today's or tomorrow's list overlaps, at least 20 minutes from now."""
    now = datetime.now(SHANGHAI)
    days = {now.date(), (now + timedelta(hours=2)).date()}
    rows = [row for day in days for row in get(desk, house, f"exams?day={day}")["results"]]
    taken = [
        (datetime.fromisoformat(row["starts_at"]), datetime.fromisoformat(row["ends_at"])) for row in rows
    ]
    start = (now + timedelta(minutes=20)).replace(second=0, microsecond=0)
    start += timedelta(minutes=-start.minute % 5)
    while any(a < start + timedelta(minutes=minutes) and b > start for a, b in taken):
        start += SLOT
    return start


def fill_booking(desk: Page, expert: str, physician: str) -> None:
    desk.get_by_label("检查目的").fill(QUESTION)
    desk.get_by_label("病史").fill("高血压 10 年")
    choose(desk, "remote_physician", expert)
    choose(desk, "bedside_physician", physician)
    choose(desk, "room", "超声 1 室")


def set_time(desk: Page, start: datetime) -> None:
    desk.get_by_label("日期", exact=True).last.fill(start.strftime("%Y-%m-%d"))
    desk.get_by_label("开始时间").fill(start.strftime("%H%M"))
    desk.get_by_role("button", name="预约", exact=True).click()


def soonest(desk: Page, house: House) -> dict[str, Any]:
    """The next exam of the day's list that nobody can miss while a form is filled in: the house keeps one soon."""

    def ahead() -> list[dict[str, Any]]:
        now = datetime.now(SHANGHAI)
        days = {now.date(), (now + timedelta(hours=2)).date()}
        rows = [row for day in days for row in get(desk, house, f"exams?day={day}")["results"]]
        return [
            row
            for row in rows
            if row["state"] == "booked"
            and datetime.fromisoformat(row["starts_at"]) > now + timedelta(minutes=2)
        ]

    found = until(ahead, timeout_s=180, every_s=1.0, what="a booked exam ahead")
    return dict(min(found, key=lambda row: str(row["starts_at"])))


def booked_for(desk: Page, house: House, bedside: str) -> dict[str, Any]:
    """An exam of a test's own, for a patient who is known already: `bedside` stands there, by name."""
    known = get(desk, house, f"exams/{house.up['exams'][0]['id']}")
    people = get(desk, house, "resources?kind=person")["results"]
    body = {
        "patient_id": known["patient"]["id"],
        "exam_type": "abdomen",
        "clinical_question": QUESTION,
        "remote_physician_id": known["remote_physician"]["id"],
        "bedside_physician_id": next(row["user_id"] for row in people if row["name"] == bedside),
        "robot_id": house.up["robot"]["id"],
        "room_id": get(desk, house, "resources?kind=room")["results"][0]["id"],
        "starts_at": free_start(desk, house, 20).isoformat(),
    }
    return dict(desk.evaluate(BOOK, body))


def book(desk: Page, house: House, *, expert: str, physician: str) -> dict[str, Any]:
    """Register and book; a taken time is refused by name before. The exam as the list shows it."""
    taken = datetime.fromisoformat(soonest(desk, house)["starts_at"]).astimezone(SHANGHAI)
    register(desk)
    fill_booking(desk, expert, physician)
    set_time(desk, taken)
    refusal = desk.get_by_role("alert")
    expect(refusal).to_contain_text("以下已被占用")
    expect(refusal).to_contain_text("超声机器人 1 号")
    start = free_start(desk, house, 20)
    set_time(desk, start)
    expect(desk.get_by_role("heading", name="预约详情")).to_be_visible()
    rows = get(desk, house, f"exams?day={start.date()}")["results"]
    booked = next(row for row in rows if datetime.fromisoformat(row["starts_at"]) == start)
    assert booked["patient"]["name"] == NAME
    assert isinstance(booked, dict)
    return booked
