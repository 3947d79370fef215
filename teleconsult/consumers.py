"""The pages' sockets: presence, signalling and news of one exam. The newest page of a role is the one that counts."""

from __future__ import annotations

import asyncio
import contextlib
import time
import uuid
from typing import Any, ClassVar
from urllib.parse import parse_qs
from uuid import UUID

import structlog
from channels.db import database_sync_to_async
from django.conf import settings

from devices.fleet.push import exam_group, peer_group
from devices.wire.ctl import PROMPTS
from hospital.access.principals import NOBODY, Principal
from hospital.access.services import ticket_redeem
from hospital.audit.services import request_address
from hospital.common.error_texts import title
from hospital.common.errors import Conflict, DomainError, NotFound
from hospital.common.sockets import NOT_AUTHENTICATED, NOT_FOUND, OVER, REPLACED, JsonSocket

from . import live, selectors
from .representations import exam_json

log = structlog.get_logger()
BEAT_S = 1.0  # renewals of a 5 s lease, design section 5
VOICE_KINDS = frozenset({"hello", "offer", "answer"})
SPOKEN = frozenset({"waiting", "voice", "tone", "none"})
SDP_MAX = 60_000
NAME_MAX = 64  # of a page's opening, a call or a prompt, made up by the page


class ExamSocket(JsonSocket):
    """Shared by both ends. `role` is console or bedside."""

    role: ClassVar[str] = ""
    other: ClassVar[str] = ""
    principal: Principal | None = None
    exam_id: UUID
    peer_id = ""
    _beat: asyncio.Task[None] | None = None

    async def connect(self) -> None:
        await self.accept()
        request_address.set(str((self.scope.get("client") or ("",))[0]))
        self.exam_id = self.scope["url_route"]["kwargs"]["exam_id"]
        query = parse_qs(self.scope["query_string"].decode("latin-1"))
        try:
            principal = await database_sync_to_async(ticket_redeem)(ticket=query.get("ticket", [""])[0])
        except DomainError as error:
            await self._refused(NOBODY, error.code, NOT_AUTHENTICATED)
            return
        await self._join(principal)

    async def _refused(self, principal: Principal, code: str, close_with: int) -> None:
        """On record first, then closed."""
        await database_sync_to_async(live.page_refused)(
            principal=principal, exam_id=self.exam_id, role=self.role, code=code
        )
        await self.close(close_with)

    async def _join(self, principal: Principal) -> None:
        peer_id = uuid.uuid4().hex
        try:
            await database_sync_to_async(live.page_joined)(
                principal=principal, exam_id=self.exam_id, role=self.role, peer_id=peer_id
            )
        except NotFound as error:
            await self._refused(principal, error.code, NOT_FOUND)
            return
        except Conflict:
            await self.close(OVER)
            return
        self.principal, self.peer_id = principal, peer_id
        group = exam_group(self.exam_id)
        await self.channel_layer.group_send(group, {"type": "replaced", "role": self.role, "by": peer_id})
        await self.channel_layer.group_add(group, self.channel_name)
        await self.channel_layer.group_add(peer_group(peer_id), self.channel_name)
        await self.tell(
            "welcome",
            peer_id=peer_id,
            role=self.role,
            exam=await self._exam(),
            ice_servers=settings.ICE_SERVERS,
            server_time_ms=time.time_ns() // 1_000_000,
            renew_ms=int(BEAT_S * 1000),
        )
        await self._tell_other(present=True)
        self._beat = asyncio.create_task(self._beats())

    async def disconnect(self, code: int) -> None:
        if self._beat is not None:
            self._beat.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await self._beat
        if self.principal is None:
            return
        await self.channel_layer.group_discard(exam_group(self.exam_id), self.channel_name)
        await self.channel_layer.group_discard(peer_group(self.peer_id), self.channel_name)
        counted = await database_sync_to_async(live.socket_closed)(
            exam_id=self.exam_id, role=self.role, peer_id=self.peer_id
        )
        if counted:
            await self._tell_other(present=False)

    async def _exam(self) -> dict[str, Any]:
        def read() -> dict[str, Any]:
            assert self.principal is not None
            return exam_json(selectors.exam_get(self.principal, self.exam_id), self.principal)

        return await database_sync_to_async(read)()

    async def _tell_other(self, *, present: bool) -> None:
        event = {"type": "push", "to": self.other, "message": {"type": self.role, "present": present}}
        await self.channel_layer.group_send(exam_group(self.exam_id), event)

    async def _beats(self) -> None:
        """Presence and lease, once a second. A database that is away costs the lease, never the socket."""
        while True:
            started = time.monotonic()
            lease: dict[str, Any] | None = {}
            try:
                lease = await database_sync_to_async(live.page_beat)(
                    exam_id=self.exam_id,
                    role=self.role,
                    peer_id=self.peer_id,
                    token_id=self.principal.token_id if self.principal else None,
                )
            except NotFound:
                await self.close(NOT_FOUND)
                return
            except Exception as error:
                log.warning("beat_failed", role=self.role, error=type(error).__name__)
            try:
                if lease is None:
                    await self._ended()
                    return
                if lease:
                    await self.tell("lease", **lease)
            except Exception:
                return  # the page is gone; `disconnect` follows
            await asyncio.sleep(max(0.05, BEAT_S - (time.monotonic() - started)))

    async def _ended(self) -> None:
        """The beat found the page replaced or the exam over: say which."""
        try:
            exam = await self._exam()
        except DomainError:
            await self.close(NOT_FOUND)
            return
        await self.tell("exam", exam=exam)
        over = exam["state"] in {str(state) for state in live.OVER}
        await self.close(OVER if over else REPLACED)

    # messages of the group

    async def push(self, event: dict[str, Any]) -> None:
        if event["to"] in ("", self.role):
            message = {
                key: value for key, value in event["message"].items() if key not in ("type", "peer_id")
            }
            if event["message"]["type"] == "peer_refused":
                code = str(message.get("code", "robot_refused"))
                message = {"code": code, "title": title(code)}
            await self.tell(event["message"]["type"], **message)

    async def exam_changed(self, event: dict[str, Any]) -> None:
        with contextlib.suppress(DomainError):
            await self.tell("exam", exam=await self._exam())

    async def replaced(self, event: dict[str, Any]) -> None:
        if event["role"] == self.role and event["by"] != self.peer_id:
            await self.close(REPLACED)

    # messages of the page

    async def _on_ping(self, message: dict[str, Any]) -> None:
        await self.tell("pong", t=message.get("t"))

    async def _on_peer_offer(self, message: dict[str, Any]) -> None:
        sdp = message["sdp"]
        if not isinstance(sdp, str) or len(sdp) > SDP_MAX:
            raise ValueError("sdp")
        try:
            assert self.principal is not None
            await database_sync_to_async(live.peer_offered)(
                principal=self.principal, exam_id=self.exam_id, role=self.role, peer_id=self.peer_id, sdp=sdp
            )
        except Conflict as error:
            await self.tell("peer_refused", code=error.code, title=title(error.code))

    async def _on_voice(self, message: dict[str, Any]) -> None:
        if message["kind"] not in VOICE_KINDS or len(str(message.get("sdp") or "")) > SDP_MAX:
            raise ValueError("voice")
        told = {"kind": message["kind"], "sdp": message.get("sdp"), "wants": message.get("wants") is True}
        names = {key: _name(message.get(key)) for key in ("page", "call")}
        await self._relay({"type": "voice", **told, **names})

    async def _relay(self, message: dict[str, Any]) -> None:
        """To the other end; a page that was replaced and does not know it yet is not heard any more."""
        counted = await database_sync_to_async(live.page_counts)(
            exam_id=self.exam_id, role=self.role, peer_id=self.peer_id
        )
        if not counted:
            return
        event = {"type": "push", "to": self.other, "message": message}
        await self.channel_layer.group_send(exam_group(self.exam_id), event)


