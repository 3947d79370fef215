"""What the robot keeps: its identity, its newest epoch, its events and its pictures until they are safe."""

from __future__ import annotations

import asyncio
import contextlib
import json
import stat
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import jwt
import pytest

from devices.edge import identity as identities
from devices.edge.identity import PairingRefused, PairingUnavailable
from devices.edge.keys import KEYS_FILE, ServerKeys
from devices.edge.link.exam_files import ExamFiles
from devices.edge.link.journal import Journal
from devices.edge.safety.lease import EpochStore
from devices.wire.tokens import TokenError
from tests.edge.http_hospital import HttpHospital
from tests.edge.tokens import EXAM_ID, ROBOT_ID, Hospital
from tests.waiting import auntil, until


@pytest.fixture
def hospital() -> Iterator[HttpHospital]:
    with HttpHospital() as found:
        yield found


def test_pairing_stores_a_private_identity_whose_tokens_the_hospital_can_check(
    hospital: HttpHospital, tmp_path: Path
) -> None:
    found = identities.pair(server_url=hospital.url, code="AB-12", data_dir=tmp_path)
    assert identities.load(tmp_path) == found
    assert stat.S_IMODE((tmp_path / identities.IDENTITY_FILE).stat().st_mode) == 0o600
    sent = hospital.received[0]["json"]
    assert sent["code"] == "AB-12" and "PRIVATE" not in json.dumps(sent)
    claims = jwt.decode(found.token(), sent["public_key_pem"], algorithms=["EdDSA"], audience="hospital")
    assert claims["iss"] == f"robot:{ROBOT_ID}" and claims["exp"] - claims["iat"] <= 60
    again = jwt.decode(found.token(), sent["public_key_pem"], algorithms=["EdDSA"], audience="hospital")
    assert again["jti"] != claims["jti"]


def test_a_refused_code_leaves_no_identity_and_a_second_try_uses_the_same_key(
    hospital: HttpHospital, tmp_path: Path
) -> None:
    hospital.statuses = [422, 503]
    with pytest.raises(PairingRefused):
        identities.pair(server_url=hospital.url, code="old", data_dir=tmp_path)
    assert identities.load(tmp_path) is None
    with pytest.raises(PairingUnavailable):
        identities.pair(server_url=hospital.url, code="new", data_dir=tmp_path)
    identities.pair(server_url=hospital.url, code="new", data_dir=tmp_path)
    keys = {row["json"]["public_key_pem"] for row in hospital.received}
    assert len(keys) == 1


def test_only_the_hospitals_signature_counts(tmp_path: Path) -> None:
    ours, other = Hospital(), Hospital()
    identities.store_keys(tmp_path, ours.rows)
    keys = ServerKeys(tmp_path / KEYS_FILE)
    assert keys.claims(ours.peer(role="console", peer="p"))["peer"] == "p"
    unsigned = jwt.encode({"typ": "peer"}, "", algorithm="none", headers={"kid": "k1"})
    for token in (other.peer(role="console", peer="p"), unsigned, "nonsense", ""):
        with pytest.raises(TokenError, match="bad_token"):
            keys.claims(token)


def test_rolled_keys_are_noticed(tmp_path: Path) -> None:
    old, new = Hospital(), Hospital()
    new.kid = "k2"
    identities.store_keys(tmp_path, old.rows)
    keys = ServerKeys(tmp_path / KEYS_FILE)
    keys.claims(old.peer(role="console", peer="p"))
    identities.store_keys(tmp_path, old.rows + new.rows)
    assert keys.claims(new.peer(role="console", peer="p"))


def test_the_newest_epoch_survives_a_restart(tmp_path: Path) -> None:
    path = tmp_path / "epoch.json"
    EpochStore(path).remember(41)
    until(lambda: path.exists())
    assert EpochStore(path).newest == 41


def test_a_damaged_epoch_file_does_not_reopen_the_door(tmp_path: Path) -> None:
    (tmp_path / "epoch.json").write_text("{}")
    with pytest.raises(RuntimeError, match="damaged"):
        EpochStore(tmp_path / "epoch.json")


def test_events_wait_on_disk_until_acknowledged_and_numbers_are_never_used_twice(tmp_path: Path) -> None:
    journal = Journal(tmp_path / "j.sqlite3")
    first = journal.add(kind="stop", at_ms=5, exam_id=EXAM_ID, data={"cause": 3})
    second = journal.add(kind="cleared", at_ms=6, exam_id=None, data={})
    journal.ack(first.serial)
    journal.close()
    journal = Journal(tmp_path / "j.sqlite3")
    assert journal.pending() == [second]
    journal.ack(second.serial)
    journal.close()
    journal = Journal(tmp_path / "j.sqlite3")
    assert journal.pending() == []
    assert journal.add(kind="stop", at_ms=7, exam_id=None, data={}).serial == second.serial + 1


