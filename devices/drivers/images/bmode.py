"""A convex B-mode picture of a volume, seen from a pose.

Per sample of a polar grid (lines x depths): tissue by trilinear lookup, speckle as complex scatterers
fixed to the tissue and blurred by the beam's point spread, specular echo where the impedance jumps
across the beam, absorption summed along the line (shadow, enhancement), the receiver's noise raised by
the TGC; then log compression and one lookup per pixel. Numbers without a source are design values.
"""

from __future__ import annotations

import math

import numpy as np
import numpy.typing as npt

from devices.drivers.images.anatomy import (
    ABSORB_OFFSET_DB_MM,
    ABSORB_STEPS,
    ECHO_FLOOR_DB,
    ECHO_STEPS_PER_DB,
    Volume,
)
from devices.drivers.images.geometry import Geometry
from devices.drivers.images.presets import Look
from devices.drivers.sim.reader import ProbePose
from devices.drivers.sim.world import (
    PROBE_RADIUS_MM,
    WIRE_HALF_LENGTH_MM,
    rotation_of,
    skin_depth_mm,
    wires,
)

Polar = npt.NDArray[np.float32]

SCATTERER_MM = 0.42
_SCATTERERS = 128
_SCATTER_UNIT = 56.0
_SCATTER_ZERO = 126.6
"""128 less what three cuts to whole numbers take away on average."""
_GAIN_ZERO_DB = -5.0
_SPECULAR = 0.012
_WIRE = 1.6
_NOISE_DB = -63.0
_NOISE_TGC_DB_MM = 0.075
_COMPRESSION_REACH_MM = 30.0
_GEL_PRESSED_MM, _GEL_FREE_MM, _GEL_FADE_MM = 8.0, 1.5, 2.5
_LATERAL = np.array([0.12, 0.23, 0.30, 0.23, 0.12], dtype=np.float32)
_AXIAL = np.array([0.27, 0.46, 0.27], dtype=np.float32)
_LANES = np.uint32(0x00FF00FF)


def _askew() -> npt.NDArray[np.float32]:
    """Millimetres to scatterers, turned: the block's repetition never lies along a usual picture plane."""
    turn = rotation_of((0.8253, 0.2917, 0.3811, 0.2999))
    turn, _ = np.linalg.qr(turn)
    return (turn / SCATTERER_MM).astype(np.float32)


_ASKEW = _askew()


