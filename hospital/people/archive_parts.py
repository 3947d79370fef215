"""What this app puts into a patient's archive: who they are, who may act for them, consents, checks, corrections and
who read the record."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from hospital.common.clock import SHANGHAI

from . import accesses
from .archive import Content, Table
from .models import Consent, CorrectionRequest, Delegation, IdentityVerification, MessageWish, Patient

READS_MAX = 20_000  # design value: rows of the who-read list; each joins one person's hour
SEX = {"0": "未知 unknown", "1": "男 male", "2": "女 female", "9": "未说明 not stated"}
DOCUMENTS = {
    "01": "居民身份证 identity card", "02": "户口簿 household register", "03": "护照 passport",
    "04": "军官证 officer's card", "05": "驾驶证 driving licence", "06": "港澳通行证 Hong Kong / Macao permit",
    "07": "台湾通行证 Taiwan permit", "99": "其他 other",
}  # fmt: skip
KINDS = {"staff": "工作人员 staff", "patient": "患者账户 patient's account", "robot": "机器人 robot"}
FIELDS = {
    "name": "姓名 name", "birth_date": "出生日期 birth date", "sex": "性别 sex",
    "document_number": "证件号码 document number", "phone": "手机 phone",
}  # fmt: skip


THINGS = {
    "exam": "检查 exam", "report": "报告 report", "image": "图像 picture", "patient": "登记 registration",
    "page": "页面 page", "consent": "知情同意 consent", "break_glass": "紧急调阅 emergency access",
    "delegation": "家属授权 delegation", "duplicate": "身份核对 identity review", "correction": "更正 correction",
    "measurement": "测量 measurement", "me": "本人 own account", "auth": "登录 sign-in",
}  # fmt: skip
DEEDS = {
    "read": "查看 read", "search": "查找 searched", "register": "登记 registered", "book": "预约 booked",
    "move": "改期 moved", "cancel": "取消 cancelled", "check_in": "签到 checked in", "identify": "核对身份 identified",
    "start": "开始 started", "end": "结束 ended", "sign": "签署 signed", "save": "保存 saved", "open": "打开 opened",
    "review": "复核 reviewed", "grant": "授权 granted", "revoke": "撤回 revoked", "give": "同意 given",
    "withdraw": "撤回 withdrawn", "verify": "核验 verified", "merge": "合并 merged", "unmerge": "撤销合并 merge undone",
    "archive": "副本 copy", "ask": "申请 asked", "decide": "答复 answered", "reveal": "显示全号 numbers revealed",
    "desk": "预约台 booking desk", "identity": "身份核对 identities", "link": "关联医院 linked to a hospital",
}  # fmt: skip
OUTCOMES = {"read": "已看 seen", "done": "已做 done"}
STATUSES = {"open": "待答复 open", "accepted": "已更正 corrected", "refused": "未同意 refused"}


def deed(action: str, outcome: str) -> str:
    """`exam.read` as words for people, with the log's own name for whoever asks about it."""
    thing, _, what = action.partition(".")
    said = " ".join([THINGS.get(thing, thing), DEEDS.get(what, what)])
    return f"{said} [{action}] {OUTCOMES.get(outcome, outcome)}"


def when(moment: datetime | str | None) -> str:
    """Shanghai time to the minute; empty for never."""
    if not moment:
        return ""
    found = datetime.fromisoformat(moment) if isinstance(moment, str) else moment
    return found.astimezone(SHANGHAI).strftime("%Y-%m-%d %H:%M")


def people_part(patient_ids: Sequence[UUID]) -> Content:
    """All ids are one person's; the first is the registration that stays."""
    tables, data = [], {}
    for name, build in (
        ("registrations", _registrations), ("delegates", _delegates), ("consents", _consents),
        ("messages", _messages), ("verifications", _verifications), ("corrections", _corrections),
        ("who_read", _who_read),
    ):  # fmt: skip
        table, rows = build(list(patient_ids))
        tables.append(table)
        data[name] = rows
    return Content(tables=tables, data=data)


Built = tuple[Table, list[dict[str, Any]]]


def _registrations(ids: list[UUID]) -> Built:
    rows = [
        {
            "mpi": row.mpi, "name": row.name, "sex": row.sex, "birth_date": row.birth_date.isoformat(),
            "document_type": row.document_type, "document_number": row.document_number, "phone": row.phone,
            "institution": row.institution.name, "registered_at": row.created_at.isoformat(),
            "verified_at": row.verified_at.isoformat() if row.verified_at else None,
            "merged": row.merged_into_id is not None,
        }
        for row in Patient.objects.select_related("institution").filter(id__in=ids).order_by("created_at")
    ]  # fmt: skip
    table = Table(
        title=("登记信息", "Registration"),
        columns=[
            ("主索引号", "MPI"), ("姓名", "Name"), ("性别", "Sex"), ("出生日期", "Birth date"), ("证件", "Document"),
            ("手机", "Phone"), ("登记医院", "Registered at"), ("登记时间", "On"), ("证件核验", "Verified"),
        ],
        rows=[
            [
                row["mpi"] + ("（已合并 merged）" if row["merged"] else ""), row["name"], SEX[row["sex"]],
                row["birth_date"], f"{DOCUMENTS[row['document_type']]} {row['document_number']}", row["phone"],
                row["institution"], when(row["registered_at"]), when(row["verified_at"]) or "未核验 no",
            ]
            for row in rows
        ],
    )  # fmt: skip
    return table, rows


