from __future__ import annotations

import pytest

from teleconsult.worklist import name_pinyin


@pytest.mark.parametrize(
    ("name", "pinyin"),
    [
        ("王小东", "Wang^XiaoDong"),
        ("诸葛亮", "ZhuGe^Liang"),
        ("沈梅", "Shen^Mei"),
        ("John Smith", "John Smith"),
    ],
)
def test_family_and_given_names_are_told_apart(name: str, pinyin: str) -> None:
    assert name_pinyin(name) == pinyin
