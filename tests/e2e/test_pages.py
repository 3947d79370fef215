"""The pages as doors: who is let in, where they are sent, what they read when they are not."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from typing import Any
from uuid import uuid4

import pytest
from django.test import Client
from django.utils.html import escape

from hospital.access.services import SESSION_KEY
from hospital.audit.models import AuditEntry
from hospital.common.clock import SHANGHAI
from hospital.common.error_texts import title
from hospital.people import selectors as people
from teleconsult import services
from teleconsult.models import Exam
from tests.factories import World, make_world

pytestmark = pytest.mark.django_db
HOME_OF = {"desk": "/console/desk/", "bedside": "/console/bedside/", "expert": "/console/my-day/"}
LISTS = ("/console/desk/", "/console/bedside/", "/console/my-day/")


@pytest.fixture(autouse=True)
def embedded(settings: object) -> None:
    settings.EMBEDDED = True  # type: ignore[attr-defined]


@pytest.fixture
def world() -> World:
    return make_world()


@pytest.fixture
def signed_in(world: World) -> Callable[[str], Client]:
    """`signed_in("desk")` is a browser in which that person has signed in."""

    def client(username: str) -> Client:
        browser = Client(HTTP_HOST="localhost")
        session = browser.session
        session[SESSION_KEY] = str(world.principals[username].token_id)
        session.save()
        return browser

    return client


def _exam_pages(exam: Exam) -> dict[str, str]:
    return {
        "console": f"/console/exams/{exam.id}/",
        "bedside": f"/console/bedside/{exam.id}/",
        "report": f"/console/exams/{exam.id}/report/",
    }


def test_nobody_is_sent_to_sign_in_and_back_afterwards() -> None:
    answer = Client(HTTP_HOST="localhost").get("/console/desk/?day=2026-11-24")
    assert answer.status_code == 302
    assert answer["Location"] == "/console/sign-in/?next=%2Fconsole%2Fdesk%2F%3Fday%3D2026-11-24"


@pytest.mark.parametrize(("username", "page"), HOME_OF.items())
def test_each_role_starts_at_its_own_page(
    signed_in: Callable[[str], Client], username: str, page: str
) -> None:
    assert signed_in(username).get("/console/")["Location"] == page


@pytest.mark.parametrize(("username", "own"), HOME_OF.items())
def test_each_list_opens_for_its_role_only(
    signed_in: Callable[[str], Client], username: str, own: str
) -> None:
    browser = signed_in(username)
    assert {page: browser.get(page).status_code for page in LISTS} == {
        page: 200 if page == own else 403 for page in LISTS
    }


def test_a_refused_page_is_a_sentence_in_the_persons_language(signed_in: Callable[[str], Client]) -> None:
    browser = signed_in("expert")
    assert "您的角色不能打开此页面。" in browser.get("/console/desk/").content.decode()
    browser.cookies["lang"] = "en"
    assert "Your role may not open this page." in browser.get("/console/desk/").content.decode()


@pytest.mark.parametrize("username", HOME_OF)
def test_no_id_stands_twice_on_a_page_or_on_those_its_header_leads_to(
    world: World, signed_in: Callable[[str], Client], username: str
) -> None:
    """The second of two is never found by a script: its button would do nothing."""
    browser = signed_in(username)
    home = browser.get(HOME_OF[username]).content.decode()
    led = set(re.findall(r'href="(/console/[^"?#]*)"', home)) | {*_exam_pages(world.book()).values()}
    for address in led:
        found = re.findall(r'\bid="([^"]+)"', browser.get(address).content.decode())
        assert len(found) == len(set(found)), (
            address,
            sorted({one for one in found if found.count(one) > 1}),
        )


def test_an_exams_pages_open_for_its_own_people_only(
    world: World, signed_in: Callable[[str], Client]
) -> None:
    pages = _exam_pages(world.book())
    opened = {
        username: {name for name, page in pages.items() if signed_in(username).get(page).status_code == 200}
        for username in ("expert", "expert2", "bedside", "bedside2", "desk", "other_expert")
    }
    assert opened == {
        "expert": {"console", "report"},
        "bedside": {"bedside", "report"},
        "expert2": set(),
        "bedside2": set(),
        "desk": set(),
        "other_expert": set(),
    }


def test_not_there_and_not_yours_read_the_same(world: World, signed_in: Callable[[str], Client]) -> None:
    browser = signed_in("expert2")
    strip = re.compile(r"[0-9a-f-]{36}|[A-Za-z0-9]{64}")  # the address asked for and the CSRF token
    pages = [browser.get(f"/console/exams/{exam_id}/") for exam_id in (world.book().id, uuid4())]
    assert [page.status_code for page in pages] == [404, 404]
    assert len({strip.sub("", page.content.decode()) for page in pages}) == 1


def test_an_unknown_address_keeps_the_frame(signed_in: Callable[[str], Client]) -> None:
    answer = signed_in("desk").get("/console/no/such/page")
    assert answer.status_code == 404
    assert "周敏" in answer.content.decode()
    assert "没有这个页面" in answer.content.decode()


def test_the_desk_shows_the_wanted_day_and_a_wrong_day_is_today(
    world: World, signed_in: Callable[[str], Client]
) -> None:
    exam = world.book(starts_at=world.tomorrow())
    browser = signed_in("desk")
    day = exam.starts_at.astimezone(SHANGHAI).strftime("%Y-%m-%d")
    assert str(exam.id) in browser.get(f"/console/desk/?day={day}").content.decode()
    assert browser.get("/console/desk/?day=../../etc").status_code == 200


def test_wrong_credentials_are_a_sentence_and_keep_the_name_only(world: World) -> None:
    given = {"username": "desk", "password": "wrong-password", "totp": "918273"}
    answer = Client(HTTP_HOST="localhost").post("/console/sign-in/", given)
    page = answer.content.decode()
    assert answer.status_code == 401
    assert title("bad_credentials") in page
    assert 'value="desk"' in page
    assert "wrong-password" not in page
    assert "918273" not in page


def test_a_locked_account_is_explained(world: World) -> None:
    browser = Client(HTTP_HOST="localhost")
    given = {"username": "desk", "password": "x", "totp": "918273"}
    answers = [browser.post("/console/sign-in/", given) for _ in range(8)]
    assert answers[-1].status_code == 429
    assert "连续输错会暂时锁定账号" in answers[-1].content.decode()


@pytest.mark.parametrize(
    "wanted", ["//evil.example/", "https://evil.example/", "javascript:alert(1)", "\\\\evil"]
)
def test_the_way_back_never_leads_off_the_site(wanted: str) -> None:
    answer = Client(HTTP_HOST="localhost").post("/console/language/", {"lang": "en", "next": wanted})
    assert answer["Location"] == "/console/"
    assert answer.cookies["lang"].value == "en"


def test_an_unknown_language_is_not_kept() -> None:
    answer = Client(HTTP_HOST="localhost").post(
        "/console/language/", {"lang": "xx", "next": "/console/desk/"}
    )
    assert "lang" not in answer.cookies


def test_signing_out_ends_the_session_and_is_never_a_link(signed_in: Callable[[str], Client]) -> None:
    browser = signed_in("desk")
    assert browser.get("/console/sign-out/").status_code == 405
    assert browser.post("/console/sign-out/").status_code == 302
    assert browser.get("/console/desk/").status_code == 302


def test_sign_out_and_language_need_the_csrf_token() -> None:
    browser = Client(HTTP_HOST="localhost", enforce_csrf_checks=True)
    assert browser.post("/console/sign-out/").status_code == 403
    assert browser.post("/console/language/", {"lang": "en"}).status_code == 403


def test_the_mailbox_exists_only_in_the_embedded_default(
    signed_in: Callable[[str], Client], settings: object
) -> None:
    assert signed_in("desk").get("/console/mailbox/").status_code == 200
    settings.EMBEDDED = False  # type: ignore[attr-defined]
    assert signed_in("desk").get("/console/mailbox/").status_code == 404
    assert "/console/mailbox/" not in signed_in("desk").get("/console/desk/").content.decode()


def test_what_people_typed_reaches_the_page_as_text(world: World, signed_in: Callable[[str], Client]) -> None:
    nasty = "</script><script>alert(1)</script>"
    exam = world.book(clinical_question=nasty)
    services.exam_cancel(principal=world.principals["desk"], exam_id=exam.id, reason=nasty)
    page = signed_in("expert").get(f"/console/exams/{exam.id}/report/").content.decode()
    assert nasty not in page
    assert "\\u003C/script\\u003E" in page or escape(nasty) in page


def test_pages_forbid_foreign_and_inline_code_and_are_not_cached(signed_in: Callable[[str], Client]) -> None:
    answer = signed_in("desk").get("/console/desk/")
    assert "script-src 'self'" in answer["Content-Security-Policy"]
    assert "no-store" in answer["Cache-Control"] or "no-cache" in answer["Cache-Control"]


def test_a_consent_is_printed_as_it_was_given(world: World, signed_in: Callable[[str], Client]) -> None:
    """Text, version, witness and recorder; withdrawn it says so; other hospitals find nothing."""
    exam = world.ready()
    consent = people.consent_active(exam_id=exam.id, kind="remote_exam")
    assert consent is not None
    path = f"/console/consents/{consent.id}/print/"
    page = signed_in("bedside").get(path).content.decode()
    for words in (
        "知情同意书",
        "文本版本 1",
        "钱丽",
        "李建国",
        world.patient.name,
        exam.accession,
        consent.text.sha256,
    ):
        assert words in page
    assert "已撤回" not in page
    services.exam_consent_withdraw(principal=world.principals["bedside"], exam_id=exam.id, reason="改变主意")
    page = signed_in("desk").get(path).content.decode()
    assert "已撤回" in page
    assert "改变主意" in page
    assert signed_in("other_desk").get(path).status_code == 404
    assert signed_in("expert").get(path).status_code == 403


def test_the_consents_page_has_what_is_needed_to_take_one(
    world: World, signed_in: Callable[[str], Client]
) -> None:
    """Desk and bedside of the patient's hospital; the exam only for who takes its consent; the read is on record."""
    exam = world.ready()
    path = f"/console/patients/{world.patient.id}/consents/"

    def body(who: str) -> dict[str, Any]:
        found = re.search(
            r'id="consents-data"[^>]*>(.*?)</script>', signed_in(who).get(path).content.decode()
        )
        assert found is not None
        return dict(json.loads(found[1]))

    assert [row["id"] for row in body("bedside")["exams"]] == [str(exam.id)]
    desk = body("desk")
    assert desk["exams"] == []
    assert [row["kind"] for row in desk["consents"]] == ["remote_exam"]
    assert str(world.patient.institution_id) not in [row["id"] for row in desk["receivers"]]
    assert world.patient.document_number not in json.dumps(desk)
    read = AuditEntry.objects.filter(action="page.consents").latest("seq")
    assert read.patient_ids == [world.patient.id]
    assert signed_in("other_desk").get(path).status_code == 404
    assert signed_in("expert").get(path).status_code == 403


def test_the_papers_page_opens_for_who_keeps_them(signed_in: Callable[[str], Client]) -> None:
    page = signed_in("admin").get("/console/papers/").content.decode()
    assert json.dumps("李建国")[1:-1] in page
    assert signed_in("desk").get("/console/papers/").status_code == 403
