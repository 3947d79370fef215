"""The booking desk's socket: news that something on the board is another than before. The board itself is read."""

from __future__ import annotations

from typing import Any
from urllib.parse import parse_qs

from channels.db import database_sync_to_async

from hospital.access.principals import Principal
from hospital.audit.services import request_address
from hospital.common.errors import DomainError, Unauthenticated
from hospital.common.sockets import NOT_AUTHENTICATED, NOT_FOUND, JsonSocket

from . import board_news


class DeskSocket(JsonSocket):
    """Hears `ping`. Tells `welcome` and `changed {exam_id}`: no patient, no time, nothing that would be a read."""

    door, join = "desk_socket", "desk.socket"
    principal: Principal | None = None
    _groups: tuple[str, ...] = ()

    async def connect(self) -> None:
        await self.accept()
        request_address.set(str((self.scope.get("client") or ("",))[0]))
        ticket = parse_qs(self.scope["query_string"].decode("latin-1")).get("ticket", [""])[0]
        try:
            self.principal = await database_sync_to_async(board_news.desk_joined)(ticket=ticket)
        except Unauthenticated:
            await self.close(NOT_AUTHENTICATED)
            return
        except DomainError:
            await self.close(NOT_FOUND)
            return
        self._groups = board_news.groups_of(self.principal)
        for group in self._groups:
            await self.channel_layer.group_add(group, self.channel_name)
        await self.tell("welcome")

    async def disconnect(self, code: int) -> None:
        for group in self._groups:
            await self.channel_layer.group_discard(group, self.channel_name)

    async def exam_changed(self, event: dict[str, Any]) -> None:
        """Who lost the role since is told nothing more."""
        assert self.principal is not None
        if not await database_sync_to_async(board_news.still_at_desk)(self.principal):
            await self.close(NOT_FOUND)
            return
        await self.tell("changed", exam_id=event.get("exam_id"))

    async def _on_ping(self, message: dict[str, Any]) -> None:
        await self.tell("pong", t=message.get("t"))
