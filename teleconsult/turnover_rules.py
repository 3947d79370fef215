"""Turnover: what must be done between two exams on one robot, in one room, with one probe. Plain functions.

Design values: the items follow from what touches the patient. Means are what the probes' makers commonly permit for
intact skin; which of them a house buys is its own decision.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum


class Of(StrEnum):
    """What carries something from one patient to the next, and is asked about when it is used again."""

    PROBE = "probe"
    ROBOT = "robot"
    ROOM = "room"


@dataclass(frozen=True)
class Item:
    """One line of the checklist; `with_means` asks with what it was done."""

    code: str
    of: Of
    name: str
    name_en: str
    with_means: bool = False


ITEMS = (
    Item("probe_disinfected", Of.PROBE, "探头已消毒", "Probe disinfected", with_means=True),
    Item("arm_wiped", Of.ROBOT, "机械臂已擦拭", "Arm wiped down"),
    Item("arm_parked", Of.ROBOT, "机械臂已归位", "Arm parked"),
    Item("gel_refilled", Of.ROBOT, "耦合剂已补充", "Gel refilled"),
    Item("paper_changed", Of.ROOM, "床单纸已更换", "Couch paper changed"),
)
MEANS: dict[str, tuple[str, str]] = {
    "quat_wipe": ("季铵盐湿巾", "Quaternary ammonium wipe"),
    "peroxide_wipe": ("过氧化氢湿巾", "Hydrogen peroxide wipe"),
    "alcohol_wipe": ("含醇湿巾", "Alcohol wipe"),
}
CODES = tuple(item.code for item in ITEMS)
BY_CODE = {item.code: item for item in ITEMS}


def items_of(robot: bool, room: bool, probe: bool) -> tuple[Item, ...]:
    """What an earlier exam still owes to the next one that shares these with it. A robot carries its probe along."""
    shared = {Of.PROBE: robot or probe, Of.ROBOT: robot, Of.ROOM: room}
    return tuple(item for item in ITEMS if shared[item.of])


def open_of(items: Iterable[Item], done: Iterable[str]) -> tuple[Item, ...]:
    """The items nobody has signed, in the order of the list."""
    signed = frozenset(done)
    return tuple(item for item in items if item.code not in signed)


def means_fit(item: Item, means: str) -> bool:
    """A known means where one is asked for, none elsewhere."""
    return means in MEANS if item.with_means else means == ""
