"""Message texts, Chinese first, English after it; filled with `str.format`."""

from __future__ import annotations

TEMPLATES: dict[str, str] = {
    "login_code": (
        "【长三角互联网医院】验证码 {code}，5 分钟内有效。工作人员不会向您索要验证码。"
        " Your code is {code}, valid for 5 minutes. Staff never ask for it."
    ),
}


def render(template: str, context: dict[str, str]) -> str:
    """KeyError for an unknown template or a missing value: a message is never sent half filled."""
    return TEMPLATES[template].format(**context)
