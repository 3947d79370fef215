"""The controller box as its own process, as a vendor's would be: it outlives its client and rubbish."""

from __future__ import annotations

import dataclasses
import math
import os
import random
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from devices.drivers.base import ZERO, ArmNotThere, ArmRefused, ArmState, ArmTimeout, Twist
from devices.drivers.sim import protocol
from devices.drivers.sim.arm import SimArm
from devices.drivers.sim.reader import ProbePose, ProbeReader
from tests.waiting import until

ROOT = Path(__file__).parents[2]


@pytest.fixture
def folder() -> Iterator[Path]:
    path = Path(tempfile.mkdtemp(prefix="sim-"))
    yield path
    shutil.rmtree(path)


@pytest.fixture
def box(folder: Path) -> Iterator[subprocess.Popen[bytes]]:
    command = SimArm.controller_command(runtime_dir=folder, options={"site": "right_upper_quadrant"})
    process = subprocess.Popen(command, cwd=ROOT)
    yield process
    process.terminate()
    assert process.wait(timeout=10) == 0
    assert not (folder / "arm.sock").exists()


@pytest.fixture
def arm(box: subprocess.Popen[bytes], folder: Path) -> Iterator[SimArm]:
    arm = SimArm(runtime_dir=folder, options={})
    arm.connect(timeout_s=20.0)
    yield arm
    arm.close()


def truth(folder: Path) -> ProbePose:
    pose = ProbeReader(folder).read()
    assert pose is not None
    return pose


class Servo:
    """Feeds the arm as the safety process does, beside the test."""

    def __init__(self, arm: SimArm) -> None:
        self.arm = arm
        self.twist = ZERO
        self.state: ArmState = arm.state()
        self.errors: list[Exception] = []
        self._ended = threading.Event()
        self._lock = threading.Lock()
        self._thread = threading.Thread(target=self._run)

    def __enter__(self) -> Servo:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._ended.set()
        self._thread.join()

    def call(self, action: Callable[[], None]) -> None:
        """Do something with the arm between two servo calls."""
        with self._lock:
            action()

    def _run(self) -> None:
        while not self._ended.wait(0.002):
            with self._lock:
                try:
                    self.arm.servo(self.twist, None, 0.002)
                    self.state = self.arm.state()
                except (ArmNotThere, ArmTimeout, ArmRefused) as error:
                    self.errors.append(error)


def pressed(servo: Servo, force_n: float) -> None:
    servo.twist = Twist(vz=20.0)
    until(lambda: servo.state.force_n > force_n, timeout_s=40.0, what="contact")
    servo.twist = ZERO
    until(lambda: not servo.state.moving)


def test_the_probe_touches_and_the_force_reported_is_the_true_one(arm: SimArm, folder: Path) -> None:
    arm.enable()
    with Servo(arm) as servo:
        pressed(servo, 5.0)
        pose = truth(folder)
        assert pose.contact and servo.state.contact
        assert servo.state.force_n == pytest.approx(pose.force_n, abs=0.1)
        assert pose.indentation_mm > 5.0


def test_the_box_rests_by_itself_when_its_client_is_killed(
    box: subprocess.Popen[bytes], folder: Path
) -> None:
    program = (
        "import sys, time; from pathlib import Path\n"
        "from devices.drivers.base import Twist; from devices.drivers.sim.arm import SimArm\n"
        "arm = SimArm(runtime_dir=Path(sys.argv[1]), options={}); arm.connect(timeout_s=20); arm.enable()\n"
        "while True:\n    arm.servo(Twist(vz=-20.0), None, 0.002); time.sleep(0.002)\n"
    )
    client = subprocess.Popen([sys.executable, "-c", program, str(folder)], cwd=ROOT)
    reader = ProbeReader(folder)

    def height() -> float:
        pose = reader.read()
        return pose.position_mm[2] if pose else 0.0

    until(lambda: height() > 25.0, timeout_s=30.0, what="moving up")
    os.kill(client.pid, signal.SIGKILL)
    client.wait()
    at_kill_mm = height()
    watching = SimArm(runtime_dir=folder, options={})
    watching.connect()
    until(lambda: watching.state().watchdog_tripped and not watching.state().moving, timeout_s=2.0)
    # 100 ms of watchdog and 60 ms of ramp at 20 mm/s are 2.6 mm; the rest is this test's own delay.
    assert height() - at_kill_mm < 10.0
    rest_mm = height()
    first = watching.state().t_us
    until(lambda: watching.state().t_us - first > 300_000)
    assert abs(height() - rest_mm) < 0.1
    watching.close()


def test_servo_counts_again_only_after_enable(arm: SimArm) -> None:
    arm.enable()
    until(lambda: arm.state().watchdog_tripped)
    arm.servo(Twist(vz=-20.0), None, 0.002)
    first = arm.state().t_us
    until(lambda: arm.state().t_us - first > 50_000)
    assert not arm.state().moving
    arm.enable()
    with Servo(arm) as servo:
        servo.twist = Twist(vz=-20.0)
        until(lambda: servo.state.moving)
        assert not servo.state.watchdog_tripped


@pytest.mark.parametrize("bad", [math.nan, math.inf])
def test_a_twist_that_is_no_number_is_refused_by_the_driver(arm: SimArm, bad: float) -> None:
    arm.enable()
    with pytest.raises(ArmRefused, match="not_finite"):
        arm.servo(dataclasses.replace(ZERO, vx=bad), None, 0.002)


