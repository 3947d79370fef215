"""Control requests of the pages: the arm's go to the safety process, the picture's to imaging."""

from __future__ import annotations

from typing import Any

from devices.edge.link.imaging_port import ImagingPort
from devices.edge.link.peer import Peer
from devices.edge.link.safety_port import SafetyPort
from devices.wire import ctl
from devices.wire.ctl import CtlError, CtlRequest


class Control:
    """Routes requests and sends the ack: what was asked, what was done."""

    def __init__(self, *, safety: SafetyPort, imaging: ImagingPort) -> None:
        self._safety, self._imaging = safety, imaging
        self.geometry: dict[str, Any] | None = None

    async def handle(self, peer: Peer, text: str) -> None:
        """One request of one peer."""
        try:
            request = ctl.parse_request(text, role=peer.role)
        except CtlError as error:
            peer.send_ctl(ctl.ack(error.request_id or 0, ok=False, code=error.code))
            return
        if request.type in ("imaging", "capture", "cine"):
            peer.send_ctl(await self._picture(request))
            return
        found = await self._safety.ask({"type": "ctl", "slot": peer.slot, "text": text})
        if found is None:
            peer.send_ctl(ctl.ack(request.id, ok=False, code="safety_gone", asked=request.fields))
            return
        ack: dict[str, Any] = found["ack"]
        if request.type == "freeze" and ack["ok"]:
            # The arm rests first, then the picture is taken: it shows where the arm came to rest.
            picture = await self._picture(request)
            if not picture["ok"]:
                self._safety.tell({"type": "freeze_refused"})
            ack = picture if not picture["ok"] else {**ack, "done": {**picture["done"], **ack["done"]}}
        peer.send_ctl(ack)

    async def _picture(self, request: CtlRequest) -> dict[str, Any]:
        message = {"view": "", "annotation": ""} if request.type == "capture" else {}
        found = await self._imaging.ask({"type": request.type, **message, **request.fields})
        return ctl.ack(
            request.id,
            ok=bool(found.get("ok")),
            code=found.get("code"),
            asked=request.fields,
            done=found.get("done") or {},
        )
