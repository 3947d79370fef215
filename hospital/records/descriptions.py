"""What a robot says about a picture it sends, checked before anything is stored."""

from __future__ import annotations

import re
import struct
from typing import Any

from hospital.common.errors import Invalid

SIDE_MAX_PX, FRAMES_MAX = 8192, 100_000  # design values
MM_PER_PX_MIN, MM_PER_PX_MAX = 0.001, 10.0  # design values: outside is a wrong unit, not a picture of a body
REGIONS_MAX = 8  # design value: split screens have two or four
VIEW_MAX = 64  # as the control channel allows: a picture must never be lost for its name
_UID = re.compile(r"(?:0|[1-9][0-9]*)(?:\.(?:0|[1-9][0-9]*))+")  # PS3.5 chapter 9
_PNG_HEAD = struct.Struct(
    ">8sI4sII"
)  # PNG 3rd edition 5.2 and 11.2.1: signature, length, IHDR, width, height


def _int(meta: dict[str, Any], name: str, low: int, high: int) -> int:
    value = meta.get(name)
    if not isinstance(value, int) or isinstance(value, bool) or not low <= value <= high:
        raise Invalid("bad_meta", field=name)
    return value


def _spacing(meta: dict[str, Any], name: str) -> float | None:
    value = meta.get(name)
    if value is None:
        return None
    number = isinstance(value, int | float) and not isinstance(value, bool)
    if not number or not MM_PER_PX_MIN <= value <= MM_PER_PX_MAX:
        raise Invalid("bad_meta", field=name)
    return float(value)


def _region(meta: dict[str, Any], width: int, height: int) -> list[float] | None:
    """[x0, y0, x1, y1] in pixels, inside the picture; None when there is no calibrated region."""
    region = meta.get("region")
    if region is None:
        return None
    numbers = isinstance(region, list) and len(region) == 4 and all(type(n) in (int, float) for n in region)
    if not numbers or not (0 <= region[0] < region[2] <= width and 0 <= region[1] < region[3] <= height):
        raise Invalid("bad_meta", field="region")
    return list(region)


def _more_regions(meta: dict[str, Any], width: int, height: int) -> list[dict[str, Any]]:
    """Further calibrated parts: [{box, mm_per_px_x, mm_per_px_y}], at most eight."""
    rows = meta.get("more_regions") or []
    if (
        not isinstance(rows, list)
        or len(rows) > REGIONS_MAX
        or not all(isinstance(row, dict) for row in rows)
    ):
        raise Invalid("bad_meta", field="more_regions")
    found = []
    for row in rows:
        box = _region({"region": row.get("box")}, width, height)
        spacing = [_spacing(row, name) for name in ("mm_per_px_x", "mm_per_px_y")]
        if box is None or None in spacing:
            raise Invalid("bad_meta", field="more_regions")
        found.append({"box": box, "mm_per_px_x": spacing[0], "mm_per_px_y": spacing[1]})
    return found


def calibration(meta: dict[str, Any]) -> dict[str, Any]:
    """frame_id, width, height (px), mm_per_px_x/y, region; Invalid `bad_meta` names the field that is wrong."""
    width, height = _int(meta, "width", 1, SIDE_MAX_PX), _int(meta, "height", 1, SIDE_MAX_PX)
    return {
        "frame_id": _int(meta, "frame_id", 0, 2**62),
        "width": width,
        "height": height,
        "mm_per_px_x": _spacing(meta, "mm_per_px_x"),
        "mm_per_px_y": _spacing(meta, "mm_per_px_y"),
        "region": _region(meta, width, height),
    }


def frozen(meta: dict[str, Any]) -> dict[str, Any]:
    """A frozen frame: its calibration with all regions."""
    fields = calibration(meta)
    return fields | {"more_regions": _more_regions(meta, fields["width"], fields["height"])}


def _offset(meta: dict[str, Any], width: int, height: int) -> dict[str, int]:
    """Where the lossless frame begins in the picture; nothing said is the corner, as before there were marks."""
    offset = meta.get("offset", [0, 0])
    if not isinstance(offset, list) or len(offset) != 2:
        raise Invalid("bad_meta", field="offset")
    x, y = offset
    if type(x) is not int or type(y) is not int or not (0 <= x < width and 0 <= y < height):
        raise Invalid("bad_meta", field="offset")
    return {"offset_x": x, "offset_y": y}


def picture(meta: dict[str, Any]) -> dict[str, Any]:
    """A still or loop: its calibration, kind, SOP Instance UID, view and number of frames."""
    kind, sop_uid, view = meta.get("kind"), meta.get("sop_uid"), meta.get("view") or ""
    if kind not in ("still", "loop"):
        raise Invalid("bad_meta", field="kind")
    if not isinstance(sop_uid, str) or len(sop_uid) > 64 or not _UID.fullmatch(sop_uid):
        raise Invalid("bad_meta", field="sop_uid")
    if not isinstance(view, str) or len(view) > VIEW_MAX:
        raise Invalid("bad_meta", field="view")
    frames = _int(meta, "frames", 1, FRAMES_MAX)
    fields = calibration(meta)
    fields |= _offset(meta, fields["width"], fields["height"])
    return fields | {"kind": kind, "sop_uid": sop_uid, "view": view, "frames": frames}


def check_png(data: bytes, *, width: int, height: int) -> None:
    """The file must be a PNG of the described size: calipers count its pixels. Invalid `bad_meta`."""
    if len(data) < _PNG_HEAD.size:
        raise Invalid("bad_meta", field="file")
    signature, _, chunk, real_width, real_height = _PNG_HEAD.unpack_from(data)
    if signature != b"\x89PNG\r\n\x1a\n" or chunk != b"IHDR" or (real_width, real_height) != (width, height):
        raise Invalid("bad_meta", field="file")
