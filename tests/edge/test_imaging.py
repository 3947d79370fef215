"""The imaging process as the link meets it: encoded pictures, keyframes on request, freeze, captures."""

from __future__ import annotations

import io
import itertools
import json
import shutil
import socket
import subprocess
import sys
import tempfile
import time
import uuid
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path
from typing import Any

import av
import numpy as np
import pydicom
import pytest
from PIL import Image

from devices.drivers.sim.reader import ProbeWriter
from devices.edge.dicom import marks_of
from devices.edge.dicom.tags import SHANGHAI
from devices.edge.imaging.probe import now_us
from devices.edge.link.imaging_port import MAX_PACKET, AccessUnit, parse
from devices.edge.marks.body import Lying, Pose
from devices.edge.safety import port
from tests.edge.test_dicom import MESSAGE
from tests.edge.test_image_phantom import pose_at
from tests.waiting import until

ROOT = Path(__file__).parents[2]


class Viewer:
    """One client of imaging.sock that keeps all it was sent."""

    def __init__(self, path: Path) -> None:
        self._socket = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        self._socket.connect(str(path))
        self._socket.settimeout(0.5)
        self.units: list[AccessUnit] = []
        self.messages: list[dict[str, Any]] = []
        self._next_id = 0

    def send_raw(self, packet: bytes) -> None:
        self._socket.send(packet)

    def pump(self) -> None:
        """Take one packet if one comes."""
        try:
            packet = self._socket.recv(MAX_PACKET)
        except TimeoutError:
            return
        found = parse(packet)
        assert found is not None
        if isinstance(found, AccessUnit):
            self.units.append(found)
        else:
            self.messages.append(found)

    def message(self, kind: str, /, **fields: Any) -> dict[str, Any]:
        """Wait for an unsolicited message or ack."""

        def look() -> dict[str, Any] | None:
            self.pump()
            for message in self.messages:
                if message["type"] == kind and all(message.get(k) == v for k, v in fields.items()):
                    return message
            return None

        found = until(look, timeout_s=20.0, every_s=0.0, what=kind)
        assert found is not None
        self.messages.remove(found)
        return found

    def ask(self, kind: str, /, **fields: Any) -> dict[str, Any]:
        self._next_id += 1
        self.send_raw(json.dumps({"type": kind, "id": self._next_id, **fields}).encode())
        return self.message("ack", id=self._next_id)

    def more(self, count: int) -> list[AccessUnit]:
        """The next ``count`` access units."""
        start = len(self.units)

        def enough() -> bool:
            self.pump()
            return len(self.units) >= start + count

        until(enough, timeout_s=30.0, every_s=0.0)
        return self.units[start : start + count]

    def close(self) -> None:
        self._socket.close()


@pytest.fixture(scope="module")
def folder() -> Iterator[Path]:
    path = Path(tempfile.mkdtemp(prefix="img-"))
    yield path
    shutil.rmtree(path)


@pytest.fixture(scope="module")
def process(folder: Path) -> Iterator[subprocess.Popen[bytes]]:
    writer = ProbeWriter(folder)
    writer.write(pose_at())
    command = [sys.executable, "-m", "devices.edge.imaging", "--runtime-dir", str(folder)]
    command += ["--source", "phantom", "--out-dir", str(folder / "out")]
    running = subprocess.Popen(command, cwd=ROOT)
    until(lambda: (folder / "imaging.sock").exists() or running.poll() is not None, timeout_s=60.0)
    yield running
    running.terminate()
    assert running.wait(timeout=10) == 0
    assert not (folder / "imaging.sock").exists()
    writer.close()


@pytest.fixture
def viewer(process: subprocess.Popen[bytes], folder: Path) -> Iterator[Viewer]:
    viewer = Viewer(folder / "imaging.sock")
    yield viewer
    viewer.ask("freeze", on=False)
    viewer.close()


def begin_exam(viewer: Viewer, exam_id: str = str(MESSAGE["exam_id"])) -> None:
    """Its worklist item, and its first pictures: those of before are gone."""
    item = {name: value for name, value in MESSAGE.items() if name != "type"}
    assert viewer.ask("worklist", **item | {"exam_id": exam_id})["ok"]
    viewer.more(2)


def decoded(units: list[AccessUnit]) -> list[np.ndarray]:
    codec: Any = av.CodecContext.create("h264", "r")
    frames = [frame for unit in units for frame in codec.decode(av.Packet(unit.data))]
    frames += codec.decode(None)
    return [frame.to_ndarray(format="gray") for frame in frames]


