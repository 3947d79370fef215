from __future__ import annotations

import pytest

from hospital.people.surnames import COMPOUND, READINGS, name_pinyin
from teleconsult.worklist import view_row


@pytest.mark.parametrize(
    ("name", "pinyin"),
    [
        ("王小东", "Wang^XiaoDong"),
        ("诸葛亮", "ZhuGe^Liang"),
        ("沈梅", "Shen^Mei"),
        ("John Smith", "John Smith"),
        ("吾买尔·艾力", "吾买尔·艾力"),
        ("单晓明", "Shan^XiaoMing"),
        ("曾国荃", "Zeng^GuoQuan"),
        ("解放", "Xie^Fang"),
        ("仇英", "Qiu^Ying"),
        ("区小明", "Ou^XiaoMing"),
        ("查良", "Zha^Liang"),
        ("朴正", "Piao^Zheng"),
        ("尉迟恭", "YuChi^Gong"),
        ("万俟晓", "MoQi^Xiao"),
        ("万俟", "Wan^Qi"),
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


def test_every_reading_of_the_table_is_one_that_searches_find() -> None:
    from hospital.people.search import readings

    wrong = {name: said for name, said in READINGS.items() if said not in readings(name)[0]}
    pairs = {
        name: said
        for name, said in COMPOUND.items()
        if any(one not in found for one, found in zip(said, readings(name), strict=True))
    }
    assert (wrong, pairs) == ({}, {})
