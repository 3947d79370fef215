"""``edge run --config FILE [--record OUT]``, ``edge pair``, ``edge check``, ``edge replay FILE``."""

from __future__ import annotations

import argparse
import importlib
import json
import logging
import sys
from pathlib import Path

from devices.drivers.registry import UnknownDriver, arm_class, image_source_class
from devices.edge import config as configs
from devices.edge import identity as identities
from devices.edge.config import Config, ConfigError
from devices.edge.identity import PairingRefused, PairingUnavailable
from devices.edge.parent import Parent
from devices.edge.version import AGENT_VERSION
from devices.wire.messages import SCHEMA_HASH


def main(argv: list[str] | None = None) -> int:
    """Exit status: 0 good, 1 a check failed, 2 configuration, 3 pairing refused."""
    arguments = _parser().parse_args(argv)
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(name)s %(levelname)s %(message)s")
    if arguments.command == "replay":
        from devices.edge.recorder.command import replay

        return replay(arguments.file, again=arguments.resimulate, table=arguments.csv)
    try:
        config = configs.load(arguments.config)
        if arguments.command == "run":
            arm_class(config.driver)  # an unknown driver is told before anything starts
            image_source_class(config.image_source)
            record = _record_to(arguments.record)
            return Parent(config=config, config_file=arguments.config.resolve(), record=record).run()
        return _pair(config) if arguments.command == "pair" else _check(config)
    except (ConfigError, UnknownDriver) as error:
        print(f"edge: {error}", file=sys.stderr)
        return 2
    except (PairingRefused, PairingUnavailable) as error:
        print(f"edge: pairing: {error}", file=sys.stderr)
        return 3


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="edge", description="The robot-side agent of the internet hospital."
    )
    parser.add_argument("--version", action="version", version=f"edge {AGENT_VERSION} wire {SCHEMA_HASH:08x}")
    commands = parser.add_subparsers(dest="command", required=True)
    for name, text in (
        ("run", "start the agent; pairs first when the file holds a pairing_code"),
        ("pair", "only exchange the one-time code for this robot's identity"),
        ("check", "say what this robot could do with this configuration; prints JSON"),
    ):
        command = commands.add_parser(name, help=text)
        command.add_argument("--config", type=Path, required=True, metavar="FILE")
        if name == "run":
            command.add_argument(
                "--record",
                type=Path,
                metavar="OUT",
                help="write what the safety process is told and does to OUT (must not exist), for edge replay",
            )
    _replay_arguments(commands.add_parser("replay", help="run a recording of edge run --record again"))
    return parser


def _replay_arguments(command: argparse.ArgumentParser) -> None:
    command.add_argument("file", type=Path, metavar="FILE")
    how = command.add_mutually_exclusive_group()
    how.add_argument(
        "--verify",
        action="store_true",
        help="feed the recorded inputs to this code and compare every output bit for bit (the default)",
    )
    how.add_argument(
        "--resimulate",
        action="store_true",
        help="drive the simulator's physics with the recorded commands, without real time",
    )
    command.add_argument("--csv", type=Path, metavar="OUT", help="with --resimulate: both motions as a table")


def _record_to(path: Path | None) -> Path | None:
    """Raises ConfigError: a recording is never written over or into another."""
    if path is None:
        return None
    if path.exists():
        raise ConfigError(f"{path} exists")
    if not path.resolve().parent.is_dir():
        raise ConfigError(f"{path.resolve().parent} is no folder")
    return path.resolve()


def _pair(config: Config) -> int:
    if config.pairing_code is None:
        raise ConfigError("pairing_code is missing")
    found = identities.pair(server_url=config.server_url, code=config.pairing_code, data_dir=config.data_dir)
    print(json.dumps({"robot_id": found.robot_id, "name": found.name}))
    return 0


def _check(config: Config) -> int:
    """Libraries, driver, picture source, network addresses, identity; prints one JSON object."""
    checks = {
        "libraries": _try(
            lambda: [importlib.import_module(m) for m in ("aiortc", "av", "cryptography", "jwt")]
        ),
        "driver": _try(lambda: arm_class(config.driver)),
        "image_source": _try(lambda: image_source_class(config.image_source)),
        "ice_candidates": _candidates(config),
    }
    identity = identities.load(config.data_dir)
    print(
        json.dumps(
            {
                "ok": all(value is True for value in checks.values()),
                "checks": checks,
                "robot_id": identity.robot_id if identity is not None else None,
                "without_django": "django" not in sys.modules,
            }
        )
    )
    return 0 if all(value is True for value in checks.values()) else 1


def _candidates(config: Config) -> bool | str:
    from devices.edge.link.candidates import ice_candidate_kinds  # slow to import, only needed here

    return True if ice_candidate_kinds(config) else "only loopback: no ICE candidates"


def _try(action: object) -> bool | str:
    try:
        assert callable(action)
        action()
    except (ImportError, UnknownDriver) as error:
        return str(error)
    return True
