from __future__ import annotations

TITLES: dict[str, tuple[str, str]] = {
    "audit_unavailable": (
        "审计日志暂不可写，操作未执行，请稍后重试。急停、暂停和中止不受影响。",
        "The audit log can't be written, so nothing was done; try again shortly. Stop, pause and abort still work.",
    ),
    "range_too_large": (
        "范围过大，请缩小日期范围，或由管理员在服务器上运行 audit_verify / audit_export。",
        "That range is too large: choose fewer days, or run audit_verify or audit_export on the server.",
    ),
}
