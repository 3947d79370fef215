"""What answers when no door does: a crash, an unknown address, an old page."""

from __future__ import annotations

import pytest
from django.test import RequestFactory

from hospital.project import views


@pytest.mark.parametrize(
    ("answer", "status"), [(views.server_error, 500), (views.csrf_failure, 403)], ids=["crash", "csrf"]
)
def test_pages_answer_with_a_sentence_and_the_api_with_a_problem(answer: object, status: int) -> None:
    assert callable(answer)
    page = answer(RequestFactory().get("/console/desk/"))
    assert page.status_code == status
    assert "返回首页" in page.content.decode()
    problem = answer(RequestFactory().get("/api/v1/exams"))
    assert (problem.status_code, problem["Content-Type"]) == (status, "application/problem+json")


def test_a_page_that_cannot_even_be_drawn_still_gets_an_answer(monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(*args: object, **kwargs: object) -> str:
        raise RuntimeError("no templates")

    monkeypatch.setattr(views, "render_to_string", broken)
    assert views.server_error(RequestFactory().get("/console/desk/")).status_code == 500
