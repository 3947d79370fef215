"""How family names are read: many characters sound otherwise as a name than as a word."""

from __future__ import annotations

from pypinyin import Style, lazy_pinyin

# 单 is Shan as a name and dan as a word. Only readings that differ from the common one of a character.
READINGS: dict[str, str] = {
    "单": "shan", "曾": "zeng", "解": "xie", "仇": "qiu", "区": "ou", "查": "zha", "盖": "ge", "朴": "piao",
    "繁": "po", "覃": "qin", "召": "shao", "缪": "miao", "员": "yun", "宓": "mi", "秘": "bi", "华": "hua",
    "任": "ren", "洗": "xian", "冼": "xian", "折": "she", "逄": "pang", "佴": "nai", "郇": "xun", "隗": "wei",
    "令": "ling", "祭": "zhai", "那": "na", "能": "nai", "翟": "zhai", "柏": "bai", "卜": "bu", "贾": "jia",
    "乜": "nie", "訾": "zi", "燕": "yan", "幺": "yao", "过": "guo", "哈": "ha", "钭": "tou", "笪": "da",
    "仉": "zhang", "种": "chong", "鲜": "xian", "撒": "sa", "车": "che", "相": "xiang", "应": "ying",
    "纪": "ji", "瞿": "qu", "句": "gou", "葛": "ge", "乐": "yue", "尉": "wei", "晟": "cheng", "六": "lu",
    "谌": "chen", "俞": "yu", "牟": "mou", "适": "kuo", "万": "wan", "尹": "yin", "石": "shi", "教": "jiao",
}  # fmt: skip
COMPOUND: dict[str, tuple[str, str]] = {
    "欧阳": ("ou", "yang"), "上官": ("shang", "guan"), "司马": ("si", "ma"), "诸葛": ("zhu", "ge"),
    "夏侯": ("xia", "hou"), "皇甫": ("huang", "fu"), "尉迟": ("yu", "chi"), "公孙": ("gong", "sun"),
    "令狐": ("ling", "hu"), "慕容": ("mu", "rong"), "万俟": ("mo", "qi"), "长孙": ("zhang", "sun"),
    "宇文": ("yu", "wen"), "司徒": ("si", "tu"), "澹台": ("tan", "tai"), "单于": ("chan", "yu"),
    "闻人": ("wen", "ren"), "东方": ("dong", "fang"), "赫连": ("he", "lian"), "钟离": ("zhong", "li"),
    "申屠": ("shen", "tu"), "淳于": ("chun", "yu"), "轩辕": ("xuan", "yuan"), "端木": ("duan", "mu"),
}  # fmt: skip


def name_pinyin(name: str) -> str:
    """`王小东` -> `Wang^XiaoDong`, `单晓明` -> `Shan^XiaoMing`: family^given as DICOM PN wants it.

    Names that are not read character by character (Latin letters, a middle dot) pass unchanged.
    """
    syllables = lazy_pinyin(name, style=Style.NORMAL, errors="default")
    if len(syllables) != len(name) or "·" in name:
        return name
    family: tuple[str, ...] = (READINGS.get(name[:1], syllables[0]),)
    if len(name) > 2 and name[:2] in COMPOUND:
        family = COMPOUND[name[:2]]
    given = syllables[len(family) :]
    return "^".join("".join(part.capitalize() for part in group) for group in (family, given))
