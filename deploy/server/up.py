"""`deploy/up` inside the virtual environment: arguments, what is printed, supervision."""

from __future__ import annotations

import argparse
import os
import signal
import sys
import threading
from pathlib import Path
from typing import NoReturn

from .embedded import EmbeddedError
from .installation import ROOT, Broken, CannotStart, Installation


class _Parser(argparse.ArgumentParser):
    """Wrong arguments end in one sentence, not in a page of usage."""

    def error(self, message: str) -> NoReturn:
        self.exit(2, f"deploy/up: {message} (--help lists the arguments)\n")


def _port(text: str) -> int:
    if not text.isdigit() or not 1 <= int(text) <= 65535:
        raise argparse.ArgumentTypeError(f"{text} is not a port number")
    return int(text)


def _parser() -> argparse.ArgumentParser:
    parser = _Parser(prog="deploy/up", description="Start the internet hospital on this machine.")
    parser.add_argument("--port", type=_port, default=8000)
    parser.add_argument("--data-dir", type=Path, default=ROOT / ".data")
    parser.add_argument("--no-robot", action="store_true", help="without the simulated robot")
    parser.add_argument(
        "--check",
        action="store_true",
        help="one scripted exam on a free port, then end",
    )
    return parser


def _say(line: str) -> None:
    print(line, flush=True)


def _show(installation: Installation) -> None:
    data_dir = "" if installation.data_dir == ROOT / ".data" else f"DATA_DIR={installation.data_dir} "
    _say(f"\n{installation.base_url}/\n")
    _say(f"  {'role':<20} {'username':<14} password")
    for person in installation.up["staff"]:
        _say(f"  {person['role']:<20} {person['username']:<14} {person['password']}")
    _say("\n  one-time code of a person (a code counts once):")
    _say(f"    {data_dir}python manage.py totp USERNAME")
    _say("  a patient signs in with one of these phones and document numbers:")
    for patient in installation.up["patients"]:
        _say(f"    {patient['phone']}  {patient['document_number']}")
    _say(f"    {data_dir}python manage.py mailbox --to PHONE --last")
    _say(f"\n  logs: {installation.data_dir / 'log'}    Ctrl-C ends everything.")


def _supervise(installation: Installation, ended: threading.Event) -> None:
    while not ended.wait(0.5):
        installation.tend()


def _up(port: int, data_dir: Path, robot: bool) -> int:
    ended = threading.Event()

    def end(number: int, _frame: object) -> None:
        if not ended.is_set():
            ended.set()
            raise KeyboardInterrupt

    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, end)
    installation = Installation(data_dir, port, robot, say=_say)
    try:
        installation.start()
        _show(installation)
        _supervise(installation, ended)
    except KeyboardInterrupt:
        _say("\nending ...")
    except CannotStart as error:
        print(f"deploy/up: {error}", file=sys.stderr)
        return 2
    except (Broken, EmbeddedError) as error:
        print(f"deploy/up: {error}", file=sys.stderr)
        return 1
    finally:
        installation.stop()
    return 0


def main(argv: list[str]) -> int:
    given = _parser().parse_args(argv)
    os.umask(0o022)
    if given.check:
        from .check import run_check

        return run_check(_say)
    return _up(given.port, given.data_dir, not given.no_robot)
