from __future__ import annotations

TITLES: dict[str, tuple[str, str]] = {
    "audit_unavailable": (
        "审计日志暂不可写，操作未执行，请稍后重试。急停、暂停和中止不受影响。",
        "The audit log can't be written, so nothing was done; try again shortly. Stop, pause and abort still work.",
    ),
}
