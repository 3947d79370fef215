"""Steps 4 and 5 of the first exam: report and print, and the patient through the API."""

from __future__ import annotations

import json
import urllib.error
import urllib.request
from typing import Any

from playwright.sync_api import Page, expect

from tests.waiting import until

from .conftest import House
from .steps_desk import NAME


def write_and_sign(remote: Page, house: House) -> None:
    remote.get_by_label("检查所见").fill("肝脏大小形态正常，胆囊内见强回声，后伴声影。")
    remote.get_by_role("button", name="写入所见").first.click()
    remote.get_by_label("超声提示").fill("胆囊结石。")
    expect(remote.locator("#saved")).to_contain_text("已保存")
    remote.get_by_role("button", name="签发报告").click()
    expect(remote.locator("#saved")).to_contain_text("没有图像也没有原因")
    remote.get_by_role("group", name="其余切面同一原因").get_by_role("button", name="气体").click()
    expect(remote.locator("#views-left")).to_have_count(0)
    remote.get_by_role("button", name="签发报告").click()
    remote.get_by_label("动态验证码").fill(house.totp(house.staff("remote_physician")["username"]))
    remote.get_by_role("button", name="确认签发").click()
    expect(remote.get_by_text("王思远 于")).to_be_visible()


def print_sheet(remote: Page, exam: dict[str, Any]) -> None:
    remote.locator(".versions a").first.click()
    sheet = remote.locator(".sheet")
    for words in (
        exam["requesting_institution"],
        exam["performing_institution"],
        NAME,
        "胆囊结石。",
        "王思远",
        "肠气遮挡",
    ):
        expect(sheet).to_contain_text(words)
    drawn = "[...document.querySelectorAll('.sheet img')].map((img) => img.complete && img.naturalWidth > 0)"
    until(lambda: remote.evaluate(drawn) == [True, True], timeout_s=20, what="still and loop on the sheet")


def call_api(house: House, method: str, path: str, body: Any = None, token: str = "") -> tuple[int, bytes]:
    headers = {"Content-Type": "application/json", **({"Authorization": f"Bearer {token}"} if token else {})}
    data = json.dumps(body).encode() if body is not None else None
    request = urllib.request.Request(
        f"{house.base_url}/api/v1/{path}", data=data, headers=headers, method=method
    )
    try:
        with urllib.request.urlopen(request, timeout=30) as response:
            return response.status, response.read()
    except urllib.error.HTTPError as error:
        return error.code, error.read()


def patient_token(house: House, phone: str, document: str) -> str:
    status, _ = call_api(house, "POST", "auth/patient/code", {"phone": phone})
    assert status < 300
    code = until(
        lambda: mailbox_code(house, phone), timeout_s=30, every_s=0.5, what="the code in the mailbox"
    )
    body = {"phone": phone, "code": code, "document_number": document}
    status, answer = call_api(house, "POST", "auth/patient/token", body)
    assert status == 200, answer
    return str(json.loads(answer)["access"])


def mailbox_code(house: House, phone: str) -> str:
    printed = house.manage("mailbox", "--to", phone, "--last", "--json")
    return str((json.loads(printed) or {}).get("code") or "") if printed else ""
