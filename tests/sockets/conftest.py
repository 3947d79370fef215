"""Loaded before Django is ready: what needs its apps is imported by the fixtures."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import TYPE_CHECKING

import pytest
from asgiref.sync import sync_to_async

if TYPE_CHECKING:
    from tests.factories import World

    from .page import Page


@pytest.fixture
async def world() -> World:
    from tests.factories import make_world

    return await sync_to_async(make_world)()


@pytest.fixture
async def opened() -> AsyncIterator[list[Page]]:
    pages: list[Page] = []
    yield pages
    for page in pages:
        await page.disconnect()
