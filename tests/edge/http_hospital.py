"""The hospital's HTTP doors for the robot, on a thread: pairing and uploads, answers as told."""

from __future__ import annotations

import json
import threading
from email import message_from_bytes
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, Self

from tests.edge.tokens import ROBOT_ID, Hospital


class HttpHospital:
    """``statuses`` are used up one per request, then 201. ``received`` holds what came."""

    def __init__(self) -> None:
        self.hospital = Hospital()
        self.statuses: list[int] = []
        self.received: list[dict[str, Any]] = []
        outer = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                outer.answer(self)

            def do_PUT(self) -> None:
                outer.answer(self)

            def log_message(self, format: str, *args: Any) -> None:
                """Quiet."""

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self._server.server_port}"
        self._thread = threading.Thread(target=self._server.serve_forever, daemon=True)

    def answer(self, request: BaseHTTPRequestHandler) -> None:
        """One request."""
        body = request.rfile.read(int(request.headers.get("Content-Length", 0)))
        status = self.statuses.pop(0) if self.statuses else 201
        row: dict[str, Any] = {"method": request.command, "path": request.path, "status": status}
        row["authorization"] = request.headers.get("Authorization", "")
        if request.headers.get_content_type() == "multipart/form-data":
            head = f"Content-Type: {request.headers['Content-Type']}\r\n\r\n".encode()
            for part in message_from_bytes(head + body).walk():
                name = part.get_param("name", header="content-disposition")
                if name is not None:
                    row[str(name)] = part.get_payload(decode=True)
        else:
            row["json"] = json.loads(body)
        self.received.append(row)
        answer = {"robot_id": ROBOT_ID, "name": "Robot 1", "server_keys": self.hospital.rows, "ws_url": "x"}
        data = json.dumps(answer).encode()
        request.send_response(status)
        request.send_header("Content-Length", str(len(data)))
        request.end_headers()
        request.wfile.write(data)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._server.shutdown()
        self._server.server_close()
