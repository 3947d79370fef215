"""What the robot keeps of a patient, and for how long: the worklist item and pictures until uploaded."""

from __future__ import annotations

import json
import logging
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any, Protocol

from devices.edge.link.uploads import Item, Uploads

log = logging.getLogger("edge.files")
GEOMETRY = ("frame_id", "width", "height", "mm_per_px_x", "mm_per_px_y", "region", "sha256")
FROZEN_META = (*GEOMETRY, "more_regions")
IMAGE_META = (*GEOMETRY, "sop_uid", "kind", "view", "frames", "offset")
"""What the server is told of a file; without size and calibration it refuses to measure on it."""


class EventSink(Protocol):
    """Agent.event."""

    def __call__(self, kind: str, data: dict[str, Any]) -> None: ...


class ExamFiles:
    """Worklist item, outbox, and their end."""

    def __init__(
        self,
        *,
        data_dir: Path,
        server_url: str,
        headers: Callable[[], dict[str, str]],
        on_event: EventSink,
    ) -> None:
        self._path = data_dir / "worklist.json"
        self._on_event = on_event
        self._clear_when_sent: set[str] = set()
        self.worklist: dict[str, Any] | None = self._read()
        self.uploads = Uploads(
            folder=data_dir / "outbox", server_url=server_url, headers=headers, on_sent=self._sent
        )
        self.pending_n = len(self.uploads.pending())

    @property
    def exam_id(self) -> str | None:
        """The exam of the worklist item."""
        return str(self.worklist["exam_id"]) if self.worklist is not None else None

    def keep_worklist(self, message: dict[str, Any]) -> None:
        """Names and ids for the pictures to come; on disk so that a restart still names them."""
        self.worklist = {key: value for key, value in message.items() if key != "type"}
        temporary = self._path.with_suffix(".tmp")
        descriptor = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
        with os.fdopen(descriptor, "w") as file:
            json.dump(self.worklist, file)
        os.replace(temporary, self._path)

    def clear_worklist(self, exam_id: str) -> None:
        """Forget the person once nothing of the exam waits for upload."""
        if self.uploads.pending(exam_id):
            self._clear_when_sent.add(exam_id)
        elif self.exam_id == exam_id:
            self.worklist = None
            self._path.unlink(missing_ok=True)

    def taken(self, message: dict[str, Any], *, exam_id: str | None) -> None:
        """Imaging wrote a frozen frame or a DICOM object: announce and queue it."""
        exam = message.get("exam_id") or exam_id
        frozen = message["type"] == "frozen"
        keys = FROZEN_META if frozen else IMAGE_META
        meta = {key: message[key] for key in keys if key in message}
        self._on_event("frozen" if frozen else "captured", meta)
        if exam is None:
            log.warning("a picture outside any exam stays on the robot")
            return
        self.uploads.add(
            file=Path(message["path"]), exam_id=str(exam), kind="frozen" if frozen else "image", meta=meta
        )
        self.pending_n += 1

    def _sent(self, item: Item, status: int) -> None:
        self.pending_n = len(self.uploads.pending())
        self._on_event(
            "uploaded",
            {
                "kind_of": item.kind,
                "frame_id": item.meta.get("frame_id"),
                "status": status,
                "ok": status < 300,
            },
        )
        if item.exam_id in self._clear_when_sent and not self.uploads.pending(item.exam_id):
            self._clear_when_sent.discard(item.exam_id)
            self.clear_worklist(item.exam_id)

    def _read(self) -> dict[str, Any] | None:
        try:
            found = json.loads(self._path.read_text())
        except (FileNotFoundError, ValueError):
            return None
        return found if isinstance(found, dict) else None
