"""The three binary messages and their enumerations. All little-endian, packed, no padding."""

from __future__ import annotations

import zlib
from dataclasses import dataclass
from enum import IntEnum, IntFlag

VERSION = 1
TYPE_COMMAND = 1
TYPE_TELEMETRY = 2
TYPE_ESTOP = 3
COMMAND_SIZE = 64
TELEMETRY_SIZE = 128
ESTOP_SIZE = 16

# The canonical text: change one character and every peer refuses the other's messages.
LAYOUT = (
    "command/1:u8 ver,u8 type,u16 flags,u32 lease_epoch,u32 seq,u32 tel_seq_seen,u64 t_client_us,"
    "f32 vx,f32 vy,f32 vz,f32 wx,f32 wy,f32 wz,f32 force_setpoint_n,u32 frame_id_seen,u16 mode,"
    "u16 ttl_ms,u32 schema_hash;"
    "telemetry/1:u8 ver,u8 type,u16 flags,u32 lease_epoch,u32 tel_seq,u32 last_seq,u32 applied_seq,"
    "u64 t_edge_us,u64 echo_t_client_us,u32 echo_hold_us,u8 safety_state,u8 stop_cause,u16 limit_bits,"
    "f32[3] position_mm,f32[4] quaternion,i16[7] joints_1e-4rad,f32 force_n,f32 force_set_n,"
    "f32 force_cap_n,i16[6] done_1e-2,u32 frame_id,u8 last_refusal,u8 peers,u16 refused_n,"
    "u16 command_age_ms,u32 event_serial,u32 schema_hash;"
    "estop/1:u8 ver,u8 type,u16 flags,u32 seq,u64 t_client_us"
)
SCHEMA_HASH = zlib.crc32(LAYOUT.encode("ascii"))
AGE_UNKNOWN_MS = 65535


class CommandFlag(IntFlag):
    """Bits of Command.flags."""

    DEADMAN = 1
    FORCE_CONTROL = 2


class Mode(IntFlag):
    """Bits of Command.mode. In contact the edge always uses the probe frame."""

    PATIENT_FRAME = 1


class EstopFlag(IntFlag):
    """Bits of Estop.flags."""

    STOP = 1
    PRESENCE = 2


class TelemetryFlag(IntFlag):
    """Bits of Telemetry.flags."""

    CONTACT = 1
    FROZEN = 2
    LATCHED = 4
    GENTLE = 8
    GO_VALID = 16
    LEASE_LIVE = 32
    BEDSIDE_PRESENT = 64
    NEEDS_RELEASE = 128
    HAND_GUIDE = 256
    UPLOAD_PENDING = 512
    REPOSITION = 1024


class PeerBit(IntFlag):
    """Bits of Telemetry.peers."""

    CONSOLE = 1
    BEDSIDE = 2


class SafetyState(IntEnum):
    """What the arm is allowed to do now."""

    IDLE = 0
    HOLD = 1
    PARK = 2
    MOVING = 3
    RAMP = 4
    RETRACT = 5
    STOPPED = 6
    LIFT = 7
    HAND_GUIDE = 8
    FAULT = 9
    SELF_TEST = 10
    PLACE = 11


class StopCause(IntEnum):
    """Why it stopped: the newest cause."""

    NONE = 0
    SILENCE = 1
    ESTOP_CONSOLE = 2
    ESTOP_BEDSIDE = 3
    ESTOP_PATIENT = 4
    FORCE_HARD = 5
    COLLISION = 6
    LEASE_LOST = 7
    LINK_LOST = 8
    DRIVER_FAULT = 9
    STALE_VIDEO = 10
    BEDSIDE_ABSENT = 11
    TAKEOVER = 12
    WORKSPACE = 13
    SILENCE_RETRACT = 14
    LEASE_SUSPENDED = 15


class LimitBit(IntFlag):
    """Which limits changed what was asked into what was done."""

    SPEED = 1
    ANGULAR = 2
    FORCE_SET = 4
    FORCE_CAP = 8
    SLEW = 16
    WORKSPACE = 32
    LOOP_DELAY_SPEED = 64
    TILT_FORCE = 128
    NO_GO = 256


class Refusal(IntEnum):
    """Why a command was counted and not applied, in the order of the gates."""

    NONE = 0
    SIZE = 1
    SCHEMA = 2
    EPOCH = 3
    SEQ = 4
    NOT_FINITE = 5
    AGE = 6
    NEEDS_RELEASE = 7
    FROZEN = 8
    NOT_LIVE = 9
    STALE_VIDEO = 10
    STATE = 11


Vector3 = tuple[float, float, float]
Quaternion = tuple[float, float, float, float]
Twist6 = tuple[float, float, float, float, float, float]
Joints7 = tuple[float, float, float, float, float, float, float]


@dataclass(frozen=True, slots=True)
class Command:
    """What the operator asks: velocities (mm/s, deg/s) and a contact-force set-point (N).

    Never a depth: in contact the edge closes the force loop itself.
    """

    lease_epoch: int
    seq: int
    t_client_us: int
    flags: int = 0
    tel_seq_seen: int = 0
    vx: float = 0.0
    vy: float = 0.0
    vz: float = 0.0
    wx: float = 0.0
    wy: float = 0.0
    wz: float = 0.0
    force_setpoint_n: float = 0.0
    frame_id_seen: int = 0
    mode: int = 0
    ttl_ms: int = 150
    schema_hash: int = SCHEMA_HASH

    @property
    def deadman(self) -> bool:
        """Whether the operator holds the deadman."""
        return bool(self.flags & CommandFlag.DEADMAN)

    @property
    def force_control(self) -> bool:
        """Whether contact force along the beam is wanted."""
        return bool(self.flags & CommandFlag.FORCE_CONTROL)

    @property
    def twist(self) -> Twist6:
        """(vx, vy, vz, wx, wy, wz) in mm/s and deg/s."""
        return (self.vx, self.vy, self.vz, self.wx, self.wy, self.wz)


@dataclass(frozen=True, slots=True)
class Telemetry:
    """What the robot does and why. Times in microseconds of the edge's monotonic clock."""

    tel_seq: int
    t_edge_us: int
    flags: int = 0
    lease_epoch: int = 0
    last_seq: int = 0
    applied_seq: int = 0
    echo_t_client_us: int = 0
    echo_hold_us: int = 0
    safety_state: SafetyState = SafetyState.IDLE
    stop_cause: StopCause = StopCause.NONE
    limit_bits: int = 0
    position_mm: Vector3 = (0.0, 0.0, 0.0)
    quaternion: Quaternion = (1.0, 0.0, 0.0, 0.0)
    joints_rad: Joints7 = (0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0)
    force_n: float = 0.0
    force_set_n: float = 0.0
    force_cap_n: float = 0.0
    done: Twist6 = (0.0, 0.0, 0.0, 0.0, 0.0, 0.0)
    frame_id: int = 0
    last_refusal: Refusal = Refusal.NONE
    peers: int = 0
    refused_n: int = 0
    command_age_ms: int = AGE_UNKNOWN_MS
    event_serial: int = 0
    schema_hash: int = SCHEMA_HASH

    def has(self, flag: TelemetryFlag) -> bool:
        """Whether a flag bit is set."""
        return bool(self.flags & flag)


@dataclass(frozen=True, slots=True)
class Estop:
    """Stop request or presence of the bedside."""

    seq: int
    t_client_us: int
    flags: int = 0