def test_a_new_viewer_gets_geometry_and_a_stream_that_decodes_from_its_first_unit(viewer: Viewer) -> None:
    geometry = viewer.message("geometry")
    assert (geometry["width"], geometry["height"]) == (640, 480)
    assert geometry["mm_per_px_x"] == geometry["mm_per_px_y"]
    units = viewer.more(20)
    assert units[0].keyframe
    pictures = decoded(units)
    assert len(pictures) == 20
    assert all(picture.shape == (480, 640) for picture in pictures)
    assert pictures[-1][150:300, 200:400].mean() > 40, "tissue, not black"


def test_frame_ids_and_times_grow_together(viewer: Viewer) -> None:
    units = viewer.more(15)
    ids = [unit.frame_id for unit in units]
    assert ids == sorted(set(ids))
    assert [unit.pts_90k for unit in units] == [frame_id * 3000 for frame_id in ids]
    assert abs(time.monotonic() * 30 - ids[-1]) < 300


def test_the_profile_is_constrained_baseline_with_parameter_sets_at_each_keyframe(viewer: Viewer) -> None:
    first = viewer.more(1)[0]
    kinds = [nal[0] & 0x1F for nal in first.data.replace(b"\0\0\0\1", b"\0\0\1").split(b"\0\0\1")[1:]]
    assert {7, 8, 5} <= set(kinds)
    start = first.data.index(b"\0\0\1\x67") + 4 if b"\0\0\1\x67" in first.data else -1
    assert start > 0
    profile, constraints = first.data[start], first.data[start + 1]
    assert profile == 66
    assert constraints & 0x40, "constrained"


def test_another_profile_begins_with_a_keyframe_and_only_when_it_changes(viewer: Viewer) -> None:
    viewer.more(1)
    assert viewer.ask("bitrate", kbps=3000, main=True)["done"] == {"kbps": 3000, "main": True}
    key = next(unit for unit in viewer.more(6) if unit.keyframe)
    assert key.data[key.data.index(b"\0\0\1\x67") + 4] == 77
    assert viewer.ask("bitrate", kbps=2500)["done"] == {"kbps": 2500, "main": True}
    assert not any(unit.keyframe for unit in viewer.more(6))
    viewer.ask("bitrate", kbps=3000, main=False)
    assert any(unit.keyframe for unit in viewer.more(6))


def test_a_keyframe_comes_on_request(viewer: Viewer) -> None:
    viewer.more(3)
    assert not any(unit.keyframe for unit in viewer.units[1:])
    viewer.ask("keyframe")
    assert any(unit.keyframe for unit in viewer.more(5))


def test_access_units_stay_small_enough_not_to_queue(viewer: Viewer) -> None:
    units = viewer.more(60)
    # 3 Mbit/s with a VBV of 0.1 s: one unit never holds much more than the buffer.
    assert max(len(unit.data) for unit in units) < 3_000_000 * 0.1 / 8 * 1.5