def stills(folder: Path) -> list[str]:
    return [path.name for path in folder.glob("*.dcm")]


class Outbox:
    """ExamFiles with its uploading task."""

    def __init__(self, folder: Path, url: str) -> None:
        self.events: list[tuple[str, dict[str, Any]]] = []
        self.files = ExamFiles(
            data_dir=folder,
            server_url=url,
            headers=lambda: {"Authorization": "Robot t"},
            on_event=lambda kind, data: self.events.append((kind, data)),
        )

    @contextlib.asynccontextmanager
    async def running(self) -> Any:
        task = asyncio.get_running_loop().create_task(self.files.uploads.run())
        try:
            yield self
        finally:
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)

    def still(self, folder: Path, name: str = "a.dcm") -> dict[str, Any]:
        path = folder / name
        path.write_bytes(b"DICM" + name.encode())
        return {"type": "captured", "path": str(path), "sop_uid": "2.25.7", "kind": "still", "view": "liver"}


async def test_a_picture_is_sent_with_its_meta_and_then_forgotten(
    hospital: HttpHospital, tmp_path: Path
) -> None:
    outbox = Outbox(tmp_path, hospital.url)
    async with outbox.running():
        outbox.files.taken(outbox.still(tmp_path), exam_id=EXAM_ID)
        await auntil(lambda: hospital.received)
        await auntil(lambda: outbox.files.pending_n == 0)
    row = hospital.received[0]
    assert (row["method"], row["path"]) == ("POST", f"/api/v1/robot/exams/{EXAM_ID}/images")
    assert row["file"] == b"DICMa.dcm" and json.loads(row["meta"])["view"] == "liver"
    assert row["authorization"] == "Robot t"
    assert not stills(tmp_path)
    assert [kind for kind, _ in outbox.events] == ["captured", "uploaded"]


async def test_a_frozen_frame_is_put(hospital: HttpHospital, tmp_path: Path) -> None:
    outbox = Outbox(tmp_path, hospital.url)
    async with outbox.running():
        outbox.files.taken(
            outbox.still(tmp_path, "f.png") | {"type": "frozen", "frame_id": 9}, exam_id=EXAM_ID
        )
        await auntil(lambda: hospital.received)
    assert (hospital.received[0]["method"], hospital.received[0]["path"][-7:]) == ("PUT", "/frozen")


async def test_a_picture_survives_failures_and_a_restart(hospital: HttpHospital, tmp_path: Path) -> None:
    hospital.statuses = [503]
    outbox = Outbox(tmp_path, hospital.url)
    async with outbox.running():
        outbox.files.taken(outbox.still(tmp_path), exam_id=EXAM_ID)
        await auntil(lambda: hospital.received)
    again = Outbox(tmp_path, hospital.url)
    assert again.files.pending_n == 1
    async with again.running():
        await auntil(lambda: len(hospital.received) == 2)
        await auntil(lambda: again.files.pending_n == 0)


async def test_a_refused_picture_is_kept_for_a_person_and_does_not_block_the_next(
    hospital: HttpHospital, tmp_path: Path
) -> None:
    hospital.statuses = [409, 201]
    outbox = Outbox(tmp_path, hospital.url)
    async with outbox.running():
        outbox.files.taken(outbox.still(tmp_path), exam_id=EXAM_ID)
        outbox.files.taken(outbox.still(tmp_path, "b.dcm"), exam_id=EXAM_ID)
        await auntil(lambda: len(hospital.received) == 2 and outbox.files.pending_n == 0)
    assert stills(tmp_path) == ["a.dcm"]
    assert len(list((tmp_path / "outbox" / "rejected").glob("*.json"))) == 1


async def test_the_patients_name_leaves_the_robot_after_the_last_upload(
    hospital: HttpHospital, tmp_path: Path
) -> None:
    hospital.statuses = [503]
    outbox = Outbox(tmp_path, hospital.url)
    outbox.files.keep_worklist({"type": "worklist", "exam_id": EXAM_ID, "patient_name": "测试"})
    path = tmp_path / "worklist.json"
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    outbox.files.taken(outbox.still(tmp_path), exam_id=EXAM_ID)
    outbox.files.clear_worklist(EXAM_ID)
    assert path.exists(), "the picture still needs its name"
    async with outbox.running():
        await auntil(lambda: not path.exists())
    assert outbox.files.worklist is None
