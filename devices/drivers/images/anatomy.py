"""A synthetic abdomen as a volume: how strongly each place scatters, reflects and absorbs.

Shapes are ellipsoids and tubes placed by hand after a textbook's cross-sections; nobody's anatomy.
Coordinates: the base frame of ``devices.drivers.sim.world`` (x patient's left, y head, z up), mm.
"""

from __future__ import annotations

import itertools
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
import numpy.typing as npt

from devices.drivers.sim.world import TORSO_CENTRE_MM, TORSO_SEMI_AXES_MM

Grid = npt.NDArray[np.float32]
Point = tuple[float, float, float]

VOXEL_MM = 1.25
LOW_MM: Point = (-170.0, -190.0, -215.0)
HIGH_MM: Point = (170.0, 190.0, 15.0)
ECHO_FLOOR_DB = -80.0
ECHO_STEPS_PER_DB = 3.0
ABSORB_OFFSET_DB_MM = 0.4
ABSORB_STEPS = 40.0
"""Absorption is stored in 1/40 dB/mm above -0.4: fluids absorb less than the TGC expects."""
_SEED = 20261124


@dataclass(frozen=True, slots=True)
class Tissue:
    """``echo_db`` below the brightest echo; ``impedance`` 0-255 (only jumps matter);
    ``absorb_db_mm`` two-way, beyond what the TGC compensates."""

    echo_db: float
    impedance: int
    absorb_db_mm: float = 0.0


SKIN = Tissue(-14.0, 150, 0.05)
FAT = Tissue(-30.0, 118, 0.04)
MUSCLE = Tissue(-34.0, 142, 0.03)
FASCIA = Tissue(-17.0, 165, 0.02)
MESENTERY = Tissue(-24.0, 124, 0.05)
LIVER = Tissue(-28.0, 137)
SPLEEN = Tissue(-30.0, 137)
CORTEX = Tissue(-33.0, 139)
PYRAMID = Tissue(-43.0, 134)
SINUS = Tissue(-16.0, 150, 0.05)
PANCREAS = Tissue(-18.5, 132)
BLOOD = Tissue(-66.0, 130, -0.08)
BILE = Tissue(-74.0, 128, -0.14)
WALL = Tissue(-13.0, 158)
BONE = Tissue(-22.0, 255, 3.0)
DISC = Tissue(-34.0, 170, 0.3)
GAS = Tissue(-14.0, 20, 1.6)
LUNG = Tissue(-20.0, 40, 0.7)
DIAPHRAGM = Tissue(-5.0, 190, 0.15)
STOMACH = Tissue(-24.0, 135, 0.1)


@dataclass(frozen=True, slots=True)
class Volume:
    """``packed``: impedance << 16 | echo per voxel (uint32); ``absorb``: uint8; both C order [x, y, z]."""

    packed: npt.NDArray[np.uint32]
    absorb: npt.NDArray[np.uint8]
    low_mm: Point
    voxel_mm: float
    labels: npt.NDArray[np.uint8]
    """Index into ``names`` per voxel; 0 is nothing that has a name."""
    names: tuple[str, ...]