def test_freeze_keeps_one_lossless_picture_until_unfrozen(viewer: Viewer) -> None:
    answer = viewer.ask("freeze", on=True)
    assert answer["ok"]
    first = viewer.message("frozen")
    again = viewer.ask("freeze", on=True)
    assert again["done"]["frame_id"] == answer["done"]["frame_id"] == first["frame_id"]
    still = np.asarray(Image.open(first["path"]))
    assert still.shape == (480, 640)
    viewer.ask("keyframe")
    units = viewer.more(12)
    while not units[0].keyframe:
        units = units[1:] + viewer.more(1)
    shown = decoded(units)
    assert np.abs(shown[-1].astype(float) - still).mean() < 8.0, "the video shows the frozen picture"
    assert np.abs(shown[-1].astype(float) - shown[len(shown) // 2]).mean() < 2.0, "and it stands still"
    assert viewer.ask("freeze", on=False)["ok"]
    viewer.message("unfrozen")


def test_a_still_of_a_frozen_picture_is_that_picture_to_the_last_bit(viewer: Viewer) -> None:
    begin_exam(viewer)
    viewer.ask("freeze", on=True)
    frozen = viewer.message("frozen")
    answer = viewer.ask("capture", kind="still", view="liver", annotation="")
    assert answer["ok"], answer
    captured = viewer.message("captured", kind="still")
    dataset = pydicom.dcmread(io.BytesIO(Path(captured["path"]).read_bytes()))
    assert captured["frame_id"] == frozen["frame_id"]
    x, y = captured["offset"]
    shown = dataset.pixel_array[y : y + frozen["height"], x : x + frozen["width"]]
    assert (shown == np.asarray(Image.open(frozen["path"]))).all()
    assert (dataset.Columns, dataset.Rows) == (captured["width"], captured["height"])
    moved = [
        frozen["region"][0] + x,
        frozen["region"][1] + y,
        frozen["region"][2] + x,
        frozen["region"][3] + y,
    ]
    assert captured["region"] == moved
    assert dataset.PatientID == MESSAGE["patient_id"]
    assert captured["sop_uid"] == dataset.SOPInstanceUID


def captured_marks(viewer: Viewer) -> Any:
    assert viewer.ask("capture", kind="still", view="liver", annotation="")["ok"]
    captured = viewer.message("captured", kind="still")
    return marks_of(pydicom.dcmread(captured["path"]))


def say_where(folder: Path, **changed: Any) -> None:
    """As the safety process says it, 50 times a second."""
    said = {
        "t_us": now_us(),
        "position_mm": [-60.0, 0.0, -8.0],
        "quaternion": [0.0, 0.0, 1.0, 0.0],
        "lying": {"head": "left", "lie": "supine"},
        "exam": MESSAGE["exam_id"],
    } | changed
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as sender:
        assert port.send(sender, folder / port.PROBE_SOCKET, port.pack_json(said))


def test_a_still_shows_the_pose_that_safety_said_and_an_old_word_is_none(
    viewer: Viewer, folder: Path
) -> None:
    begin_exam(viewer)
    viewer.more(1)
    said = Pose((-60.0, 0.0, -8.0), (0.0, 0.0, 1.0, 0.0))

    def marks_with_pose() -> Any:
        say_where(folder)
        viewer.more(2)
        marks = captured_marks(viewer)
        return marks if marks.poses == (said,) else None

    marks = until(marks_with_pose, timeout_s=20.0, every_s=0.0)
    assert marks.lying == Lying("left", "supine")
    say_where(folder, t_us=now_us() - 1_000_000)
    viewer.more(12)
    assert captured_marks(viewer).poses == (None,)


def test_how_another_exams_patient_lay_is_not_shown(viewer: Viewer, folder: Path) -> None:
    begin_exam(viewer)
    say_where(folder, exam="01936b4e-0000-7000-8000-00000000000f")
    viewer.more(2)
    assert captured_marks(viewer).lying is None


def test_a_still_of_a_frozen_picture_has_the_time_at_which_it_was_taken(viewer: Viewer) -> None:
    begin_exam(viewer)
    frozen = viewer.ask("freeze", on=True)
    before = datetime.now(SHANGHAI)
    viewer.message("frozen")
    viewer.more(40)
    assert (
        viewer.ask("capture", kind="still", view="", annotation="")["done"]["frame_id"]
        == frozen["done"]["frame_id"]
    )
    dataset = pydicom.dcmread(viewer.message("captured", kind="still")["path"])
    taken = datetime.strptime(dataset.ContentDate + dataset.ContentTime, "%Y%m%d%H%M%S.%f").replace(
        tzinfo=SHANGHAI
    )
    assert abs((taken - before).total_seconds()) < 0.5


def test_while_frozen_every_picture_of_the_last_seconds_can_be_had_lossless(viewer: Viewer) -> None:
    begin_exam(viewer)
    viewer.more(40)
    newest = viewer.ask("freeze", on=True)["done"]["frame_id"]
    viewer.message("frozen", frame_id=newest)
    done = viewer.ask("cine", back=20)["done"]
    assert done["back"] == 20
    assert newest - 40 < done["frame_id"] < newest
    assert done["back_s"] == pytest.approx((newest - done["frame_id"]) / 30, abs=0.2)
    frozen = viewer.message("frozen", frame_id=done["frame_id"])
    assert viewer.ask("capture", kind="still", view="", annotation="")["done"]["frame_id"] == done["frame_id"]
    captured = viewer.message("captured", kind="still")
    x, y = captured["offset"]
    shown = pydicom.dcmread(captured["path"]).pixel_array[y : y + frozen["height"], x : x + frozen["width"]]
    assert (shown == np.asarray(Image.open(frozen["path"]))).all()
    assert viewer.ask("capture", kind="loop", view="", annotation="")["done"]["frame_id"] == done["frame_id"]
    assert viewer.ask("cine", back=300)["done"]["back"] <= 299, "the oldest there is"
    assert viewer.ask("cine", back=0)["done"]["frame_id"] == newest


def test_scrolling_sends_only_the_picture_on_which_it_rests(viewer: Viewer) -> None:
    viewer.more(20)
    newest = viewer.ask("freeze", on=True)["done"]["frame_id"]
    viewer.message("frozen", frame_id=newest)
    chosen = [viewer.ask("cine", back=back)["done"]["frame_id"] for back in range(1, 9)]
    viewer.message("frozen", frame_id=chosen[-1])
    assert not [m for m in viewer.messages if m["type"] == "frozen" and m["frame_id"] in chosen[:-2]]


def test_nothing_is_scrolled_while_the_picture_runs(viewer: Viewer) -> None:
    viewer.ask("freeze", on=False)
    assert viewer.ask("cine", back=3)["code"] == "not_frozen"


def test_a_loop_holds_the_last_three_seconds(viewer: Viewer) -> None:
    begin_exam(viewer)
    viewer.more(10)
    assert viewer.ask("capture", kind="loop", view="liver", annotation="")["ok"]
    captured = viewer.message("captured", kind="loop")
    dataset = pydicom.dcmread(captured["path"])
    assert int(dataset.NumberOfFrames) == captured["frames"]
    assert 5 <= captured["frames"] <= 90


def test_the_next_exam_finds_no_picture_of_the_one_before(viewer: Viewer) -> None:
    """Also when the end of the one before was never heard."""
    begin_exam(viewer)
    viewer.more(60)
    before = viewer.ask("freeze", on=True)["done"]["frame_id"]
    begin_exam(viewer)
    assert viewer.ask("status")["done"]["frozen"], "told again, the same exam goes on"
    other = str(uuid.uuid4())
    begin_exam(viewer, other)
    assert not viewer.ask("status")["done"]["frozen"]
    viewer.ask("freeze", on=True)
    assert viewer.ask("cine", back=300)["done"]["frame_id"] > before
    viewer.ask("worklist_clear", exam_id=other)


def test_without_a_worklist_nothing_is_captured(viewer: Viewer) -> None:
    viewer.ask("worklist_clear", exam_id=MESSAGE["exam_id"])
    answer = viewer.ask("capture", kind="still", view="", annotation="")
    assert (answer["ok"], answer["code"]) == (False, "no_worklist")


def test_another_depth_is_told_with_its_scale(viewer: Viewer) -> None:
    before = viewer.message("geometry")
    answer = viewer.ask("imaging", depth_mm=100.0)
    assert answer["done"]["depth_mm"] == 100.0
    after = viewer.message("geometry", depth_mm=100.0)
    assert after["mm_per_px_x"] < before["mm_per_px_x"]
    viewer.ask("imaging", depth_mm=160.0)


def test_a_preset_and_the_sliders_of_the_time_gain_are_told_to_every_page(viewer: Viewer) -> None:
    tgc_db = [0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 6.0]
    answer = viewer.ask("imaging", preset="vessel", tgc_db=tgc_db, focus_mm=70.0)
    assert answer["done"]["tgc_db"] == tgc_db
    told = viewer.message("geometry", preset="vessel")
    assert (told["tgc_db"], told["focus_mm"]) == (tgc_db, 70.0)
    viewer.ask("imaging", preset="abdomen")


@pytest.mark.parametrize(
    "rubbish",
    [b"{", b"[]", b"\xff\x00", b'{"type": 5}', b'{"type": "freeze"}', b'{"type":"imaging","gain_db":"x"}'],
)
def test_rubbish_does_not_stop_the_pictures(viewer: Viewer, rubbish: bytes) -> None:
    viewer.send_raw(rubbish)
    assert len(viewer.more(3)) == 3


def test_a_viewer_that_does_not_read_loses_pictures_and_continues_with_a_keyframe(
    viewer: Viewer, process: subprocess.Popen[bytes], folder: Path
) -> None:
    viewer.more(1)
    last = viewer.units[-1].frame_id
    until(lambda: time.monotonic() * 30 - last > 30 * 8, timeout_s=15.0, what="eight seconds unread")
    units: list[AccessUnit] = []

    def caught_up() -> bool:
        units.extend(viewer.more(1))
        return time.monotonic() * 30 - units[-1].frame_id < 15

    until(caught_up, every_s=0.0)
    ids = [unit.frame_id for unit in units]
    jumps = [b for a, b in itertools.pairwise(units) if b.frame_id - a.frame_id > 15]
    assert ids == sorted(ids)
    assert all(unit.keyframe for unit in jumps)
