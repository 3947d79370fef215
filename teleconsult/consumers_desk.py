"""Sockets that only carry news: something on the board is another than before, or there is a notice to read.

What it is, the page reads by the doors: one way of reading, on record, and whatever was missed is there too.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import Any
from urllib.parse import parse_qs

from channels.db import database_sync_to_async

from hospital.access.principals import Principal
from hospital.audit.services import request_address
from hospital.common.errors import DomainError, Unauthenticated
from hospital.common.sockets import NOT_AUTHENTICATED, NOT_FOUND, JsonSocket

from . import board_news


class NewsSocket(JsonSocket, ABC):
    """Hears `ping`. Tells `welcome` and its news: no patient, no time, nothing that would be a read."""

    principal: Principal | None = None
    _groups: tuple[str, ...] = ()

    @abstractmethod
    def groups_of(self, principal: Principal) -> tuple[str, ...]:
        """Whose news these are."""

    @abstractmethod
    def still(self, principal: Principal) -> bool:
        """Whether they may be heard as when the page joined. Asks the database."""

    async def connect(self) -> None:
        await self.accept()
        request_address.set(str((self.scope.get("client") or ("",))[0]))
        ticket = parse_qs(self.scope["query_string"].decode("latin-1")).get("ticket", [""])[0]
        join = database_sync_to_async(board_news.joined)
        try:
            self.principal = await join(ticket=ticket, action=self.join)
        except Unauthenticated:
            await self.close(NOT_AUTHENTICATED)
            return
        except DomainError:
            await self.close(NOT_FOUND)
            return
        self._groups = self.groups_of(self.principal)
        for group in self._groups:
            await self.channel_layer.group_add(group, self.channel_name)
        await self.tell("welcome")

    async def disconnect(self, code: int) -> None:
        for group in self._groups:
            await self.channel_layer.group_discard(group, self.channel_name)

    async def news(self, kind: str, **fields: Any) -> None:
        """Who lost the right since is told nothing more."""
        assert self.principal is not None
        if not await database_sync_to_async(self.still)(self.principal):
            await self.close(NOT_FOUND)
            return
        await self.tell(kind, **fields)

    async def _on_ping(self, message: dict[str, Any]) -> None:
        await self.tell("pong", t=message.get("t"))


class DeskSocket(NewsSocket):
    """The booking desk's: `changed {exam_id}`."""

    door, join = "desk_socket", board_news.JOIN

    def groups_of(self, principal: Principal) -> tuple[str, ...]:
        return board_news.groups_of(principal)

    def still(self, principal: Principal) -> bool:
        return board_news.still_at_desk(principal)

    async def exam_changed(self, event: dict[str, Any]) -> None:
        await self.news("changed", exam_id=event.get("exam_id"))


class NoticeSocket(NewsSocket):
    """Everybody's own: `notice`."""

    door, join = "notice_socket", board_news.NOTICES

    def groups_of(self, principal: Principal) -> tuple[str, ...]:
        return board_news.notices_of(principal)

    def still(self, principal: Principal) -> bool:
        return board_news.still_signed_in(principal)

    async def notice(self, event: dict[str, Any]) -> None:
        await self.news("notice")