class _Canvas:
    """Blends tissues into the volume with edges one voxel soft, so that lookups show no stairs."""

    def __init__(self) -> None:
        self.axes = [
            np.arange(low, high, VOXEL_MM, dtype=np.float32)
            for low, high in zip(LOW_MM, HIGH_MM, strict=True)
        ]
        shape = tuple(len(axis) for axis in self.axes)
        self.echo = np.full(shape, MESENTERY.echo_db, dtype=np.float32)
        self.impedance = np.full(shape, MESENTERY.impedance, dtype=np.float32)
        self.absorb = np.full(shape, MESENTERY.absorb_db_mm, dtype=np.float32)
        self.skin = np.empty(shape, dtype=np.float32)
        self.labels = np.zeros(shape, dtype=np.uint8)
        self.names = [""]
        self.name = ""
        """What is painted next is called this."""
        y, z = self.axes[1][:, None], self.axes[2][None, :]
        for index, x in enumerate(self.axes[0]):
            self.skin[index] = _skin_depth(x, y, z)

    def box(self, low: Point, high: Point) -> tuple[tuple[slice, slice, slice], list[Grid]]:
        """Slices of a bounding box and its open coordinate grids."""
        cut = []
        for axis, start, end in zip(self.axes, low, high, strict=True):
            first = int(np.searchsorted(axis, start - 2 * VOXEL_MM))
            last = int(np.searchsorted(axis, end + 2 * VOXEL_MM))
            cut.append(slice(first, max(first + 1, last)))
        grids = np.ix_(*(axis[part] for axis, part in zip(self.axes, cut, strict=True)))
        return (cut[0], cut[1], cut[2]), list(grids)

    def paint(self, where: tuple[slice, slice, slice], distance: Grid, tissue: Tissue) -> None:
        """Blend ``tissue`` where the signed distance (mm, negative inside) says so."""
        cover = np.clip(0.5 - distance / (1.6 * VOXEL_MM), 0.0, 1.0)
        if self.name not in self.names:
            self.names.append(self.name)
        self.labels[where][cover > 0.5] = self.names.index(self.name)
        for field, value in (
            (self.echo, tissue.echo_db),
            (self.impedance, float(tissue.impedance)),
            (self.absorb, tissue.absorb_db_mm),
        ):
            part = field[where]
            part += cover * (np.float32(value) - part)

    def ellipsoid(
        self,
        centre: Point,
        axes: Point,
        tissue: Tissue,
        *,
        turn_deg: float = 0.0,
        inside_mm: float = 0.0,
    ) -> None:
        """An ellipsoid turned about y (``turn_deg``), kept at least ``inside_mm`` under the skin."""
        reach = (max(axes), axes[1], max(axes)) if turn_deg else axes
        where, grids = self.box(_shift(centre, reach, -1), _shift(centre, reach, 1))
        distance = ellipsoid_distance(grids, centre, axes, turn_deg=turn_deg)
        if inside_mm:
            distance = np.maximum(distance, inside_mm - self.skin[where])
        self.paint(where, distance, tissue)

    def tube(self, points: list[Point], radius: float, tissue: Tissue, wall_mm: float = 0.0) -> None:
        """A tube through ``points`` with an optional bright wall."""
        for start, end in itertools.pairwise(points):
            self._piece(start, end, radius + wall_mm, WALL if wall_mm else tissue)
        if wall_mm:
            for start, end in itertools.pairwise(points):
                self._piece(start, end, radius, tissue)

    def _piece(self, start: Point, end: Point, radius: float, tissue: Tissue) -> None:
        low = (min(start[0], end[0]), min(start[1], end[1]), min(start[2], end[2]))
        high = (max(start[0], end[0]), max(start[1], end[1]), max(start[2], end[2]))
        reach = (radius, radius, radius)
        where, grids = self.box(_shift(low, reach, -1), _shift(high, reach, 1))
        self.paint(where, segment_distance(grids, start, end) - np.float32(radius), tissue)


def _skin_depth(x: np.float32, y: Grid, z: Grid) -> Grid:
    """``skin_depth_mm`` for one slice, in float32."""
    centre, axes = TORSO_CENTRE_MM, TORSO_SEMI_AXES_MM
    return -ellipsoid_distance([np.full((1, 1), x, np.float32), y, z], centre, axes)


def ellipsoid_distance(grids: list[Grid], centre: Point, axes: Point, *, turn_deg: float = 0.0) -> Grid:
    """First-order signed distance (mm) to an ellipsoid on open grids."""
    x, y, z = (grid - np.float32(c) for grid, c in zip(grids, centre, strict=True))
    if turn_deg:
        cos, sin = (
            np.float32(np.cos(np.radians(turn_deg))),
            np.float32(np.sin(np.radians(turn_deg))),
        )
        x, z = cos * x + sin * z, cos * z - sin * x
    a, b, c = (np.float32(axis) for axis in axes)
    rho = np.sqrt((x / a) ** 2 + (y / b) ** 2 + (z / c) ** 2)
    slope = np.sqrt((x / a**2) ** 2 + (y / b**2) ** 2 + (z / c**2) ** 2)
    return np.asarray(rho * (rho - 1) / np.maximum(slope, np.float32(1e-6)), dtype=np.float32)


def segment_distance(grids: list[Grid], start: Point, end: Point) -> Grid:
    """Distance (mm) to a segment on open grids."""
    along = np.subtract(end, start).astype(np.float32)
    x, y, z = (grid - np.float32(s) for grid, s in zip(grids, start, strict=True))
    share = (x * along[0] + y * along[1] + z * along[2]) / np.float32(along @ along)
    share = np.clip(share, 0.0, 1.0)
    squares = (x - share * along[0]) ** 2 + (y - share * along[1]) ** 2 + (z - share * along[2]) ** 2
    return np.asarray(np.sqrt(squares), dtype=np.float32)


def _shift(point: Point, reach: Point, sign: int) -> Point:
    x, y, z = (p + sign * r for p, r in zip(point, reach, strict=True))
    return x, y, z