class Renderer:
    """Renders one volume through one geometry; ``render`` allocates nothing that grows."""

    def __init__(self, volume: Volume, geometry: Geometry) -> None:
        self._volume = volume
        self._packed = volume.packed.reshape(-1)
        self._absorb = volume.absorb.reshape(-1)
        shape = volume.packed.shape
        self._shape = shape
        self._corners = [
            np.intp(dx * shape[1] * shape[2] + dy * shape[2] + dz) for dx, dy, dz in np.ndindex(2, 2, 2)
        ]
        self._scatterers = _scatter()
        random = np.random.default_rng(11)
        self._noise = random.rayleigh(1.0, (4, geometry.lines + 64, geometry.samples)).astype(np.float32)
        self._echo_amplitude = (10.0 ** ((np.arange(256) / ECHO_STEPS_PER_DB + ECHO_FLOOR_DB) / 20.0)).astype(
            np.float32
        )
        self._absorb_db = (np.arange(256) / ABSORB_STEPS - ABSORB_OFFSET_DB_MM).astype(np.float32)
        self._wires = wires()
        self._count = 0
        self.use(geometry)

    def use(self, geometry: Geometry) -> None:
        """Change the depth: everything that depends on the grid is computed here, once."""
        self.geometry = geometry
        angle = geometry.angles[:, None]
        reach = PROBE_RADIUS_MM + geometry.depths[None, :]
        # Line 0 is the picture's left: the marker side, +x of the probe.
        self._x = (reach * -np.sin(angle)).astype(np.float32)
        self._z = (reach * np.cos(angle) - PROBE_RADIUS_MM).astype(np.float32)
        depth = geometry.depths.astype(np.float32)
        self._squeeze = np.exp(-depth / _COMPRESSION_REACH_MM).astype(np.float32)
        self._noise_level = (10.0 ** ((_NOISE_DB + _NOISE_TGC_DB_MM * depth) / 20.0)).astype(np.float32)
        self._ringdown = (0.5 * np.exp(-depth / 1.1)).astype(np.float32)
        rings = np.maximum(0.0, np.cos(2 * np.pi * depth / 4.2)) ** 24 * np.exp(-depth / 7.0)
        self._air = (0.35 * np.exp(-depth / 1.1) + 0.25 * rings).astype(np.float32)
        step = geometry.depths[1] - geometry.depths[0]
        across = reach[0] * (geometry.angles[0] - geometry.angles[1])
        self._lateral_share = np.abs(step / across).astype(np.float32)
        self._step_mm = np.float32(step)
        face = np.stack(
            [self._x[:, 0], np.zeros(geometry.lines, np.float32), self._z[:, 0]],
            axis=-1,
        )
        self._face = face.astype(np.float64)

    def render(self, pose: ProbePose | None, look: Look) -> npt.NDArray[np.uint8]:
        """The picture (height, width) uint8 as the probe at ``pose`` sees it; None is a probe in air."""
        self._count += 1
        envelope = self._envelope(pose)
        decibel = np.log(envelope)
        scale = 255.0 / look.dynamic_range_db
        decibel *= np.float32(20.0 / math.log(10.0) * scale)
        decibel += np.float32(255.0 + (look.gain_db + _GAIN_ZERO_DB) * scale)
        np.clip(decibel, 0.0, 255.0, out=decibel)
        return self.geometry.convert(decibel.astype(np.uint8))

    def _envelope(self, pose: ProbePose | None) -> Polar:
        noise = self._noise[self._count & 3, (self._count * 23) % 64 :][: self.geometry.lines]
        envelope = noise * self._noise_level
        if pose is None:
            return np.asarray(envelope + self._air, dtype=np.float32)
        coupling = self._coupling(pose)[:, None]
        if coupling.any():
            envelope += self._echoes(pose) * coupling
        envelope += coupling * self._ringdown + (1 - coupling) * self._air
        return np.asarray(envelope, dtype=np.float32)

    def _coupling(self, pose: ProbePose) -> Polar:
        """Per line 1 where gel joins probe and skin, 0 where there is air."""
        points = np.array(pose.position_mm) + self._face @ rotation_of(pose.quaternion).T
        points[:, 2] -= pose.heave_mm
        gap = -skin_depth_mm(points)
        gel = _GEL_PRESSED_MM if pose.contact else _GEL_FREE_MM
        share = np.clip((gel + _GEL_FADE_MM - gap) / _GEL_FADE_MM, 0.0, 1.0)
        return np.asarray(share * share * (3 - 2 * share), dtype=np.float32)

    def _echoes(self, pose: ProbePose) -> Polar:
        rotation = rotation_of(pose.quaternion).astype(np.float32)
        seen = [
            np.float32(pose.position_mm[axis]) + rotation[axis, 0] * self._x + rotation[axis, 2] * self._z
            for axis in range(3)
        ]
        seen[2] -= np.float32(pose.heave_mm)
        if pose.indentation_mm > 0:
            squeezed = np.float32(pose.indentation_mm) * self._squeeze
            for axis in range(3):
                seen[axis] -= rotation[axis, 2] * squeezed
        echo, impedance, absorbed = self._tissue(seen)
        field = self._speckle(seen)
        field *= self._echo_amplitude[echo]
        field.real += self._specular(impedance)
        envelope = np.abs(_blur(field))
        envelope *= np.exp(absorbed * np.float32(-math.log(10.0) / 20.0))
        self._draw_wires(envelope, pose, rotation)
        return np.asarray(envelope, dtype=np.float32)

    def _tissue(self, seen: list[Polar]) -> tuple[npt.NDArray[np.intp], Polar, Polar]:
        """Echo level (index), impedance and absorbed dB of each sample."""
        share, flat = [], np.zeros(self._x.shape, dtype=np.int32)
        for axis in range(3):
            place = seen[axis] - np.float32(self._volume.low_mm[axis])
            place *= np.float32(1 / self._volume.voxel_mm)
            np.clip(place, 0.0, np.float32(self._shape[axis] - 1.01), out=place)
            low = place.astype(np.int32)
            share.append(((place - low) * np.float32(256.0)).astype(np.uint32))
            flat *= self._shape[axis]
            flat += low
        both = _blend([self._packed.take(flat + offset) for offset in self._corners], share)
        loss = self._absorb_db.take(self._absorb.take(flat))
        absorbed = np.cumsum(loss, axis=1, dtype=np.float32)
        absorbed *= self._step_mm
        return (both & np.uint32(0xFF)).astype(np.intp), (both >> np.uint32(16)).astype(np.float32), absorbed

    def _speckle(self, seen: list[Polar]) -> npt.NDArray[np.complex64]:
        """Scatterers at each sample: they belong to the tissue, so they move in the picture as it does."""
        ends, share = [], []
        for axis, row in enumerate(_ASKEW):
            place = row[0] * seen[0] + row[1] * seen[1] + row[2] * seen[2]
            # The offset keeps the numbers positive, so that the cut is a floor.
            place += np.float32(1024 * _SCATTERERS)
            low = place.astype(np.int32)
            share.append(((place - low) * np.float32(256.0)).astype(np.uint32))
            shift = 7 * (2 - axis)
            ends.append([(low + step & _SCATTERERS - 1) << shift for step in (0, 1)])
        corners = [
            self._scatterers.take(ends[0][x] | ends[1][y] | ends[2][z]) for x, y, z in np.ndindex(2, 2, 2)
        ]
        both = _blend(corners, share)
        field = np.empty(self._x.shape, dtype=np.complex64)
        field.real = (both & np.uint32(0xFF)).astype(np.float32)
        field.imag = (both >> np.uint32(16)).astype(np.float32)
        field -= np.complex64(_SCATTER_ZERO * (1 + 1j))
        field *= np.float32(1 / _SCATTER_UNIT)
        return field

    def _specular(self, impedance: Polar) -> Polar:
        along = np.zeros_like(impedance)
        np.subtract(impedance[:, 2:], impedance[:, :-2], out=along[:, 1:-1])
        across = np.zeros_like(impedance)
        np.subtract(impedance[2:], impedance[:-2], out=across[1:-1])
        across *= self._lateral_share
        square = along * along
        straight = square / (square + across * across + np.float32(4.0))
        return np.asarray(np.abs(along) * straight * np.float32(_SPECULAR), dtype=np.float32)

    def _draw_wires(self, envelope: Polar, pose: ProbePose, rotation: Polar) -> None:
        """Where each wire crosses the picture's plane, one blurred point. Wires do not move with tissue."""
        tip = np.array(pose.position_mm)
        for centre, along in self._wires:
            slope = float(along @ rotation[:, 1])
            if abs(slope) < 0.05:
                continue
            way = float((tip - centre) @ rotation[:, 1]) / slope
            if abs(way) > WIRE_HALF_LENGTH_MM:
                continue
            local = rotation.T @ (centre + way * along - tip)
            self._point(envelope, float(local[0]), float(local[2]))

    def _point(self, envelope: Polar, x_mm: float, z_mm: float) -> None:
        line, sample = self.geometry.polar_index(x_mm, z_mm)
        first, last = max(0, int(line) - 4), min(self.geometry.lines, int(line) + 6)
        top, bottom = (
            max(0, int(sample) - 6),
            min(self.geometry.samples, int(sample) + 8),
        )
        if first >= last or top >= bottom:
            return
        lines = np.arange(first, last)[:, None] - line
        samples = np.arange(top, bottom)[None, :] - sample
        blob = _WIRE * np.exp(-(lines**2) / (2 * 0.9**2) - samples**2 / (2 * 1.3**2))
        patch = envelope[first:last, top:bottom]
        np.maximum(patch, blob.astype(np.float32), out=patch)


