"""What the scripted exam needs: counting steps, one-time codes, an HTTP client per person, wires in a picture."""

from __future__ import annotations

import asyncio
import base64
import hashlib
import hmac
import io
import json
import time
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from typing import Any

import httpx
import numpy as np
from numpy.typing import NDArray

TOTP_STEP_S = 30  # RFC 6238


class Checks:
    """Counts steps and prints one line for each; a failed step does not end the script."""

    def __init__(self, say: Callable[[str], None]):
        self.say, self.number, self.failed = say, 0, 0

    @contextmanager
    def step(self, what: str) -> Iterator[None]:
        self.number += 1
        try:
            yield
        except Exception as error:
            self.failed += 1
            reason = " ".join(f"{type(error).__name__}: {error}".split())[:400]
            self.say(f"FAILED {self.number} {what} ({reason})")
        else:
            self.say(f"ok {self.number} {what}")


def expect(condition: object, seen: object = "") -> None:
    """AssertionError with what was seen; kept under `python -O` too."""
    if not condition:
        raise AssertionError(str(seen)[:400])


async def soon(
    condition: Callable[[], Awaitable[Any]], *, timeout_s: float = 30.0, every_s: float = 0.3, what: str = ""
) -> Any:
    """The first truthy answer of an asynchronous condition."""
    deadline = time.monotonic() + timeout_s
    while True:
        found = await condition()
        if found:
            return found
        expect(time.monotonic() < deadline, f"not within {timeout_s} s: {what}")
        await asyncio.sleep(every_s)


def totp(secret: str, step: int) -> str:
    mac = hmac.digest(base64.b32decode(secret), step.to_bytes(8, "big"), hashlib.sha1)
    offset = mac[-1] & 15
    return f"{(int.from_bytes(mac[offset : offset + 4], 'big') & 0x7FFFFFFF) % 10**6:06d}"


def unused_step(after: int) -> int | None:
    """The earliest step later than `after` whose code is valid now; None when all three of the window are used."""
    current = int(time.time()) // TOTP_STEP_S
    step = max(after + 1, current - 1)
    # The oldest code of the window may run out on its way.
    if step == current - 1 and time.time() % TOTP_STEP_S > TOTP_STEP_S - 5:
        step = current
    return step if step <= current + 1 else None


class Person:
    """A signed-in member of staff: name, password, device with codes, HTTP client."""

    def __init__(self, base_url: str, row: dict[str, str]):
        self.row, self.last_step, self.token, self.id = row, 0, "", ""
        self.http = httpx.AsyncClient(base_url=base_url, timeout=30, trust_env=False)

    async def code(self) -> str:
        """The earliest code that is valid now and was not used; waits when there is none."""
        while True:
            step = unused_step(self.last_step)
            if step is not None:
                self.last_step = step
                return totp(self.row["totp_secret"], step)
            await asyncio.sleep(0.5)

    async def try_sign_in(self, code: str) -> httpx.Response:
        body = {"username": self.row["username"], "password": self.row["password"], "totp": code}
        return await self.http.post("/api/v1/auth/staff", json=body)

    async def sign_in(self) -> None:
        answer = await self.try_sign_in(await self.code())
        expect(answer.status_code == 200, answer.text)
        self.use(answer.json()["access"])
        self.id = answer.json()["user"]["id"]

    def use(self, token: str) -> None:
        self.token = token
        self.http.headers["Authorization"] = f"Bearer {token}"

    async def ask(self, method: str, path: str, body: Any = None, *, status: int | None = None) -> Any:
        """The answer's JSON; AssertionError unless 2xx, or `status` when given."""
        answer = await self.http.request(method, f"/api/v1/{path}", json=body)
        good = answer.status_code == status if status else answer.is_success
        expect(good, f"{method} {path}: {answer.status_code} {answer.text}")
        return answer.json() if answer.content else None

    async def get(self, path: str, *, status: int | None = None) -> Any:
        return await self.ask("GET", path, status=status)

    async def post(self, path: str, body: Any = None, *, status: int | None = None) -> Any:
        return await self.ask("POST", path, {} if body is None else body, status=status)

    async def data(self, path: str) -> bytes:
        answer = await self.http.get(path)
        expect(answer.status_code == 200, f"{path}: {answer.status_code}")
        return answer.content


Picture = NDArray[np.float32]


def read_png(data: bytes) -> Picture:
    from PIL import Image

    return np.asarray(Image.open(io.BytesIO(data)).convert("L"), dtype=np.float32)


def _mean(picture: Picture, reach: int) -> Picture:
    """Mean over a square of 2 * reach + 1 pixels, by a summed table."""
    padded = np.pad(picture, reach, mode="edge").astype(np.float64)
    table = np.pad(padded.cumsum(0).cumsum(1), ((1, 0), (1, 0)))
    side = 2 * reach + 1
    total = table[side:, side:] - table[:-side, side:] - table[side:, :-side] + table[:-side, :-side]
    mean: Picture = (total / side**2).astype(np.float32)
    return mean


def wires_in(picture: Picture, region: list[int], mm_x: float, mm_y: float) -> list[list[float]]:
    """The two small bright points on the beam's axis (within 8 mm): [[x, y], [x, y]], the upper one first.

    The second is the best at least 25 mm away from the first; nothing here knows how far they should be.
    """
    x0, y0, x1, y1 = region
    contrast = _mean(picture, 1) - _mean(picture, max(4, round(3 / mm_y)))
    middle, reach = (x0 + x1) // 2, round(8 / mm_x)
    band = contrast[y0:y1, middle - reach : middle + reach].copy()
    band[: round(15 / mm_y)] = 0  # skin and near field
    found = []
    for _ in range(2):
        y, x = np.unravel_index(int(np.argmax(band)), band.shape)
        found.append([float(x + middle - reach), float(y + y0)])
        band[max(0, y - round(25 / mm_y)) : y + round(25 / mm_y)] = 0
    return sorted(found, key=lambda point: point[1])


def last_line(checks: Checks, seconds: float) -> str:
    verified = checks.number - checks.failed
    return json.dumps({"verified": verified, "failed": checks.failed, "seconds": round(seconds, 1)})
