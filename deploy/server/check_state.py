"""What the parts of the scripted exam hand to each other."""

from __future__ import annotations

import asyncio
import json
from contextlib import AsyncExitStack
from typing import Any

import httpx

from devices.operator import Operator

from .check_tools import Checks, Person
from .installation import Installation

NAME, DOCUMENT, BIRTH, SEX, PHONE = "沈阿妹", "320525194507080044", "1945-07-08", "2", "13900001234"


class Script:
    """People, the exam, both ends' connections, what was seen on the way."""

    def __init__(self, installation: Installation, checks: Checks):
        self.installation, self.checks = installation, checks
        self.base_url = installation.base_url
        self.people: dict[str, Person] = {}
        for row in installation.up["staff"]:
            self.people.setdefault(row["role"], Person(self.base_url, row))
        self.desk, self.bedside = self.people["scheduler"], self.people["bedside_physician"]
        self.remote = self.people["remote_physician"]
        self.patient_id = self.exam_id = ""
        self.exam: dict[str, Any] = {}
        self.frozen: dict[str, Any] = {}
        self.report: dict[str, Any] = {}
        self.connections = AsyncExitStack()
        self.console_end: Operator | None = None
        self.bedside_end: Operator | None = None

    @property
    def console(self) -> Operator:
        """The remote physician's connection; an error before there is one fails the step that asks."""
        if self.console_end is None:
            raise RuntimeError("the console is not connected")
        return self.console_end

    @property
    def at_bed(self) -> Operator:
        if self.bedside_end is None:
            raise RuntimeError("the bedside is not connected")
        return self.bedside_end

    @property
    def path(self) -> str:
        return f"exams/{self.exam_id}"

    async def manage(self, *arguments: str) -> str:
        return await asyncio.to_thread(self.installation.manage, *arguments)

    async def patient(self, phone: str, document: str) -> Person:
        """A patient signed in with the code that the mailbox holds."""
        person = Person(self.base_url, {})
        answer = await person.http.post("/api/v1/auth/patient/code", json={"phone": phone})
        if answer.status_code != httpx.codes.ACCEPTED:
            raise AssertionError(answer.text)
        mail = json.loads(await self.manage("mailbox", "--to", phone, "--last", "--json"))
        body = {"phone": phone, "code": mail["code"], "document_number": document}
        person.use((await person.post("auth/patient/token", body))["access"])
        return person

    async def hang_up(self) -> None:
        await self.connections.aclose()

    async def close(self) -> None:
        await self.hang_up()
        for person in self.people.values():
            await person.http.aclose()
