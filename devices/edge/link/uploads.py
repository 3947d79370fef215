"""Pictures on their way to the hospital: files with a sidecar on disk, sent over HTTPS until stored.

Never on the control connection: 250 kB there held commands for 250 ms.
"""

from __future__ import annotations

import asyncio
import json
import logging
import os
import time
import uuid
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import httpx

log = logging.getLogger("edge.uploads")
RETRY_FIRST_S = 1.0
RETRY_MAX_S = 30.0
TIMEOUT_S = 60.0
Kind = Literal["frozen", "image"]


@dataclass(frozen=True, slots=True)
class Item:
    """One file to send."""

    sidecar: Path
    file: Path
    exam_id: str
    kind: Kind
    meta: dict[str, Any]


class Uploads:
    """An outbox folder and the task that empties it, oldest first."""

    def __init__(
        self,
        *,
        folder: Path,
        server_url: str,
        headers: Callable[[], dict[str, str]],
        on_sent: Callable[[Item, int], None],
    ) -> None:
        self._folder = folder
        self._rejected = folder / "rejected"
        self._rejected.mkdir(parents=True, exist_ok=True)
        self._server_url, self._headers, self._on_sent = server_url, headers, on_sent
        self._wake = asyncio.Event()
        self._order = 0

    def add(self, *, file: Path, exam_id: str, kind: Kind, meta: dict[str, Any]) -> None:
        """Queue a file that is already on disk; the sidecar makes it survive a restart."""
        self._order += 1
        name = f"{time.time_ns():020d}-{self._order:06d}-{uuid.uuid4().hex}.json"
        sidecar = self._folder / name
        temporary = sidecar.with_suffix(".tmp")
        temporary.write_text(json.dumps({"file": str(file), "exam_id": exam_id, "kind": kind, "meta": meta}))
        os.replace(temporary, sidecar)
        self._wake.set()

    def pending(self, exam_id: str | None = None) -> list[Item]:
        """What waits, of one exam or of all."""
        found = [item for path in sorted(self._folder.glob("*.json")) if (item := _read(path)) is not None]
        return [item for item in found if exam_id is None or item.exam_id == exam_id]

    async def run(self) -> None:
        """Send for ever."""
        delay_s = RETRY_FIRST_S
        async with httpx.AsyncClient(timeout=TIMEOUT_S) as client:
            while True:
                self._wake.clear()
                failed = False
                for item in await asyncio.to_thread(self.pending):
                    failed = not await self._send(client, item) or failed
                delay_s = min(delay_s * 2, RETRY_MAX_S) if failed else RETRY_FIRST_S
                try:
                    await asyncio.wait_for(self._wake.wait(), delay_s if failed else None)
                except TimeoutError:
                    continue

    async def _send(self, client: httpx.AsyncClient, item: Item) -> bool:
        """True when there is nothing more to do for this item."""
        data = await asyncio.to_thread(item.file.read_bytes)
        base = f"{self._server_url}/api/v1/robot/exams/{item.exam_id}"
        method, url = ("PUT", f"{base}/frozen") if item.kind == "frozen" else ("POST", f"{base}/images")
        content_type = "image/png" if item.kind == "frozen" else "application/dicom"
        try:
            answer = await client.request(
                method,
                url,
                headers=self._headers(),
                data={"meta": json.dumps(item.meta)},
                files={"file": (item.file.name, data, content_type)},
            )
        except httpx.HTTPError as error:
            log.info("upload waits: %r", error)
            return False
        if answer.status_code in (200, 201, 204):
            item.file.unlink(missing_ok=True)
            item.sidecar.unlink(missing_ok=True)
            self._on_sent(item, answer.status_code)
            return True
        if answer.status_code in (401, 408, 425, 429) or answer.status_code >= 500:
            return False
        # The server understood and refused for good; keep the bytes for a person to look at.
        log.error("upload refused: HTTP %s %s", answer.status_code, answer.text[:200])
        item.sidecar.rename(self._rejected / item.sidecar.name)
        self._on_sent(item, answer.status_code)
        return True


def _read(path: Path) -> Item | None:
    try:
        row = json.loads(path.read_text())
    except (OSError, ValueError):
        return None
    file = Path(row["file"])
    if not file.exists():
        log.error("picture of %s is gone: %s", path.name, file)
        path.unlink(missing_ok=True)
        return None
    return Item(sidecar=path, file=file, exam_id=row["exam_id"], kind=row["kind"], meta=row["meta"])
