"""The robot's socket. The robot dials out; everything that must last goes to services, the rest is relayed."""

from __future__ import annotations

import time
import uuid
from typing import Any
from uuid import UUID

from channels.db import database_sync_to_async

from hospital.common.errors import DomainError
from hospital.common.sockets import NOT_AUTHENTICATED, REPLACED, JsonSocket

from . import services, tokens
from .authentication import SCHEME, robot_principal
from .push import peer_group, robot_group


def _uuid(value: Any) -> UUID | None:
    try:
        return UUID(str(value))
    except ValueError:
        return None


class RobotSocket(JsonSocket):
    """/ws/robot/: one connection per robot; a newer one closes the older with 4409."""

    door, join = "robot_socket", "robot.socket"
    robot_id: UUID
    connection_id = ""  # empty until the robot is known

    async def connect(self) -> None:
        await self.accept()
        header = dict(self.scope["headers"]).get(b"authorization", b"").decode("latin-1")
        try:
            robot = await database_sync_to_async(services.robot_authenticate)(
                token=header.removeprefix(SCHEME)
            )
        except DomainError:
            await self.close(NOT_AUTHENTICATED)
            return
        self.principal = robot_principal(robot)
        self.robot_id, self.connection_id = robot.id, uuid.uuid4().hex
        group = robot_group(robot.id)
        await self.channel_layer.group_send(group, {"type": "replaced", "by": self.connection_id})
        await self.channel_layer.group_add(group, self.channel_name)
        await self.tell(
            "welcome",
            robot_id=str(robot.id),
            server_time_ms=time.time_ns() // 1_000_000,
            server_keys=tokens.server_keys(),
        )

    async def disconnect(self, code: int) -> None:
        if self.connection_id:
            await self.channel_layer.group_discard(robot_group(self.robot_id), self.channel_name)
            await database_sync_to_async(services.robot_disconnected)(
                robot_id=self.robot_id, connection=self.connection_id
            )

    async def push(self, event: dict[str, Any]) -> None:
        message = dict(event["message"])
        await self.tell(message.pop("type"), **message)

    async def replaced(self, event: dict[str, Any]) -> None:
        if event["by"] != self.connection_id:
            await self.close(REPLACED)

    async def _on_hello(self, message: dict[str, Any]) -> None:
        await database_sync_to_async(services.robot_connected)(
            robot_id=self.robot_id, connection=self.connection_id, hello=message
        )

    async def _on_status(self, message: dict[str, Any]) -> None:
        await database_sync_to_async(services.robot_status)(
            robot_id=self.robot_id, connection=self.connection_id, status=message
        )

    async def _on_event(self, message: dict[str, Any]) -> None:
        await database_sync_to_async(services.event_store)(
            robot_id=self.robot_id,
            serial=int(message["serial"]),
            kind=str(message["kind"])[:40],
            at_ms=int(message["at_ms"]),
            exam_id=_uuid(message.get("exam_id")),
            data=dict(message.get("data") or {}),
        )
        await self.tell("event_ack", serial=message["serial"])

    async def _on_self_test_result(self, message: dict[str, Any]) -> None:
        await database_sync_to_async(services.self_test_finish)(
            robot_id=self.robot_id,
            request_id=UUID(str(message["request_id"])),
            passed=message["passed"] is True,
            checks=list(message["checks"]),
        )

    async def _relay(self, message: dict[str, Any]) -> None:
        """peer_answer and its kin go to the one page that asked; its id is known to that page and this robot alone."""
        peer_id = str(message["peer_id"])
        await self.channel_layer.group_send(
            peer_group(peer_id), {"type": "push", "message": message, "to": ""}
        )

    _on_peer_answer = _on_peer_refused = _on_peer_gone = _relay
