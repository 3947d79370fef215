"""Ciphers, keys by number, binding to a place, and values of before. No database."""

from __future__ import annotations

import base64
import json
from pathlib import Path
from typing import Any

import pytest
from cryptography.exceptions import InvalidTag

from hospital.common import crypto, keyring, objects
from hospital.common.errors import Unavailable
from hospital.people.models import Patient

# Written by this program before keys had numbers, with the tests' FIELD_KEY.
OLD_NAME = base64.b64decode("AQE6gBSNuFStZCGIYwTIGcFWJqzryXyEjJNuh9RC700GWk4S0Xf1")
OLD_OBJECT = base64.b64decode("AQHfaY8bp6gPGzJSMxtc482pYEw2FNkXZmqomOnF7hJrggiEA9TriSLJvg==")
OLD_OBJECT_SHA256 = "4417f282dc4fdc4dbb267150c7b4d13f9b1155e115aa02186f0a4a0f377076f8"
OLD_PHONE_INDEX = "2cc4a96bff93658e4e510867211bc47243385794406b43873d12c2cc2a66a56e"


@pytest.fixture(autouse=True)
def keys_file(tmp_path: Path, settings: Any) -> Path:
    path = tmp_path / "keys.json"
    settings.FIELD_KEYS_FILE = path
    return path


def field(name: str) -> Any:
    return Patient._meta.get_field(name)


@pytest.mark.django_db
def test_a_value_and_an_object_of_before_are_still_read() -> None:
    assert field("name").from_db_value(OLD_NAME, None, None) == "王小东"
    path = objects._root() / OLD_OBJECT_SHA256[:2] / OLD_OBJECT_SHA256
    path.parent.mkdir(parents=True)
    path.write_bytes(OLD_OBJECT)
    stored = f"{path.parent.name}/{path.name}"
    assert objects.read(stored) == b"an old object"
    assert objects.reencrypt(stored) is True
    assert path.read_bytes()[:4] == crypto.current_header()
    assert objects.reencrypt(stored) is False
    assert objects.read(stored) == b"an old object"


def test_an_index_of_before_is_still_found() -> None:
    assert crypto.blind_index("phone", "13900000001").hex() == OLD_PHONE_INDEX


@pytest.mark.parametrize("cipher", ["aes-256-gcm", "sm4-gcm"])
def test_both_ciphers_read_what_they_wrote_and_each_others_values(settings: Any, cipher: str) -> None:
    settings.FIELD_CIPHER = cipher
    blob = crypto.encrypt("㛃𬭎".encode(), bound_to="a.b")
    assert blob[1] == crypto.SUITES[cipher]
    settings.FIELD_CIPHER = "sm4-gcm" if cipher == "aes-256-gcm" else "aes-256-gcm"
    assert crypto.decrypt(blob, bound_to="a.b").decode() == "㛃𬭎"
    assert len({crypto.encrypt(b"same", bound_to="a.b") for _ in range(20)}) == 20


def test_sm4_gcm_gives_the_bytes_of_rfc_8998() -> None:
    sealed = crypto._seal(
        crypto.SUITES["sm4-gcm"],
        bytes.fromhex("0123456789ABCDEFFEDCBA9876543210"),
        bytes.fromhex("00001234567800000000ABCD"),
        bytes.fromhex("AA" * 8 + "BB" * 8 + "CC" * 8 + "DD" * 8 + "EE" * 8 + "FF" * 8 + "EE" * 8 + "AA" * 8),
        bytes.fromhex("FEEDFACEDEADBEEFFEEDFACEDEADBEEFABADDAD2"),
    )
    assert sealed.hex().startswith("17f399f08c67d5ee19d0dc9969c4bb7d5fd46fd3756489069157b282bb200735")
    assert sealed.hex().endswith("83de3541e4c2b58177e065a9bf7b62ec")


@pytest.mark.parametrize("cipher", ["aes-256-gcm", "sm4-gcm"])
def test_a_changed_byte_anywhere_is_noticed(settings: Any, cipher: str) -> None:
    settings.FIELD_CIPHER = cipher
    blob = crypto.encrypt(b"secret", bound_to="a.b")
    for position in range(len(blob)):
        changed = blob[:position] + bytes([blob[position] ^ 1]) + blob[position + 1 :]
        with pytest.raises((InvalidTag, ValueError)):
            crypto.decrypt(changed, bound_to="a.b")
    with pytest.raises((InvalidTag, ValueError)):
        crypto.decrypt(blob[:20], bound_to="a.b")


def test_a_value_moved_to_another_column_does_not_open() -> None:
    phone = field("phone").get_prep_value("13900000001")
    assert field("phone").from_db_value(phone, None, None) == "13900000001"
    with pytest.raises(InvalidTag):
        field("name").from_db_value(phone, None, None)


def test_an_object_under_another_name_is_damaged() -> None:
    one, _ = objects.put(b"one")
    two, _ = objects.put(b"two")
    (objects._root() / two).write_bytes((objects._root() / one).read_bytes())
    with pytest.raises(Unavailable):
        objects.read(two)


def test_a_new_key_is_used_at_once_and_the_old_one_still_reads(keys_file: Path) -> None:
    before = crypto.encrypt(b"before", bound_to="a.b")
    assert keyring.key_add() == 2
    after = crypto.encrypt(b"after", bound_to="a.b")
    assert (before[2:4], after[2:4]) == (b"\0\1", b"\0\2")
    assert crypto.decrypt(before, bound_to="a.b") == b"before"
    assert crypto.decrypt(after, bound_to="a.b") == b"after"
    assert oct(keys_file.stat().st_mode)[-3:] == "600"


def test_a_program_that_does_not_know_a_key_yet_reads_the_file_again(
    keys_file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    crypto.encrypt(b"x", bound_to="a.b")
    stale = keyring._read
    assert stale is not None
    keyring.key_add()
    value = crypto.encrypt(b"by another program", bound_to="a.b")
    monkeypatch.setattr(keyring, "_read", stale)  # as the other program still has it
    monkeypatch.setattr(keyring, "LOOK_EVERY_S", 1e9)
    assert keyring.ring().current == 1
    assert crypto.decrypt(value, bound_to="a.b") == b"by another program"
    assert keyring.ring().current == 2


def test_a_key_that_is_gone_is_named(keys_file: Path) -> None:
    keyring.key_add()
    value = crypto.encrypt(b"x", bound_to="a.b")
    keys_file.unlink()
    keyring.ring(look=True)
    with pytest.raises(keyring.KeyUnknown, match="key 2"):
        crypto.decrypt(value, bound_to="a.b")


def test_a_keys_file_without_its_current_key_is_refused(keys_file: Path) -> None:
    keys_file.write_text(json.dumps({"current": 7, "rotating": False, "keys": {}}))
    with pytest.raises(keyring.KeyUnknown, match="7"):
        keyring.ring(look=True)
    keys_file.write_text(json.dumps({"current": 2, "rotating": False, "keys": {"2": "c2hvcnQ="}}))
    with pytest.raises(ValueError, match="base64 of 32 bytes"):
        keyring.ring(look=True)


@pytest.mark.parametrize("fake", [b"", b"\x01", b"\x03\x01\0\1" + bytes(40), b"\x02\x09\0\1" + bytes(40)])
def test_what_is_no_value_of_ours_is_refused(fake: bytes) -> None:
    with pytest.raises(ValueError, match="unknown"):
        crypto.decrypt(fake, bound_to="a.b")
