"""Errors as codes with data; the sentence for people is looked up by code.

DomainError
  Invalid 422          the request can't be right: a wrong identity number, two points outside the picture
  Unauthenticated 401  nobody, or nobody any more
  Forbidden 403        somebody, but not for this
  NotFound 404         not there, or not yours: the same answer
  Conflict 409         right, but not now: taken, wrong state, newer version exists
  Gone 410             was there, is over
  TooMany 429          too many tries
  Unavailable 503      a part that this needs is not answering
"""

from __future__ import annotations

from typing import Any, ClassVar


class DomainError(Exception):
    """`code` is stable and meant for programs; `data` travels in the problem document."""

    status: ClassVar[int] = 400

    def __init__(self, code: str, **data: Any) -> None:
        super().__init__(code)
        self.code = code
        self.data = data


class Invalid(DomainError):
    status = 422


class Unauthenticated(DomainError):
    status = 401


class Forbidden(DomainError):
    status = 403


class NotFound(DomainError):
    status = 404

    def __init__(self, code: str = "not_found", **data: Any) -> None:
        super().__init__(code, **data)


class Conflict(DomainError):
    status = 409


class Gone(DomainError):
    status = 410


class TooMany(DomainError):
    status = 429


class Unavailable(DomainError):
    status = 503
