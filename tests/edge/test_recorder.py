"""The recorder's two ends without a robot: nothing waits for the disk, what is missing is said, nobody is named."""

from __future__ import annotations

import json
import resource
import signal
import stat
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from devices.edge.cli import main
from devices.edge.recorder import masks, tape
from devices.edge.recorder.items import Kind
from devices.edge.recorder.masks import Masks
from devices.edge.recorder.tap import Tap
from devices.edge.safety.cycle import Output
from devices.wire import ctl
from tests.waiting import until

CYCLES = 20_000
NOISE = bytes(range(256)) * 2  # 10 MB in all: more than the queue and the sockets hold


@pytest.fixture
def runtime_dir(tmp_path: Path) -> Path:
    folder = tmp_path / "r"
    folder.mkdir()
    return folder


@contextmanager
def writer(runtime_dir: Path, out: Path) -> Iterator[subprocess.Popen[bytes]]:
    command = [sys.executable, "-m", "devices.edge.recorder", "--runtime-dir", str(runtime_dir)]
    process = subprocess.Popen([*command, "--out", str(out)])
    try:
        until(lambda: (runtime_dir / tape.TAPE_SOCKET).exists(), timeout_s=20, what="the writer listens")
        yield process
    finally:
        process.send_signal(signal.SIGCONT)
        process.terminate()
        assert process.wait(20) == 0


def started(runtime_dir: Path) -> Tap:
    tap = Tap(runtime_dir=runtime_dir, header={"recorded_at": "now", "driver": "none"})
    tap.started_s()
    return tap


def drive(tap: Tap, cycles_n: int) -> None:
    for _ in range(cycles_n):
        tap.cycle(time.monotonic(), 0.002)
        tap.note(Kind.DATAGRAM, NOISE)
        tap.output(Output())


def told(out: Path) -> int:
    """Cycles in the file."""
    return sum(len(session.cycles) for session in tape.read(out))


def told_lost(tap: Tap, out: Path) -> int:
    """Some more cycles, then what the file says is missing."""
    drive(tap, 25)
    return tape.read(out)[0].lost_n


def flushed(tap: Tap, out: Path, cycles_n: int) -> None:
    def there() -> bool:
        tap.cycle(time.monotonic(), 0.002)
        return told(out) >= cycles_n

    until(there, timeout_s=20, every_s=0.01, what="written")


def test_everything_is_written_in_order_and_only_the_owner_may_read(
    tmp_path: Path, runtime_dir: Path
) -> None:
    out = tmp_path / "drive"
    with writer(runtime_dir, out):
        tap = started(runtime_dir)
        drive(tap, 500)
        flushed(tap, out, 500)
    (session,) = tape.read(out)
    assert [cycle.number for cycle in session.cycles[:500]] == list(range(500))
    assert session.cycles[7].came == [(Kind.DATAGRAM, NOISE)]
    assert (session.gap_after, session.lost_n, tap.lost_n) == (None, 0, 0)
    assert stat.S_IMODE(out.stat().st_mode) == 0o600


def test_a_writer_that_hangs_on_its_disk_never_holds_a_cycle_up_and_the_gap_is_in_the_file(
    tmp_path: Path, runtime_dir: Path
) -> None:
    out = tmp_path / "drive"
    with writer(runtime_dir, out) as process:
        tap = started(runtime_dir)
        drive(tap, 100)
        flushed(tap, out, 100)
        process.send_signal(signal.SIGSTOP)
        drive(tap, CYCLES)  # a cycle that waited for the writer would never come back
        assert 0 < tap.lost_n < CYCLES
        process.send_signal(signal.SIGCONT)
        until(lambda: told_lost(tap, out), timeout_s=20, what="the loss is written")
    (session,) = tape.read(out)
    assert session.lost_n == tap.lost_n
    assert session.gap_after is not None and session.gap_after < 100 + CYCLES


def test_a_full_disk_loses_cycles_says_so_and_goes_on_when_there_is_room(
    tmp_path: Path, runtime_dir: Path
) -> None:
    out = tmp_path / "drive"
    with writer(runtime_dir, out) as process:
        tap = started(runtime_dir)
        resource.prlimit(process.pid, resource.RLIMIT_FSIZE, (8_192, resource.RLIM_INFINITY))
        drive(tap, 2_000)
        until(lambda: out.stat().st_size > 4_000, what="the disk is full")
        kept = told(out)  # readable although the last write was cut short
        resource.prlimit(process.pid, resource.RLIMIT_FSIZE, (resource.RLIM_INFINITY,) * 2)
        until(lambda: told_lost(tap, out), timeout_s=20, what="room again")
    (session,) = tape.read(out)
    assert tap.lost_n == 0  # the safety process handed everything over
    assert session.gap_after is not None and session.gap_after < kept + session.lost_n
    assert session.lost_n > 0


def test_a_damaged_or_foreign_file_is_refused_in_a_sentence(
    tmp_path: Path, runtime_dir: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "drive"
    with writer(runtime_dir, out):
        tap = started(runtime_dir)
        drive(tap, 100)
        flushed(tap, out, 75)
    data = bytearray(out.read_bytes())
    data[-3] ^= 1
    out.write_bytes(data)
    assert main(["replay", str(out)]) == 2
    assert "damaged" in capsys.readouterr().err
    out.write_bytes(b"something else")
    assert main(["replay", str(out)]) == 2
    assert "is not a drive recording" in capsys.readouterr().err


@pytest.mark.parametrize(
    "text",
    [
        '{"type":"sing","id":4,"name":"沈阿妹"}',
        '{"type":"place","id":4,"site":5,"who":"沈阿妹"}',
        '{"type":"hold","id":4,"沈阿妹":true}',
        '{"type":"沈阿妹","id":4}',
        '{"type":"hold","id":"沈阿妹"}',
        "沈阿妹",
        '["沈阿妹"]',
        '{"type":"capture","id":4,"kind":"still","annotation":"' + "沈阿妹" * 3000 + '"}',
    ],
)
def test_a_refused_request_is_kept_without_its_words_and_is_refused_for_the_same_reason(text: str) -> None:
    def code(request: str) -> tuple[str, int | None]:
        with pytest.raises(ctl.CtlError) as refused:
            ctl.parse_request(request, role="console")
        return refused.value.code, refused.value.request_id

    kept = masks.request_text(text)
    assert "沈阿妹" not in json.dumps(kept, ensure_ascii=False)
    assert "\\u6c88" not in kept
    assert code(kept) == code(text)


def test_tokens_and_people_become_numbers_and_options_lose_their_secrets() -> None:
    found = Masks()
    claims = {"sub": "u-17", "exam": "e-9", "role": "console", "jti": "x", "name": "沈阿妹"}
    assert found.claims(claims) == {"sub": "sub-1", "exam": "exam-2", "role": "console"}
    assert found.claims({"sub": "u-17"}) == {"sub": "sub-1"}
    assert b"eyJ" not in found.datagram(b'{"type":"lease","token":"eyJhbGciOi"}')
    assert masks.options({"site": "park", "api_token": "s"}) == {"site": "park", "api_token": "removed"}
