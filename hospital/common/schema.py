"""What every door's description in the published document has in common: names, refusals, repeatable POSTs.

Which refusals a door can give follows from what it is: the checks that its base class makes, its method, its body.
A door that refuses in another way too says so in `also`.
"""

from __future__ import annotations

import re
from typing import Any

from drf_spectacular.openapi import AutoSchema

from .api import PUBLIC
from .problems import MEDIA_TYPE

PROBLEM_REF = {"$ref": "#/components/schemas/Problem"}
PROBLEM = {
    "type": "object",
    "description": "RFC 9457. `code` is stable and meant for programs; `title` is the sentence for people.",
    "properties": {
        "type": {"type": "string"},
        "title": {"type": "string"},
        "status": {"type": "integer", "minimum": 400, "maximum": 599},
        "code": {"type": "string"},
    },
    "required": ["type", "title", "status", "code"],
    "additionalProperties": True,
}
MEANING = {
    400: "malformed: not JSON, or texts that nothing can hold",
    401: "nobody, or nobody any more",
    403: "somebody, but not for this",
    404: "not there, or not yours: the same answer",
    406: "no such representation",
    409: "right, but not now: taken, wrong state, a newer version exists",
    410: "was there, is over",
    413: "too large",
    415: "another content type",
    422: "the request can't be right",
    429: "too many tries; Retry-After says when",
    503: "a part that this needs is not answering",
}
IDEMPOTENCY_KEY = {
    "in": "header",
    "name": "Idempotency-Key",
    "description": "The same key and body again: the same answer. Another body: 422.",
    "schema": {"type": "string", "minLength": 1, "maxLength": 200, "pattern": "^[!-~]+$"},
}


def refusals(door: Any, method: str, path: str, operation: dict[str, Any]) -> set[int]:
    """The statuses from 400 up that this operation can answer with."""
    public = door.actions.get(method, PUBLIC) == PUBLIC
    found = {400, 406, *door.also}
    if not public:
        found |= {401, 403, 503}
    if "{" in path:
        found.add(404)
    if method != "GET":
        found |= {404, 409, 413, 422}
    if operation.get("parameters"):
        found |= {404, 422}  # a query names things too
    if method not in ("GET", "DELETE"):
        found.add(415)
    return found


class DoorSchema(AutoSchema):
    """drf-spectacular's description of a `Door`."""

    def get_operation_id(self) -> str:
        """Unique by construction: the method and the whole path."""
        path = self.path.removeprefix("/api/v1/").replace("{", "by_").replace("}", "")
        return f"{self.method.lower()}_{re.sub(r'[^a-z0-9_]+', '_', path.lower())}"

    def get_operation(self, *args: Any, **kwargs: Any) -> dict[str, Any] | None:
        operation: dict[str, Any] | None = super().get_operation(*args, **kwargs)
        door = self.view
        if operation is None or not hasattr(door, "actions"):
            return operation
        for status in sorted(refusals(door, self.method, self.path, operation)):
            operation["responses"][str(status)] = {
                "description": MEANING[status],
                "content": {MEDIA_TYPE: {"schema": PROBLEM_REF}},
            }
        if self.method == "POST" and door.actions.get("POST") != PUBLIC:
            operation.setdefault("parameters", []).append(IDEMPOTENCY_KEY)
        return operation


def add_problem(result: dict[str, Any], **_: Any) -> dict[str, Any]:
    """Hook after generation: the one shape of every refusal."""
    result.setdefault("components", {}).setdefault("schemas", {})["Problem"] = PROBLEM
    return result