RIGHT_DOME = ((-74.0, 28.0, -84.0), (84.0, 86.0, 78.0))
LEFT_DOME = ((72.0, 22.0, -90.0), (78.0, 78.0, 80.0))
INSIDE_MM = 25.0
"""Skin, fat and muscle together over the belly."""


_LAYERS = (
    (24.0, FASCIA),
    (22.5, MUSCLE),
    (14.2, FASCIA),
    (13.0, FAT),
    (8.0, FASCIA),
    (7.0, FAT),
    (2.0, SKIN),
)
"""Each layer reaches from the one below up to this depth under the skin (mm)."""


def _wall(canvas: _Canvas) -> None:
    """All layers at once from a table by depth: the volume is large, so it is passed over once."""
    depth = np.arange(0.0, 30.0, 0.1, dtype=np.float32)
    cover, table = np.zeros_like(depth), np.zeros((3, len(depth)), dtype=np.float32)
    for bottom, tissue in _LAYERS:
        share = np.clip(0.5 - (depth - bottom) / (1.6 * VOXEL_MM), 0.0, 1.0)
        cover = np.maximum(cover, share)
        look = np.array([tissue.echo_db, tissue.impedance, tissue.absorb_db_mm], dtype=np.float32)
        table += np.where(table.any(axis=0), share, 1.0) * (look[:, None] - table)
    # Deeper than the lowest layer only its own look fades out; the table keeps it whole.
    for index in range(canvas.skin.shape[0]):
        place = np.clip(canvas.skin[index] * 10.0, 0, len(depth) - 1).astype(np.intp)
        share = cover[place]
        for field, values in zip((canvas.echo, canvas.impedance, canvas.absorb), table, strict=True):
            field[index] += share * (values[place] - field[index])


def _chest(canvas: _Canvas) -> None:
    for (centre, axes), side in ((RIGHT_DOME, -1.0), (LEFT_DOME, 1.0)):
        where, grids = canvas.box((-170.0, 45.0, -215.0), (170.0, 190.0, 15.0))
        beyond = ellipsoid_distance(grids, centre, axes)
        lung = np.maximum(np.float32(4.0) - beyond, np.float32(INSIDE_MM) - canvas.skin[where])
        canvas.name = "lung"
        lung = np.maximum(lung, np.float32(12.0) - np.float32(side) * grids[0])
        canvas.paint(where, lung, LUNG)
        shell = np.maximum(
            np.abs(beyond - np.float32(2.5)) - np.float32(1.0),
            np.float32(50.0) - grids[1],
        )
        shell = np.maximum(shell, np.float32(INSIDE_MM) - canvas.skin[where])
        shell = np.maximum(shell, np.float32(-6.0) - np.float32(side) * grids[0])
        canvas.name = "diaphragm"
        canvas.paint(where, shell, DIAPHRAGM)


def _ribs(canvas: _Canvas) -> None:
    canvas.name = "rib"
    where, (x, y, z) = canvas.box((-170.0, -70.0, -215.0), (170.0, 190.0, 15.0))
    depth = canvas.skin[where]
    width = np.abs(x)
    arch = np.float32(118.0) - np.float32(0.72) * y - width
    """Positive in front of the costal arch: no ribs there."""
    for height in (170.0, 145.0, 120.0, 95.0, 70.0, 45.0):
        level = np.float32(height) - np.float32(0.35) * width - np.float32(0.25) * (np.float32(0.0) - z)
        distance = np.sqrt((depth - np.float32(18.0)) ** 2 + ((y - level) / np.float32(1.4)) ** 2)
        canvas.paint(where, np.maximum(distance - np.float32(4.5), arch), BONE)


def _back(canvas: _Canvas) -> None:
    canvas.name = "spine"
    canvas.tube([(0.0, -190.0, -140.0), (0.0, 190.0, -140.0)], 21.0, BONE)
    for y in range(-180, 190, 38):
        canvas.ellipsoid((0.0, float(y), -140.0), (22.0, 5.0, 22.0), DISC)
    canvas.tube([(0.0, -190.0, -185.0), (0.0, 190.0, -185.0)], 8.0, BONE)
    canvas.name = "muscle"
    for side in (-1.0, 1.0):
        canvas.tube([(side * 38.0, -190.0, -142.0), (side * 30.0, 10.0, -142.0)], 17.0, MUSCLE)
        canvas.tube([(side * 45.0, -190.0, -185.0), (side * 45.0, 150.0, -185.0)], 22.0, MUSCLE)


