"""The archive's page: one HTML file that opens without network, script or other files but its pictures."""

from __future__ import annotations

from collections.abc import Sequence
from html import escape
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from .archive import Content, File, Table

_STYLE = """
body{font:16px/1.6 "Noto Sans CJK SC","PingFang SC","Microsoft YaHei",sans-serif;color:#15252d;margin:0 auto;
max-width:1000px;padding:24px}h1{font-size:26px;margin:0}h2{font-size:20px;margin:36px 0 8px;border-left:6px solid
#0b5f7d;padding-left:10px}h2 small,th small,h1 small{color:#465a64;font-weight:400;font-size:.8em;margin-left:6px}
table{border-collapse:collapse;width:100%;font-size:15px}th,td{border:1px solid #cfd9de;padding:6px 10px;text-align:
left;vertical-align:top;overflow-wrap:anywhere;white-space:pre-wrap}th{background:#f3f6f7}p.note{color:#465a64}
figure{display:inline-block;margin:8px 12px 8px 0;max-width:300px;vertical-align:top}figure img{width:300px;background:
#000;display:block}figcaption{font-size:14px}.empty{color:#465a64}@media print{h2{break-after:avoid}tr{break-inside:
avoid}}
"""


def _both(words: tuple[str, str]) -> str:
    return f"{escape(words[0])} <small>{escape(words[1])}</small>"


def _table(table: Table) -> str:
    head = "".join(f"<th>{_both(column)}</th>" for column in table.columns)
    rows = "".join(
        "<tr>" + "".join(f"<td>{escape(cell)}</td>" for cell in row) + "</tr>" for row in table.rows
    )
    body = f"<table><thead><tr>{head}</tr></thead><tbody>{rows}</tbody></table>"
    notes = "".join(f'<p class="note">{escape(note)}</p>' for note in table.notes)
    empty = '<p class="empty">无 · none</p>'
    return f"<section><h2>{_both(table.title)}</h2>{body if table.rows else empty}{notes}</section>"


def _figure(file: File) -> str:
    name = escape(file.name, quote=True)
    return (
        f'<figure><a href="{name}"><img src="{name}" alt="{escape(file.title, quote=True)}" loading="lazy">'
        f"</a><figcaption>{escape(file.title)}</figcaption></figure>"
    )


def _files(files: Sequence[File]) -> str:
    pictures = "".join(_figure(file) for file in files if file.picture)
    others = "".join(
        f'<li><a href="{escape(file.name, quote=True)}">{escape(file.name)}</a> {escape(file.title)}</li>'
        for file in files
        if not file.picture
    )
    if not files:
        return ""
    return f"<section><h2>{_both(('图像与文件', 'Pictures and files'))}</h2>{pictures}<ul>{others}</ul></section>"


def page(*, title: str, made: str, contents: Sequence[Content]) -> str:
    """The whole page; everything that came from people or the database is escaped."""
    tables = "".join(_table(table) for content in contents for table in content.tables)
    pictures = _files([file for content in contents for file in content.files])
    lead = (
        f"本档案由互联网医院应您的要求制作（{made}，上海时间），包含系统中与您有关的全部内容。"
        "manifest.json 列出每个文件的 SHA-256，并由医院签名，可据此证明副本未被改动。"
    )
    english = (
        f"Made at your request ({made}, Shanghai time): everything this hospital keeps about you. manifest.json lists "
        "each file's SHA-256 and is signed by the hospital, so that a copy can be shown to be unchanged."
    )
    return (
        f'<!doctype html><html lang="zh"><head><meta charset="utf-8"><title>{escape(title)}</title>'
        f'<meta name="viewport" content="width=device-width, initial-scale=1"><style>{_STYLE}</style></head><body>'
        f"<h1>{escape(title)} <small>个人健康档案副本 · Copy of your record</small></h1>"
        f"<p>{escape(lead)}</p><p>{escape(english)}</p>{tables}{pictures}</body></html>"
    )
