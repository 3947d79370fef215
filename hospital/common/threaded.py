"""Django's requests in a few kept threads, each from the first middleware to the last in one of them.

Under ASGI Django crosses between the loop and a new thread several times for each request, twice for every middleware
that is not written for the loop: 64 desks of `deploy/bench booking` had 29 deeds and 49 one-row posts a second, and have
34 and 58 since. No view here is written for the loop, so none of it is needed.

Only so many requests are worked on at once; the others wait in the order in which they came. A hundred at once do not
finish sooner on a few cores: they take turns at the interpreter, wait for connections of the pool until it gives up, and
starve the sockets that the same program serves. A thread is held from the last byte of the request to the first of the
answer, so that nobody's slow line takes one.
"""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from typing import IO

from asgiref.sync import sync_to_async
from django.core.exceptions import RequestAborted
from django.core.handlers.asgi import ASGIHandler, get_script_prefix
from django.core.signals import request_started
from django.http import HttpResponse, StreamingHttpResponse
from django.http.response import HttpResponseBase
from django.urls import set_script_prefix

from .body_limit import Receive, Scope, Send


class ThreadedHandler(ASGIHandler):
    """ASGI: at most `at_once` requests between body and answer."""

    def __init__(self, *, at_once: int) -> None:
        super().__init__()
        threads = ThreadPoolExecutor(at_once, thread_name_prefix="request")
        self._answered = sync_to_async(self._answer, thread_sensitive=False, executor=threads)

    def load_middleware(self, is_async: bool = False) -> None:
        super().load_middleware(is_async=False)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        try:
            body = await self.read_body(receive)
        except RequestAborted:
            return
        await self.send_response(await self._answered(scope, body), send)

    def _answer(self, scope: Scope, body: IO[bytes]) -> HttpResponseBase:
        """All of Django's part, until the database's connection is back in the pool."""
        with body:
            set_script_prefix(get_script_prefix(scope))
            request_started.send(sender=self.__class__, scope=scope)
            request, refused = self.create_request(scope, body)
            response = self.get_response(request) if request else refused
            assert response is not None
            whole = _whole(response) if isinstance(response, StreamingHttpResponse) else response
            response.close()
            return whole


def _whole(response: StreamingHttpResponse) -> HttpResponse:
    """A static file is read here, not piece by piece from the loop."""
    whole = HttpResponse(b"".join(response), status=response.status_code, reason=response.reason_phrase)
    whole.headers, whole.cookies = response.headers, response.cookies
    return whole
