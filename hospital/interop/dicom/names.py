"""Names of people in DICOM files, whatever character set the sender used (PS3.5 annexes J and K)."""

from __future__ import annotations

import re

# ISO 2022 designations that some senders leave in the text (`ESC $)A` before GB 2312, annex K).
_ESCAPES = re.compile("\x1b[ -/]*[0-~]")
_CONTROLS = re.compile(r"[\x00-\x1f\x7f]")


def person_name(value: object) -> str:
    """`Wang^XiaoDong=王^小东`: groups kept, escapes, controls, padding and empty trailing groups taken away."""
    text = _CONTROLS.sub("", _ESCAPES.sub("", str(value or "")))
    # a lone surrogate can't be stored or sent: what could not be decoded is shown as what it is, unreadable
    text = text.encode("utf-8", "replace").decode("utf-8")
    groups = ["^".join(part.strip() for part in group.split("^")).rstrip("^") for group in text.split("=")]
    return "=".join(groups).rstrip("=")


def ideographic(value: object) -> str:
    """The name as Chinese write it, `王小东`; the alphabetic group with blanks when there is no other."""
    groups = person_name(value).split("=")
    if len(groups) > 1 and groups[1]:
        return groups[1].replace("^", "")
    return groups[0].replace("^", " ").strip()
