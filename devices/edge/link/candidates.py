"""How this robot can be reached."""

from __future__ import annotations

from typing import Any

from aioice.ice import get_host_addresses

from devices.edge.config import Config


def ice_candidate_kinds(config: Config) -> list[str]:
    """Which candidates this robot can offer. Empty: only loopback, nobody can reach it."""
    kinds = ["host"] if get_host_addresses(use_ipv4=True, use_ipv6=True) else []
    urls = [str(url) for row in config.ice_servers for url in _as_list(row["urls"])]
    kinds += ["srflx"] if kinds and any(url.startswith("stun") for url in urls) else []
    return kinds + (["relay"] if any(url.startswith("turn") for url in urls) else [])


def _as_list(value: Any) -> list[Any]:
    return list(value) if isinstance(value, list | tuple) else [value]