def test_the_box_itself_refuses_a_twist_that_is_no_number_and_rubbish_does_not_hurt_it(
    arm: SimArm, folder: Path
) -> None:
    raw = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
    raw.bind("")
    raw.connect(str(folder / "arm.sock"))
    raw.settimeout(2.0)
    random.seed(5)
    for size in (0, 1, 7, 8, 40, 4000):
        raw.send(random.randbytes(size))
    for op in range(256):
        raw.send(protocol.HEADER.pack(protocol.REQUEST_MAGIC, op, 0, 1) + b"\xff\xfe")
    arm.enable()
    twist = protocol.SERVO.pack(math.nan, 0, 0, 0, 0, 0, 0, 0.002)
    raw.send(protocol.HEADER.pack(protocol.REQUEST_MAGIC, protocol.Op.SERVO, 0, 77) + twist)

    def refused() -> bool:
        answer = raw.recv(4096)
        return answer[4:8] == (77).to_bytes(4, "little") and answer.endswith(b"not_finite")

    until(refused)
    assert not arm.state().moving
    raw.close()


def test_lift_leaves_the_belly(arm: SimArm) -> None:
    arm.enable()
    with Servo(arm) as servo:
        pressed(servo, 4.0)
        servo.call(lambda: arm.lift(30.0))
        until(lambda: servo.state.force_n == 0.0 and not servo.state.moving)
        assert servo.errors == []


def test_stop_brings_rest_within_the_declared_time(arm: SimArm) -> None:
    arm.enable()
    with Servo(arm) as servo:
        servo.twist = Twist(vx=60.0)
        until(lambda: servo.state.twist.vx > 55.0)
        servo.twist = ZERO
        servo.call(arm.stop)
        asked_us = servo.state.t_us
        rested_us = until(lambda: 0 if servo.state.moving else servo.state.t_us, every_s=0.001)
    # The state read before the stop may be one cycle old, and the loop here looks every millisecond.
    assert rested_us - asked_us < (arm.stop_time_ms + 20) * 1000


def test_no_call_but_connect_blocks(arm: SimArm, box: subprocess.Popen[bytes]) -> None:
    arm.enable()
    box.send_signal(signal.SIGSTOP)
    try:
        for _ in range(2000):
            arm.servo(ZERO, None, 0.002)  # even with the box hung and its socket full
        with pytest.raises(ArmTimeout):
            until(lambda: arm.state() and False)
    finally:
        box.send_signal(signal.SIGCONT)
    until(lambda: _fresh(arm))


def _fresh(arm: SimArm) -> bool:
    try:
        return bool(arm.state())
    except ArmTimeout:
        return False


def test_a_box_that_is_gone_is_told_apart(arm: SimArm, box: subprocess.Popen[bytes]) -> None:
    box.terminate()
    box.wait()
    with pytest.raises(ArmNotThere):
        arm.servo(ZERO, None, 0.002)


def test_nobody_at_home_is_not_there(folder: Path) -> None:
    with pytest.raises(ArmNotThere):
        SimArm(runtime_dir=folder, options={}).connect(timeout_s=0.1)


@pytest.mark.parametrize(
    ("fault", "value", "seen"),
    [
        ("force_spike", 30.0, lambda state: state.force_n > 25.0),
        ("patient_button", 5.0, lambda state: state.patient_button),
    ],
)
def test_faults_on_demand_show_in_the_state(
    arm: SimArm, fault: str, value: float, seen: Callable[[ArmState], bool]
) -> None:
    arm.fault(fault, value)
    until(lambda: seen(arm.state()), every_s=0.001)


def test_a_frozen_state_grows_too_old(arm: SimArm) -> None:
    arm.fault("frozen_state", 30.0)
    with pytest.raises(ArmTimeout):
        until(lambda: arm.state() and False)


def test_a_dead_socket_is_a_timeout(arm: SimArm) -> None:
    arm.fault("dead_socket", 30.0)
    with pytest.raises(ArmTimeout):
        until(lambda: arm.state() and False)


def test_a_refusing_box_says_so(arm: SimArm) -> None:
    arm.fault("refuse", 5)
    with pytest.raises(ArmRefused, match="fault"):
        until(lambda: _enable_refused(arm))


def _enable_refused(arm: SimArm) -> bool:
    arm.enable()
    arm.servo(ZERO, None, 0.002)
    return False


def test_an_unknown_fault_is_refused(arm: SimArm) -> None:
    with pytest.raises(ArmRefused, match="malformed"):
        arm.fault("gremlin", 1.0)


def test_a_slow_stop_is_slow(arm: SimArm) -> None:
    arm.fault("slow_stop", 500)
    arm.enable()
    with Servo(arm) as servo:
        servo.twist = Twist(vx=60.0)
        until(lambda: servo.state.twist.vx > 55.0)
        servo.call(arm.stop)
        servo.twist = ZERO
        asked_us = servo.state.t_us
        rested_us = until(lambda: 0 if servo.state.moving else servo.state.t_us)
    assert rested_us - asked_us > 400_000


def test_told_to_breathe_in_the_patients_liver_comes_down_and_the_belly_rises(
    arm: SimArm, folder: Path
) -> None:
    arm.patient_told("breathe_in")
    seen = until(lambda: (pose := truth(folder)).organs_mm[1] < -25.0 and pose, timeout_s=20.0)
    assert isinstance(seen, ProbePose) and seen.heave_mm > 5.0