def _delegates(ids: list[UUID]) -> Built:
    rows = [
        {
            "name": row.name, "relation": row.relation, "phone": row.phone, "scopes": row.scopes,
            "granted_by": row.granted_by_kind, "paper": row.paper, "granted_at": row.granted_at.isoformat(),
            "expires_at": row.expires_at.isoformat(),
            "revoked_at": row.revoked_at.isoformat() if row.revoked_at else None,
        }
        for row in Delegation.objects.filter(patient_id__in=ids).order_by("granted_at")
    ]  # fmt: skip
    table = Table(
        title=("家属与照护者授权", "Family and carers"),
        columns=[
            ("姓名", "Name"), ("关系", "Relation"), ("手机", "Phone"), ("范围", "May"), ("授权", "Granted"),
            ("到期", "Until"), ("撤回", "Revoked"),
        ],
        rows=[
            [
                row["name"], row["relation"], row["phone"], ", ".join(row["scopes"]), when(row["granted_at"]),
                when(row["expires_at"]), when(row["revoked_at"]),
            ]
            for row in rows
        ],
    )  # fmt: skip
    return table, rows


def _consents(ids: list[UUID]) -> Built:
    found = Consent.objects.select_related("text").filter(patient_id__in=ids).order_by("given_at")
    rows = [
        {
            "kind": row.kind, "version": row.text.version, "text_zh": row.text.body_zh,
            "text_en": row.text.body_en, "text_sha256": row.text.sha256, "given_by": row.given_by,
            "guardian": row.guardian_name, "method": row.method, "witness": row.witness_name,
            "given_at": row.given_at.isoformat(),
            "withdrawn_at": row.withdrawn_at.isoformat() if row.withdrawn_at else None,
            "withdrawn_reason": row.withdrawn_reason, "signature_png_base64": row.signature_png,
        }
        for row in found
    ]  # fmt: skip
    table = Table(
        title=("知情同意", "Consents"),
        columns=[
            ("种类", "Kind"), ("版本", "Version"), ("同意人", "Given by"), ("方式", "How"), ("时间", "On"),
            ("撤回", "Withdrawn"), ("全文", "Text"),
        ],
        rows=[
            [
                row["kind"], row["version"], f"{row['given_by']} {row['guardian']}".strip(),
                f"{row['method']} {row['witness']}".strip(), when(row["given_at"]), when(row["withdrawn_at"]),
                row["text_zh"],
            ]
            for row in rows
        ],
    )  # fmt: skip
    return table, rows


def _verifications(ids: list[UUID]) -> Built:
    rows = [
        {
            "authority": row.authority, "outcome": row.outcome, "seen": row.seen,
            "document_type": row.document_type, "checked_at": row.checked_at.isoformat(),
        }
        for row in IdentityVerification.objects.filter(patient_id__in=ids).order_by("checked_at")
    ]  # fmt: skip
    table = Table(
        title=("证件核验", "Identity checks"),
        columns=[("时间", "On"), ("核验方", "By"), ("看到的证件", "Seen"), ("结果", "Outcome")],
        rows=[[when(row["checked_at"]), row["authority"], row["seen"], row["outcome"]] for row in rows],
    )
    return table, rows


def _corrections(ids: list[UUID]) -> Built:
    rows = [
        {
            "field": row.field, "wanted": row.wanted, "before": row.before, "reason": row.reason,
            "status": row.status, "answer": row.answer, "asked_at": row.asked_at.isoformat(),
            "decided_at": row.decided_at.isoformat() if row.decided_at else None,
        }
        for row in CorrectionRequest.objects.filter(patient_id__in=ids).order_by("asked_at")
    ]  # fmt: skip
    table = Table(
        title=("更正申请", "Correction requests"),
        columns=[
            ("时间", "On"), ("项目", "Field"), ("原值", "Before"), ("申请改为", "Wanted"), ("结果", "Outcome"),
            ("答复", "Answer"),
        ],
        rows=[
            [
                when(row["asked_at"]), FIELDS.get(row["field"], row["field"]), row["before"], row["wanted"],
                STATUSES[row["status"]], row["answer"],
            ]
            for row in rows
        ],
    )  # fmt: skip
    return table, rows


def _messages(ids: list[UUID]) -> Built:
    rows: list[dict[str, Any]] = [
        {
            "language": row.language, "channel": row.channel, "refused": row.refused,
            "changed_at": row.changed_at.isoformat(),
        }
        for row in MessageWish.objects.filter(patient_id__in=ids).order_by("changed_at")
    ]  # fmt: skip
    table = Table(
        title=("接收消息的意愿", "How to be told"),
        columns=[("语言", "Language"), ("方式", "By"), ("不要", "Refused"), ("更改", "Changed")],
        rows=[
            [row["language"], row["channel"], "、".join(row["refused"]), when(row["changed_at"])]
            for row in rows
        ],
    )
    return table, rows


def _who_read(ids: list[UUID]) -> Built:
    render = accesses.Row()
    rows = [render(row) for row in accesses.accesses_to(ids[0])[:READS_MAX]]
    table = Table(
        title=("谁查看过我的记录", "Who read or used the record"),
        columns=[
            ("最近", "Last"), ("次数", "Times"), ("谁", "Who"), ("医院", "Hospital"), ("做了什么", "What"),
            ("原因", "Why"),
        ],
        rows=[
            [
                when(row["last_at"]), str(row["times"]), row["name"] or KINDS.get(row["kind"], row["kind"]),
                row["institution"] or "", deed(row["action"], row["outcome"]), row["why"]["zh"],
            ]
            for row in rows
        ],
    )  # fmt: skip
    return table, rows
