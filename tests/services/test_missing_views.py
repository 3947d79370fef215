"""A standard view has a picture or a reason before the report is signed, and the reason is part of what is signed."""

from __future__ import annotations

import json
from typing import Any

import pytest
from django.db import IntegrityError, transaction

from hospital.common.errors import Conflict, Forbidden, Invalid, NotFound
from hospital.records import selectors as records
from hospital.records.models import MissingView
from teleconsult import reporting, views_list
from teleconsult.console.printed import printed_report
from teleconsult.models import Exam
from teleconsult.report_views import report_for_patient, report_json
from teleconsult.representations import exam_json
from tests.access.house import client_for
from tests.factories import World, make_world
from tests.services.test_reports import draft, prove, still

pytestmark = pytest.mark.django_db
VIEWS = [
    {"code": "liver", "name_zh": "肝左叶", "name_en": "Left liver"},
    {"code": "pancreas", "name_zh": "胰腺横切", "name_en": "Pancreas"},
    {"code": "spleen", "name_zh": "脾脏", "name_en": "Spleen"},
]


@pytest.fixture(autouse=True)
def objects_dir(settings: Any, tmp_path: Any) -> None:
    settings.OBJECTS_DIR = tmp_path


@pytest.fixture
def world() -> World:
    return make_world()


@pytest.fixture
def exam(world: World) -> Exam:
    found = world.ended()
    found.exam_type.views = VIEWS
    found.exam_type.save(update_fields=["views"])
    still(world, found)  # of the liver
    return found


def say(
    world: World, exam: Exam, *views: str, reason: str = "gas", text: str = "", who: str = "expert"
) -> Exam:
    return reporting.views_missing(
        principal=world.principals[who], exam_id=exam.id, views=list(views), reason=reason, text=text
    )


def sign(world: World, exam: Exam) -> Any:
    report = records.report_current(exam.id) or draft(world, exam)
    prove(world)
    return reporting.report_sign(principal=world.principals["expert"], report_id=report.id)


def test_a_report_is_not_signed_while_a_view_has_neither_picture_nor_reason(world: World, exam: Exam) -> None:
    with pytest.raises(Invalid, match="views_unaccounted") as refused:
        sign(world, exam)
    assert refused.value.data == {"views": ["pancreas", "spleen"]}
    say(world, exam, "pancreas")
    with pytest.raises(Invalid, match="views_unaccounted"):
        sign(world, exam)
    say(world, exam, "spleen", reason="other", text="患者无法侧卧")
    assert sign(world, exam).status == "signed"


def test_a_removed_picture_is_no_picture(world: World, exam: Exam) -> None:
    say(world, exam, "pancreas", "spleen")
    draft(world, exam)
    reporting.image_remove(
        principal=world.principals["expert"], image_id=records.images_of(exam.id)[0].id, reason="模糊"
    )
    with pytest.raises(Invalid, match="views_unaccounted") as refused:
        sign(world, exam)
    assert refused.value.data == {"views": ["liver"]}


def test_the_reasons_are_signed_printed_and_given_to_the_patient(world: World, exam: Exam) -> None:
    say(world, exam, "pancreas")
    say(world, exam, "spleen", reason="other", text="患者无法侧卧")
    report = sign(world, exam)
    rows = json.loads(report.content)["missing_views"]
    assert [(row["view"], row["reason"], row["text"]) for row in rows] == [
        ("pancreas", "gas", ""),
        ("spleen", "other", "患者无法侧卧"),
    ]
    sheet = printed_report(exam_json(exam, world.principals["expert"]), report_json(exam, report), "zh")
    assert sheet["missing_views"] == ["胰腺横切（肠气遮挡）", "脾脏（其他 患者无法侧卧）"]
    assert report_for_patient(exam, report)["missing_views"] == rows


def test_a_picture_that_came_later_wins_over_the_reason(world: World, exam: Exam) -> None:
    say(world, exam, "pancreas", "spleen")
    still(world, exam, view="pancreas", sop_uid="2.25.9")
    assert [row["view"] for row in reporting.missing_views(exam)] == ["spleen"]


def test_the_newest_reason_counts_and_can_be_taken_back(world: World, exam: Exam) -> None:
    say(world, exam, "pancreas")
    say(world, exam, "pancreas", reason="habitus")
    assert [row["reason"] for row in reporting.missing_views(exam)] == ["habitus"]
    say(world, exam, "pancreas", reason="")
    assert reporting.missing_views(exam) == []


def test_other_needs_words_and_only_standard_views_have_reasons(world: World, exam: Exam) -> None:
    with pytest.raises(Invalid, match="reason_required"):
        say(world, exam, "pancreas", reason="other", text="  ")
    with pytest.raises(Invalid, match="invalid"):
        say(world, exam, "heart")
    with pytest.raises(Invalid, match="invalid"):
        say(world, exam, "pancreas", reason="tired")
    assert MissingView.objects.count() == 0


def test_only_the_one_who_examines_says_it_and_not_before_the_scan(world: World, exam: Exam) -> None:
    with pytest.raises(Forbidden):
        say(world, exam, "pancreas", who="bedside")
    with pytest.raises(NotFound):
        say(world, exam, "pancreas", who="expert2")
    exam.started_at = None
    exam.save(update_fields=["started_at"])
    with pytest.raises(Conflict, match="illegal_transition"):
        say(world, exam, "pancreas")


def test_a_signed_report_keeps_its_reasons(world: World, exam: Exam) -> None:
    say(world, exam, "pancreas", "spleen")
    sign(world, exam)
    with pytest.raises(Conflict, match="report_signed"):
        say(world, exam, "pancreas", reason="refused")


@pytest.mark.parametrize("wrong", [{"reason": "tired"}, {"reason": "other", "explained": False}])
def test_the_database_refuses_what_the_service_would(world: World, exam: Exam, wrong: dict[str, Any]) -> None:
    row = {"exam_id": exam.id, "view": "pancreas", "reason": "gas", "by_id": world.users["expert"].id}
    MissingView.objects.create(**row | {"view": "spleen"})
    with pytest.raises(IntegrityError), transaction.atomic():
        MissingView.objects.create(**row | wrong)
    with pytest.raises(IntegrityError), transaction.atomic():
        MissingView.objects.create(**row | {"view": "spleen"})


def test_through_the_door(world: World, exam: Exam) -> None:
    client, path = client_for(user=world.users["expert"]), f"/api/v1/exams/{exam.id}/missing-views"
    answer = client.put(path, {"views": ["pancreas", "spleen"], "reason": "refused"}, format="json")
    assert answer.status_code == 200, answer.json()
    assert answer.json() == client.get(path).json()
    assert [row["name_zh"] for row in answer.json()["missing_views"]] == ["胰腺横切", "脾脏"]


def test_views_that_are_plain_words_count_too() -> None:
    assert views_list.unaccounted(["liver", "spleen"], pictured=["liver"], reasons=[]) == ["spleen"]
