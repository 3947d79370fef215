"""Datagrams between the simulated arm's driver and its controller box (Unix datagram socket ``arm.sock``).

Little-endian. Request: header, then what the operation needs. The box answers HELLO and every other
request except SERVO and STATE with an ack; it streams a state to the newest client every 2 ms.
"""

from __future__ import annotations

import enum
import struct

REQUEST_MAGIC, STATE_MAGIC, ACK_MAGIC = 0xA7, 0xA8, 0xA9
HEADER = struct.Struct("<BBHI")
"""magic, operation, 0, sequence"""
SERVO = struct.Struct("<6fff")
"""twist in the probe frame (mm/s, deg/s), force set-point N (NaN: none), dt s"""
NUMBER = struct.Struct("<d")
STATE = struct.Struct("<BBHIQ7d3d4d6dd")
"""magic, flags, 0, sequence, t_us, joints rad, tip mm, quaternion, twist, force N"""
ACK = struct.Struct("<BBBBI")
"""magic, operation, ok, 0, sequence; then the code as UTF-8"""


class Op(enum.IntEnum):
    """What a client may ask."""

    HELLO = 1
    ENABLE = 2
    SERVO = 3
    STOP = 4
    LIFT = 5
    HAND_GUIDE = 6
    PLACE = 7
    FAULT = 8
    TOLD = 9
    """A prompt was said to the patient; body: its key."""


class StateFlag(enum.IntFlag):
    """Flags of a state datagram."""

    CONTACT = 1
    MOVING = 2
    WATCHDOG_TRIPPED = 4
    ENABLED = 8
    PATIENT_BUTTON = 16
    BUSY = 32
    """The controller carries out a lift or a placement itself."""
