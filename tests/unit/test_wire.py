"""The wire: what is packed is read back, what is damaged is refused with its code."""

from __future__ import annotations

import json
import math
import struct
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from devices.wire import codec, vectors
from devices.wire.channels import BY_ROLE, CMD
from devices.wire.codec import WireError
from devices.wire.messages import (
    COMMAND_SIZE,
    ESTOP_SIZE,
    SCHEMA_HASH,
    TELEMETRY_SIZE,
    Command,
    Estop,
    Refusal,
    SafetyState,
    StopCause,
    Telemetry,
)

VECTORS = Path(__file__).parents[1] / "data" / "wire_vectors.json"
u16, u32, u64 = st.integers(0, 2**16 - 1), st.integers(0, 2**32 - 1), st.integers(0, 2**64 - 1)
f32 = st.floats(width=32, allow_nan=False)
finite32 = st.floats(width=32, allow_nan=False, allow_infinity=False)

commands = st.builds(
    Command, lease_epoch=u32, seq=u32, t_client_us=u64, flags=u16, tel_seq_seen=u32,
    vx=f32, vy=f32, vz=f32, wx=f32, wy=f32, wz=f32, force_setpoint_n=f32,
    frame_id_seen=u32, mode=u16, ttl_ms=u16,
)  # fmt: skip
joint = st.integers(-32768, 32767).map(lambda i: i * codec.JOINT_UNIT_RAD)
speed = st.integers(-32768, 32767).map(lambda i: i * codec.DONE_UNIT)
telemetry = st.builds(
    Telemetry, tel_seq=u32, t_edge_us=u64, flags=u16, lease_epoch=u32, last_seq=u32, applied_seq=u32,
    echo_t_client_us=u64, echo_hold_us=u32, safety_state=st.sampled_from(SafetyState),
    stop_cause=st.sampled_from(StopCause), limit_bits=u16, position_mm=st.tuples(f32, f32, f32),
    quaternion=st.tuples(f32, f32, f32, f32), joints_rad=st.tuples(*[joint] * 7),
    force_n=f32, force_set_n=f32, force_cap_n=f32, done=st.tuples(*[speed] * 6), frame_id=u32,
    last_refusal=st.sampled_from(Refusal), peers=st.integers(0, 255), refused_n=u16,
    command_age_ms=u16, event_serial=u32,
)  # fmt: skip


@given(commands)
def test_every_command_is_read_back_as_it_was_packed(command: Command) -> None:
    data = codec.pack_command(command)
    assert len(data) == COMMAND_SIZE == 64
    assert codec.unpack_command(data) == command


@given(telemetry)
def test_every_telemetry_is_read_back_as_it_was_packed(message: Telemetry) -> None:
    data = codec.pack_telemetry(message)
    assert len(data) == TELEMETRY_SIZE == 128
    assert codec.unpack_telemetry(data) == message


@given(st.builds(Estop, seq=u32, t_client_us=u64, flags=u16))
def test_every_estop_is_read_back_as_it_was_packed(message: Estop) -> None:
    data = codec.pack_estop(message)
    assert len(data) == ESTOP_SIZE == 16
    assert codec.unpack_estop(data) == message


@given(st.binary(max_size=200))
def test_random_bytes_are_refused_or_are_a_message_and_never_anything_else(data: bytes) -> None:
    for unpack in (codec.unpack_command, codec.unpack_telemetry, codec.unpack_estop):
        code = refusal_of(unpack, data)
        assert code in (Refusal.NONE, Refusal.SIZE, Refusal.SCHEMA)
        assert code is not Refusal.NONE or data[0] == 1


def refusal_of(unpack: Callable[[bytes], object], data: bytes) -> Refusal:
    try:
        unpack(data)
    except WireError as error:
        return error.code
    return Refusal.NONE


@given(commands, st.integers(0, 63), st.integers(1, 255))
def test_a_changed_header_or_schema_byte_is_always_refused(command: Command, at: int, xor: int) -> None:
    data = bytearray(codec.pack_command(command))
    data[at] ^= xor
    if at < 2 or at >= 60:
        with pytest.raises(WireError) as refused:
            codec.unpack_command(bytes(data))
        assert refused.value.code is Refusal.SCHEMA
    else:
        codec.unpack_command(bytes(data))


def test_a_field_that_does_not_fit_is_refused_before_it_is_sent() -> None:
    with pytest.raises(WireError):
        codec.pack_command(Command(lease_epoch=2**32, seq=0, t_client_us=0))


def test_telemetry_with_a_number_that_is_none_is_refused() -> None:
    with pytest.raises(WireError) as refused:
        codec.pack_telemetry(Telemetry(tel_seq=1, t_edge_us=1, joints_rad=(math.nan,) * 7))
    assert refused.value.code is Refusal.NOT_FINITE


@given(finite32)
def test_joints_beyond_their_range_are_clamped_not_wrapped(angle: float) -> None:
    data = codec.pack_telemetry(Telemetry(tel_seq=1, t_edge_us=1, joints_rad=(angle,) * 7))
    found = codec.unpack_telemetry(data).joints_rad[0]
    assert found == pytest.approx(max(-3.2768, min(3.2767, angle)), abs=6e-5)


def test_the_vectors_file_is_what_the_generator_writes() -> None:
    assert VECTORS.read_text() == vectors.text()


def test_the_vectors_are_read_as_their_fields() -> None:
    document = json.loads(VECTORS.read_text())
    assert document["schema_hash"] == SCHEMA_HASH
    for row in document["commands"]:
        found = codec.unpack_command(bytes.fromhex(row["hex"]))
        assert found.vx == row["fields"]["vx"] and str(found.t_client_us) == row["fields"]["t_client_us"]
    kinds = {
        "command": codec.unpack_command,
        "telemetry": codec.unpack_telemetry,
        "estop": codec.unpack_estop,
    }
    for row in document["bad"]:
        with pytest.raises(WireError) as refused:
            kinds[row["kind"]](bytes.fromhex(row["hex"]))
        assert refused.value.code.name.lower() == row["code"]


def test_fields_lie_where_the_contract_says() -> None:
    data = codec.pack_command(
        Command(lease_epoch=7, seq=9, t_client_us=11, vx=1.5, force_setpoint_n=5.0, ttl_ms=250)
    )
    assert struct.unpack_from("<II", data, 4) == (7, 9)
    assert struct.unpack_from("<Q", data, 16) == (11,)
    assert struct.unpack_from("<f", data, 24) == (1.5,)
    assert struct.unpack_from("<f", data, 48) == (5.0,)
    assert struct.unpack_from("<HI", data, 58) == (250, SCHEMA_HASH)


def test_only_the_console_has_a_channel_to_steer_with() -> None:
    assert CMD in BY_ROLE["console"] and CMD not in BY_ROLE["bedside"]
    assert CMD.max_retransmits == 0 and not CMD.ordered
