"""The self-test before an exam: the arm's part by the safety process, pictures and network by the link."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from devices.wire.limits import SELF_TEST_FPS_MIN

if TYPE_CHECKING:
    from devices.edge.link.agent import Agent

ARM_TEST_TIMEOUT_S = 15.0


async def run_self_test(agent: Agent) -> list[dict[str, Any]]:
    """Rows {code, ok, value, unit}; a check that could not run is a failed one."""
    found = await agent.safety.ask({"type": "self_test"}, timeout_s=ARM_TEST_TIMEOUT_S)
    checks: list[dict[str, Any]] = list(found["checks"]) if found is not None else []
    if found is None:
        checks.append({"code": "safety", "ok": False, "value": 0.0, "unit": "answer"})
    checks.append(
        {"code": "image_frames", "ok": agent.fps >= SELF_TEST_FPS_MIN, "value": agent.fps, "unit": "fps"}
    )
    checks.append(
        {
            "code": "link",
            "ok": agent.signalling.connected,
            "value": float(agent.signalling.connected),
            "unit": "up",
        }
    )
    return checks
