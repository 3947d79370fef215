"""Stand-ins for the carriers, on this machine: they check each signature from the published algorithms, and remember.

Nothing here uses the code under test. Sources: Alibaba Cloud, "V3 request structure and signature"; Tencent Cloud,
"Signature v3"; DingTalk and Feishu, "custom robot security settings".
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qsl, quote, urlsplit

KEY_ID, SECRET = "stand-in-id", "stand-in-secret"
Answer = tuple[int, bytes]


@dataclass
class Request:
    path: str
    query: str
    headers: dict[str, str]
    body: bytes

    @property
    def asked(self) -> dict[str, str]:
        return dict(parse_qsl(self.query, keep_blank_values=True))

    @property
    def json(self) -> dict[str, Any]:
        found = json.loads(self.body)
        assert isinstance(found, dict)
        return found


def _sha(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()


def _mac(key: bytes, text: str) -> bytes:
    return hmac.new(key, text.encode(), "sha256").digest()


def _fields(header: str) -> tuple[str, dict[str, str]]:
    algorithm, _, rest = header.partition(" ")
    return algorithm, dict(part.strip().split("=", 1) for part in rest.split(","))


def aliyun_signed(request: Request) -> bool:
    """What the gateway does: everything it needs is in the request, but the secret."""
    algorithm, said = _fields(request.headers.get("authorization", ""))
    names = said["SignedHeaders"].split(";")
    pairs = sorted(parse_qsl(request.query, keep_blank_values=True))
    query = "&".join(f"{quote(k, safe='-_.~')}={quote(v, safe='-_.~')}" for k, v in pairs)
    lines = "".join(f"{name}:{request.headers[name].strip()}\n" for name in sorted(names))
    whole = f"POST\n{request.path}\n{query}\n{lines}\n{';'.join(sorted(names))}\n{_sha(request.body)}"
    right = _mac(SECRET.encode(), f"ACS3-HMAC-SHA256\n{_sha(whole.encode())}").hex()
    all_signed = {name for name in request.headers if name.startswith("x-acs-")} | {"host"} <= set(names)
    honest = request.headers["x-acs-content-sha256"] == _sha(request.body)
    known = algorithm == "ACS3-HMAC-SHA256" and said["Credential"] == KEY_ID
    return known and honest and all_signed and hmac.compare_digest(right, said["Signature"])


def tencent_signed(request: Request) -> bool:
    algorithm, said = _fields(request.headers.get("authorization", ""))
    key_id, day, service, ending = said["Credential"].split("/")
    stamp = int(request.headers["x-tc-timestamp"])
    on_time = abs(time.time() - stamp) < 300 and time.strftime("%Y-%m-%d", time.gmtime(stamp)) == day
    names = said["SignedHeaders"].split(";")
    low = {"x-tc-action": request.headers["x-tc-action"].lower()}
    lines = "".join(f"{name}:{(low.get(name) or request.headers[name]).strip()}\n" for name in names)
    whole = f"POST\n{request.path}\n\n{lines}\n{';'.join(names)}\n{_sha(request.body)}"
    text = f"TC3-HMAC-SHA256\n{stamp}\n{day}/{service}/tc3_request\n{_sha(whole.encode())}"
    key = _mac(_mac(_mac(b"TC3" + SECRET.encode(), day), service), "tc3_request")
    known = (algorithm, key_id, ending) == ("TC3-HMAC-SHA256", KEY_ID, "tc3_request")
    covered = {"content-type", "host"} <= set(names)
    return known and on_time and covered and hmac.compare_digest(_mac(key, text).hex(), said["Signature"])


def dingtalk_signed(request: Request) -> bool:
    stamp = request.asked.get("timestamp", "0")
    right = base64.b64encode(_mac(SECRET.encode(), f"{stamp}\n{SECRET}")).decode()
    return abs(time.time() * 1000 - int(stamp)) < 3_600_000 and request.asked.get("sign") == right


def feishu_signed(request: Request) -> bool:
    stamp = request.json.get("timestamp", "0")
    right = base64.b64encode(_mac(f"{stamp}\n{SECRET}".encode(), "")).decode()
    return abs(time.time() - int(stamp)) < 3600 and request.json.get("sign") == right


@dataclass
class Carrier:
    """One stand-in: what arrived, and what it will answer next: a code, None for nobody answers, a status that a gateway
    before it gives, or a body that comes instead of the service's after it took the message."""

    answers: list[Any] = field(default_factory=list)
    arrived: list[Request] = field(default_factory=list)
    delivered: list[Request] = field(default_factory=list)
    nonces: set[str] = field(default_factory=set)
    url: str = ""
    hanging: threading.Event = field(default_factory=threading.Event)
    silent_until: threading.Event = field(default_factory=threading.Event)

    def next(self) -> Any:
        return self.answers.pop(0) if self.answers else "fine"


