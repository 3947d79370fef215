"""The sentence for each error code, Chinese and English. Apps add their own with `register_titles`."""

from __future__ import annotations

from collections.abc import Mapping

_TITLES: dict[str, tuple[str, str]] = {
    "not_found": ("没有找到，或您无权查看。", "Not found, or not yours to see."),
    "not_permitted": ("您的角色不能执行此操作。", "Your role may not do this."),
    "not_authenticated": ("请先登录。", "Please sign in."),
    "bad_credentials": ("用户名、密码或验证码不正确。", "User name, password or code is not right."),
    "invalid": ("请求内容有误，请检查标出的项目。", "The request has errors; please check the fields named."),
    "malformed": ("请求无法读取。", "The request could not be read."),
    "method_not_allowed": ("此地址不支持该操作。", "This address does not offer that."),
    "unsupported_media_type": ("不支持的内容类型。", "Content type not supported."),
    "not_acceptable": ("无法提供所要求的格式。", "The requested format is not available."),
    "idempotency_mismatch": (
        "同一 Idempotency-Key 已用于不同的请求。",
        "This Idempotency-Key was used for another request.",
    ),
    "idempotency_running": (
        "相同请求正在处理，请稍后再试。",
        "The same request is still running; try again shortly.",
    ),
    "too_large": ("内容过大。", "Too large."),
    "server_error": (
        "系统出错，已记录；请重试。",
        "Something failed here and was recorded; please try again.",
    ),
    "csrf_failed": ("页面已过期，请刷新后重试。", "The page is out of date; reload and try again."),
}


def register_titles(titles: Mapping[str, tuple[str, str]]) -> None:
    """Add (zh, en) sentences. A code already known with another sentence raises: codes are global."""
    for code, pair in titles.items():
        if _TITLES.get(code, pair) != pair:
            raise RuntimeError(f"error code {code} has two sentences")
        _TITLES[code] = pair


def title(code: str, language: str = "zh") -> str:
    """The sentence for `code`; the code itself when nobody wrote one."""
    zh, en = _TITLES.get(code, (code, code))
    return en if language.startswith("en") else zh


def known(code: str) -> bool:
    return code in _TITLES