def _kidney(canvas: _Canvas, side: float, centre: Point) -> None:
    turn = side * 20.0
    canvas.name = ""
    canvas.ellipsoid(centre, (33.0, 60.0, 30.0), FAT, turn_deg=turn)
    canvas.name = "right_kidney" if side < 0 else "left_kidney"
    canvas.ellipsoid(centre, (28.5, 54.5, 25.5), FASCIA, turn_deg=turn)
    canvas.ellipsoid(centre, (27.5, 53.5, 24.5), CORTEX, turn_deg=turn)
    for step in range(10):
        angle = 2 * np.pi * (step + 0.5) / 10
        spot = (
            centre[0] + 0.2 * side,
            centre[1] + 33.0 * float(np.cos(angle)),
            centre[2] + 14.0 * float(np.sin(angle)),
        )
        canvas.ellipsoid(spot, (8.0, 7.0, 6.0), PYRAMID)
    canvas.ellipsoid(centre, (13.0, 31.0, 10.0), SINUS, turn_deg=turn)
    canvas.tube([centre, (centre[0] - side * 26.0, centre[1], centre[2] + 4.0)], 7.0, SINUS)


def _liver(canvas: _Canvas) -> None:
    canvas.name = "liver"
    canvas.ellipsoid((-74.0, 28.0, -84.0), (82.0, 84.0, 76.0), LIVER, inside_mm=INSIDE_MM)
    canvas.ellipsoid((0.0, 42.0, -48.0), (72.0, 46.0, 30.0), LIVER, inside_mm=INSIDE_MM)
    canvas.name = "portal_vein"
    portal: list[list[Point]] = [
        [(-2.0, -12.0, -84.0), (-30.0, 8.0, -80.0), (-62.0, 24.0, -76.0)],
        [(-62.0, 24.0, -76.0), (-98.0, 16.0, -70.0), (-118.0, 8.0, -74.0)],
        [(-62.0, 24.0, -76.0), (-88.0, 48.0, -84.0)],
        [(-30.0, 8.0, -80.0), (-18.0, 38.0, -58.0), (6.0, 46.0, -48.0)],
    ]
    for branch, radius in zip(portal, (5.5, 3.6, 3.2, 3.4), strict=True):
        canvas.tube(branch, radius, BLOOD, wall_mm=1.3)
    canvas.name = "hepatic_vein"
    veins: list[list[Point]] = [
        [(-20.0, 78.0, -100.0), (-62.0, 58.0, -78.0), (-104.0, 32.0, -52.0)],
        [(-20.0, 78.0, -100.0), (-48.0, 56.0, -62.0), (-66.0, 24.0, -40.0)],
        [(-20.0, 78.0, -98.0), (-6.0, 58.0, -66.0), (12.0, 40.0, -40.0)],
        [(-62.0, 58.0, -78.0), (-96.0, 44.0, -100.0)],
    ]
    for branch, radius in zip(veins, (4.2, 3.6, 3.2, 3.0), strict=True):
        canvas.tube(branch, radius, BLOOD)


def _gallbladder(canvas: _Canvas) -> None:
    canvas.name = "gallbladder"
    for scale, tissue in ((1.12, WALL), (1.0, BILE)):
        canvas.ellipsoid((-22.0, -30.0, -44.0), (13.0 * scale, 21.0 * scale, 13.0 * scale), tissue)
        canvas.ellipsoid((-28.0, -13.0, -52.0), (8.0 * scale, 15.0 * scale, 8.5 * scale), tissue)


def _spleen(canvas: _Canvas) -> None:
    canvas.name = "spleen"
    for grow_mm, tissue in ((1.2, FASCIA), (0.0, SPLEEN)):
        axes = (29.0 + grow_mm, 50.0 + grow_mm, 38.0 + grow_mm)
        canvas.ellipsoid((94.0, 32.0, -116.0), axes, tissue, inside_mm=INSIDE_MM)
    canvas.name = "splenic_vein"
    for branch in ((84.0, 44.0, -108.0), (88.0, 28.0, -118.0), (84.0, 12.0, -112.0)):
        canvas.tube([(60.0, 22.0, -106.0), branch], 2.4, BLOOD, wall_mm=0.8)


