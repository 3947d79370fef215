"""Names of people as DICOM writes them."""

from __future__ import annotations


def person_name(name: str, pinyin: str) -> str:
    """``Wang^XiaoDong=王^小东`` (PS3.5 annex K): alphabetic and ideographic groups.

    Chinese names come undivided: one family character, two for the known double surnames.
    """
    name = name.strip().replace("=", "").replace("\\", "")
    family = 2 if name[:2] in _DOUBLE_SURNAMES else 1
    chinese = any("\u3400" <= char <= "\u9fff" or char >= "\U00020000" for char in name)
    if not chinese:
        return (pinyin or name).strip().replace("=", "").replace(" ", "^", 1)
    ideographic = f"{name[:family]}^{name[family:]}" if "^" not in name else name
    alphabetic = pinyin.strip().replace("=", "").replace("\\", "").replace(" ", "^", 1)
    return f"{alphabetic}={ideographic}="


_DOUBLE_SURNAMES = frozenset(
    [
        "欧阳",
        "太史",
        "端木",
        "上官",
        "司马",
        "东方",
        "独孤",
        "南宫",
        "万俟",
        "闻人",
        "夏侯",
        "诸葛",
        "尉迟",
        "公羊",
        "赫连",
        "澹台",
        "皇甫",
        "宗政",
        "濮阳",
        "公冶",
        "太叔",
        "申屠",
        "公孙",
        "慕容",
        "仲孙",
        "钟离",
        "长孙",
        "宇文",
        "司徒",
        "鲜于",
        "司空",
        "令狐",
    ]
)
