"""The demonstration's people, as the pages name them."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from hospital.scheduling.models import Resource
from teleconsult.demo import demo_make

pytestmark = pytest.mark.django_db


def test_pages_in_english_name_people_and_not_their_sign_ins(settings: Any, tmp_path: Path) -> None:
    settings.EMBEDDED, settings.DATA_DIR = True, tmp_path
    demo_make()
    people = Resource.objects.filter(kind="person")
    assert people.exists()
    assert set(people.values_list("name_en", flat=True)) == {""}
    people.filter(name="王思远").update(name_en="wang.expert")  # a house of an earlier release
    demo_make()
    assert set(people.values_list("name_en", flat=True)) == {""}