def _blend(
    corner: list[npt.NDArray[np.uint32]], share: list[npt.NDArray[np.uint32]]
) -> npt.NDArray[np.uint32]:
    """Trilinear lookup of two 8-bit values at once, one in each 16-bit half, in fixed point.

    ``corner``: the eight neighbours, x slowest; ``share``: 0-255 along x, y, z.
    """
    for axis in (2, 1, 0):
        near = np.uint32(256) - share[axis]
        corner = [
            ((low * near + high * share[axis]) >> np.uint32(8)) & _LANES
            for low, high in zip(corner[::2], corner[1::2], strict=True)
        ]
    return corner[0]


def _scatter() -> npt.NDArray[np.uint32]:
    """A periodic block of complex scatterers, smooth enough that in-between values can be interpolated."""
    random = np.random.default_rng(7)
    lanes = []
    for _ in range(2):
        block = random.standard_normal((_SCATTERERS,) * 3).astype(np.float32)
        for axis in range(3):
            block = 0.5 * block + 0.25 * (np.roll(block, 1, axis) + np.roll(block, -1, axis))
        block *= np.float32(_SCATTER_UNIT / math.sqrt(2) / block.std())
        lanes.append(np.clip(np.rint(block + 128.0), 0, 255).astype(np.uint32))
    return np.asarray(lanes[0] | (lanes[1] << np.uint32(16)), dtype=np.uint32).reshape(-1)


def _blur(field: npt.NDArray[np.complex64]) -> npt.NDArray[np.complex64]:
    """The beam's point spread: constant in angle, so wider with depth, as a real beam's."""
    lateral = field * _LATERAL[2]
    for shift in (1, 2):
        weight = _LATERAL[2 + shift]
        lateral[shift:] += weight * field[:-shift]
        lateral[:-shift] += weight * field[shift:]
    axial = lateral * _AXIAL[1]
    axial[:, 1:] += _AXIAL[2] * lateral[:, :-1]
    axial[:, :-1] += _AXIAL[0] * lateral[:, 1:]
    # Unit mean power again: the blur averages independent scatterers.
    axial *= np.float32(1.0 / math.sqrt(float((_LATERAL**2).sum() * (_AXIAL**2).sum())))
    return np.asarray(axial, dtype=np.complex64)
