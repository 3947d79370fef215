from __future__ import annotations

import pytest

from teleconsult.worklist import name_pinyin, view_row


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


def test_a_view_tells_the_robot_its_side_only_when_somebody_said_it() -> None:
    named = {"code": "kidney_right", "name_zh": "右肾长轴", "name_en": "Right kidney"}
    assert view_row(named | {"side": "right"}) == {
        "code": "kidney_right",
        "name_zh": "右肾长轴",
        "side": "right",
    }
    assert view_row(named | {"side": ""})["side"] == "", "not a paired part"
    assert "side" not in view_row(named)
    assert "side" not in view_row(named | {"side": "rechts"})