class ConsoleSocket(ExamSocket):
    role, other = "console", "bedside"
    door, join = "console_socket", "exam.console_socket"

    async def _on_quality(self, message: dict[str, Any]) -> None:
        await database_sync_to_async(live.link_measured)(exam_id=self.exam_id, measured=message)

    async def _on_prompt(self, message: dict[str, Any]) -> None:
        if message["key"] not in PROMPTS:
            raise ValueError("prompt")
        assert self.principal is not None
        told = {"key": message["key"], "from": self.principal.name, "id": _name(message.get("id"))}
        await self._relay({"type": "prompt", **told})


class BedsideSocket(ExamSocket):
    role, other = "bedside", "console"
    door, join = "bedside_socket", "exam.bedside_socket"

    async def _on_hurt(self, message: dict[str, Any]) -> None:
        await self._relay({"type": "hurt"})

    async def _on_prompt_shown(self, message: dict[str, Any]) -> None:
        """What became of a prompt: on the screen or not, and how it was said."""
        if message["spoken"] not in SPOKEN:
            raise ValueError("spoken")
        told = {"id": _name(message["id"]), "shown": message["shown"] is True, "spoken": message["spoken"]}
        await self._relay({"type": "prompt_shown", **told})


def _name(value: object) -> str | None:
    """A short name a page made up; ValueError for anything else."""
    if value is None or (isinstance(value, str) and len(value) <= NAME_MAX):
        return value
    raise ValueError("name")