def _vessels(canvas: _Canvas) -> None:
    cava: list[Point] = [
        (-18.0, -190.0, -104.0),
        (-18.0, 20.0, -103.0),
        (-20.0, 110.0, -100.0),
    ]
    aorta: list[Point] = [
        (12.0, -120.0, -104.0),
        (12.0, 20.0, -108.0),
        (8.0, 150.0, -116.0),
    ]
    canvas.name = "vena_cava"
    canvas.tube(cava, 9.5, BLOOD, wall_mm=0.9)
    canvas.name = "aorta"
    canvas.tube(aorta, 8.8, BLOOD, wall_mm=1.6)
    canvas.name = "mesenteric_artery"
    canvas.tube(
        [(12.0, -2.0, -98.0), (10.0, -12.0, -86.0), (8.0, -90.0, -80.0)],
        3.2,
        BLOOD,
        wall_mm=1.2,
    )
    canvas.tube([(12.0, 16.0, -98.0), (12.0, 18.0, -86.0)], 3.2, BLOOD, wall_mm=1.2)


def _bowel(canvas: _Canvas, random: np.random.Generator) -> None:
    for _ in range(34):
        canvas.name = "bowel"
        x, y = float(random.uniform(-110, 110)), float(random.uniform(-175, -50))
        z = float(random.uniform(-95, -38))
        if x < 0 and y > -95:
            continue  # the gallbladder's and kidney's window stays free of gas
        radius = float(random.uniform(10, 17))
        canvas.ellipsoid(
            (x, y, z),
            (radius, radius * 1.5, radius * 0.9),
            STOMACH,
            inside_mm=INSIDE_MM,
        )
        if random.random() < 0.45:
            canvas.name = "gas"
            top = (x, y, z + radius * 0.35)
            canvas.ellipsoid(
                top,
                (radius * 0.55, radius * 0.8, radius * 0.35),
                GAS,
                inside_mm=INSIDE_MM,
            )


def _texture(shape: tuple[int, ...], random: np.random.Generator) -> Grid:
    """Slow brightness changes of +-1 or so dB, so that no organ is painted flat."""
    coarse = random.standard_normal([size // 10 + 3 for size in shape]).astype(np.float32)
    for axis, size in enumerate(shape):
        place = np.arange(size, dtype=np.float32) / 10.0
        low = place.astype(np.intp)
        share = (place - low).reshape([-1 if i == axis else 1 for i in range(3)])
        first = np.take(coarse, low, axis=axis)
        coarse = first + share * (np.take(coarse, low + 1, axis=axis) - first)
    return coarse


@lru_cache(maxsize=1)
def abdomen() -> Volume:
    """Build the volume (some seconds, about 60 MB); the same every time."""
    random = np.random.default_rng(_SEED)
    canvas = _Canvas()
    texture = _texture(canvas.echo.shape, random)
    canvas.echo += 2.5 * texture
    _back(canvas)
    _bowel(canvas, random)
    canvas.name = "stomach"
    canvas.ellipsoid((45.0, 12.0, -58.0), (42.0, 34.0, 26.0), STOMACH, inside_mm=INSIDE_MM)
    canvas.name = "gas"
    canvas.ellipsoid((52.0, 8.0, -48.0), (24.0, 20.0, 10.0), GAS, inside_mm=INSIDE_MM)
    canvas.name = "pancreas"
    canvas.tube([(-16.0, -12.0, -74.0), (6.0, -4.0, -70.0), (40.0, 6.0, -84.0)], 9.0, PANCREAS)
    canvas.name = "splenic_vein"
    canvas.tube([(-4.0, -13.0, -84.0), (10.0, -8.0, -83.0), (44.0, 4.0, -95.0)], 3.6, BLOOD, wall_mm=0.9)
    canvas.name = "spleen"
    _spleen(canvas)
    _liver(canvas)
    _kidney(canvas, -1.0, (-78.0, -52.0, -120.0))
    _kidney(canvas, 1.0, (74.0, -44.0, -126.0))
    _gallbladder(canvas)
    _vessels(canvas)
    _chest(canvas)
    _wall(canvas)
    _ribs(canvas)
    canvas.name = "bladder"
    canvas.ellipsoid((0.0, -165.0, -62.0), (36.0, 26.0, 26.0), WALL)
    canvas.ellipsoid((0.0, -165.0, -62.0), (33.0, 23.0, 23.0), BILE)
    canvas.echo += 0.8 * texture[::-1]
    echo = np.clip((canvas.echo - ECHO_FLOOR_DB) * ECHO_STEPS_PER_DB, 0, 255).astype(np.uint32)
    packed = echo | (np.clip(canvas.impedance, 0, 255).astype(np.uint32) << np.uint32(16))
    absorb = np.clip((canvas.absorb + ABSORB_OFFSET_DB_MM) * ABSORB_STEPS, 0, 255).astype(np.uint8)
    return Volume(packed, absorb, LOW_MM, VOXEL_MM, canvas.labels, tuple(canvas.names))