def _gateway(carrier: Carrier) -> Answer | None:
    """Nothing reached the service."""
    if carrier.answers and isinstance(carrier.answers[0], int):
        return carrier.answers.pop(0), b"<html>Bad gateway</html>"
    return None


def _json(body: dict[str, Any], status: int = 200) -> Answer:
    return status, json.dumps(body).encode()


def aliyun(carrier: Carrier, request: Request) -> Answer | None:
    """Like the gateway: a wrong signature, a nonce seen before, else the service's own answer."""
    if (broken := _gateway(carrier)) is not None:
        return broken
    if not aliyun_signed(request):
        return _json({"Code": "SignatureDoesNotMatch"}, 400)
    nonce = request.headers["x-acs-signature-nonce"]
    if nonce in carrier.nonces:
        return _json({"Code": "SignatureNonceUsed"}, 400)
    carrier.nonces.add(nonce)
    code = carrier.next()
    if isinstance(code, str) and code != "fine":
        return _json({"Code": code, "Message": code})
    carrier.delivered.append(request)
    if code is None:
        return None
    if isinstance(code, dict):
        return _json(code, 500)
    number = "CallId" if request.headers["x-acs-action"] == "SingleCallByTts" else "BizId"
    return _json({"Code": "OK", "Message": "OK", number: f"n-{len(carrier.delivered)}"})


def tencent(carrier: Carrier, request: Request) -> Answer | None:
    if (broken := _gateway(carrier)) is not None:
        return broken
    if not tencent_signed(request):
        return _json({"Response": {"Error": {"Code": "AuthFailure.SignatureFailure"}}})
    code = carrier.next()
    if code not in ("fine", None):
        return _json({"Response": {"SendStatusSet": [{"Code": code, "SerialNo": ""}]}})
    carrier.delivered.append(request)
    if code is None:
        return None
    if request.headers["x-tc-action"] == "SendTtsVoice":
        return _json({"Response": {"SendStatus": {"CallId": "call-1", "SessionContext": ""}}})
    return _json({"Response": {"SendStatusSet": [{"Code": "Ok", "SerialNo": "s-1"}]}})


def group(carrier: Carrier, request: Request) -> Answer | None:
    """All three kinds by their path."""
    signed = {"/dingtalk": dingtalk_signed, "/feishu": feishu_signed}.get(request.path, lambda _: True)
    number = "code" if request.path == "/feishu" else "errcode"
    if not signed(request):
        return _json({number: 310000})
    carrier.delivered.append(request)
    return _json({number: 0})


Service = Callable[[Carrier, Request], Answer | None]


@contextmanager
def standing_in(service: Service) -> Iterator[Carrier]:
    """The stand-in answers on a free port until the test ends; no answer is a connection that is closed."""
    carrier = Carrier()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            parts = urlsplit(self.path)
            body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
            headers = {name.lower(): value for name, value in self.headers.items()}
            request = Request(parts.path, parts.query, headers, body)
            carrier.arrived.append(request)
            answer = service(carrier, request)
            if answer is None:
                carrier.hanging.set()
                carrier.silent_until.wait(20)
                self.close_connection = True
                return
            self.send_response(answer[0])
            self.send_header("Content-Length", str(len(answer[1])))
            self.end_headers()
            self.wfile.write(answer[1])

        def log_message(self, format: str, *args: Any) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    carrier.url = f"http://127.0.0.1:{server.server_address[1]}"
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
    thread.start()
    try:
        yield carrier
    finally:
        carrier.silent_until.set()
        server.shutdown()
        server.server_close()
