"""A convex B-mode picture of a volume, seen from a pose.

Per sample of a polar grid (lines x depths): where that tissue is at rest, its look by trilinear lookup,
speckle from scatterers fixed to the tissue and blurred by the beam's point spread, specular echo where
the impedance jumps across the beam, absorption summed along the line (shadow, enhancement), clutter near
the probe, the receiver's noise raised by the time gain; then log compression and one lookup per pixel.
Numbers without a source are design values.
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
from devices.drivers.images.beam import Beam, shadowed
from devices.drivers.images.geometry import Geometry
from devices.drivers.images.motion import at_rest
from devices.drivers.images.presets import Look
from devices.drivers.images.speckle import Scatterers, blend
from devices.drivers.sim.reader import ProbePose
from devices.drivers.sim.world import (
    PROBE_RADIUS_MM,
    WIRE_HALF_LENGTH_MM,
    rotation_of,
    skin_depth_mm,
    wires,
)

Polar = npt.NDArray[np.float32]

_GAIN_ZERO_DB = -5.0
_SPECULAR = 0.012
_WIRE = 1.6
_CLUTTER = 0.05
_CLUTTER_REACH_MM = 7.0
_GEL_PRESSED_MM, _GEL_FREE_MM, _GEL_FADE_MM = 8.0, 1.5, 2.5
_NODE_LINES, _NODE_SAMPLES = 21, 41
"""Tissue motion is smooth: worked out on this many nodes and drawn straight between them."""
LIT = 0.1
"""A structure counts as seen while at least this amplitude is left (20 dB of shadow)."""


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
        self._scatterers = Scatterers()
        random = np.random.default_rng(11)
        self._noise = random.rayleigh(1.0, (4, geometry.lines + 64, geometry.samples)).astype(np.float32)
        # Clutter belongs to the probe and its coupling: it stays while the tissue moves.
        self._haze = random.rayleigh(0.8, (geometry.lines, geometry.samples)).astype(np.float32)
        self._echo_amplitude = (10.0 ** ((np.arange(256) / ECHO_STEPS_PER_DB + ECHO_FLOOR_DB) / 20.0)).astype(
            np.float32
        )
        self._absorb_db = (np.arange(256) / ABSORB_STEPS - ABSORB_OFFSET_DB_MM).astype(np.float32)
        self._wires = wires()
        self._count = 0
        self._beam: Beam | None = None
        self._beam_of: Look | None = None
        self.use(geometry)

    def use(self, geometry: Geometry) -> None:
        """Change the depth: everything that depends on the grid is computed here, once."""
        self.geometry = geometry
        self._beam = None
        angle = geometry.angles[:, None]
        reach = PROBE_RADIUS_MM + geometry.depths[None, :]
        # Line 0 is the picture's left: the marker side, +x of the probe.
        self._x = (reach * -np.sin(angle)).astype(np.float32)
        self._z = (reach * np.cos(angle) - PROBE_RADIUS_MM).astype(np.float32)
        depth = geometry.depths.astype(np.float32)
        self._ringdown = (0.5 * np.exp(-depth / 1.1)).astype(np.float32)
        rings = np.maximum(0.0, np.cos(2 * np.pi * depth / 4.2)) ** 24 * np.exp(-depth / 7.0)
        self._air = (0.35 * np.exp(-depth / 1.1) + 0.25 * rings).astype(np.float32)
        clutter = self._haze + 1.5 * rings * self._haze[:, :1]
        self._clutter = (clutter * (_CLUTTER * np.exp(-depth / _CLUTTER_REACH_MM))).astype(np.float32)
        step = geometry.depths[1] - geometry.depths[0]
        across = reach[0] * (geometry.angles[0] - geometry.angles[1])
        self._lateral_share = np.abs(step / across).astype(np.float32)
        self._step_mm = float(step)
        face = np.stack([self._x[:, 0], np.zeros(geometry.lines, np.float32), self._z[:, 0]], axis=-1)
        self._face = face.astype(np.float64)
        self._prepare_nodes()

    def _prepare_nodes(self) -> None:
        geometry = self.geometry
        angles = np.linspace(geometry.angles[0], geometry.angles[-1], _NODE_LINES)[:, None]
        self._node_depth = np.linspace(0.0, geometry.depth_mm, _NODE_SAMPLES)[None, :]
        reach = PROBE_RADIUS_MM + self._node_depth
        x, z = reach * -np.sin(angles), reach * np.cos(angles) - PROBE_RADIUS_MM
        self._node = np.stack([x, np.zeros_like(x), z], axis=-1)
        self._node_depth = np.broadcast_to(self._node_depth, x.shape)
        self._line_place = _places(geometry.lines, _NODE_LINES)
        self._sample_place = _places(geometry.samples, _NODE_SAMPLES)

    def render(self, pose: ProbePose | None, look: Look) -> npt.NDArray[np.uint8]:
        """The picture (height, width) uint8 as the probe at ``pose`` sees it; None is a probe in air."""
        decibel = np.log(self.envelope(pose, look))
        scale = 255.0 / look.dynamic_range_db
        decibel *= np.float32(20.0 / math.log(10.0) * scale)
        decibel += self._beam_for(look).tgc_db * np.float32(scale)
        decibel += np.float32(255.0 + (look.gain_db + _GAIN_ZERO_DB) * scale)
        np.clip(decibel, 0.0, 255.0, out=decibel)
        picture = self.geometry.convert(decibel.astype(np.uint8))
        self.geometry.mark_focus(picture, look.focus_mm)
        return picture

    def envelope(self, pose: ProbePose | None, look: Look) -> Polar:
        """Received amplitude (lines, samples) before gain, 1 being the brightest echo at the skin."""
        self._count += 1
        beam = self._beam_for(look)
        noise = self._noise[self._count & 3, (self._count * 23) % 64 :][: self.geometry.lines]
        envelope = noise * beam.noise
        if pose is None:
            return np.asarray(envelope + self._air, dtype=np.float32)
        coupling = self._coupling(pose)[:, None]
        if coupling.any():
            envelope += (self._echoes(pose, beam) + self._clutter) * coupling
        envelope += coupling * self._ringdown + (1 - coupling) * self._air
        return np.asarray(envelope, dtype=np.float32)

    def structures(self, pose: ProbePose) -> dict[str, float]:
        """Area in mm2 of each named structure that the probe sees: coupled, and not in deep shadow."""
        turn = float(self.geometry.angles[1] - self.geometry.angles[0])
        area = (PROBE_RADIUS_MM + self.geometry.depths) * turn * self._step_mm
        return {name: float((mask * area).sum()) for name, mask in self.outlines(pose).items()}

    def outlines(self, pose: ProbePose) -> dict[str, npt.NDArray[np.bool_]]:
        """Where each named structure is seen, over the same (lines, samples) as ``envelope``."""
        seen = self._seen(pose, rotation_of(pose.quaternion))
        place = np.zeros(self._x.shape, dtype=np.intp)
        for axis in range(3):
            index = np.rint((seen[axis] - self._volume.low_mm[axis]) / self._volume.voxel_mm).astype(np.intp)
            place = place * self._shape[axis] + np.clip(index, 0, self._shape[axis] - 1)
        names = self._volume.labels.reshape(-1).take(place)
        lit = shadowed(self._absorb_db.take(self._absorb.take(place)), self._step_mm) > LIT
        lit &= self._coupling(pose)[:, None] > 0.5
        found = {name: lit & (names == i) for i, name in enumerate(self._volume.names) if name}
        return {name: mask for name, mask in found.items() if mask.any()}

    def _beam_for(self, look: Look) -> Beam:
        if self._beam is None or look is not self._beam_of:
            self._beam, self._beam_of = Beam(self.geometry, look), look
        return self._beam

    def _coupling(self, pose: ProbePose) -> Polar:
        """Per line 1 where gel joins probe and skin, 0 where there is air."""
        points = np.array(pose.position_mm) + self._face @ rotation_of(pose.quaternion).T
        points[:, 2] -= pose.heave_mm
        gap = -skin_depth_mm(points)
        gel = _GEL_PRESSED_MM if pose.contact else _GEL_FREE_MM
        share = np.clip((gel + _GEL_FADE_MM - gap) / _GEL_FADE_MM, 0.0, 1.0)
        return np.asarray(share * share * (3 - 2 * share), dtype=np.float32)

    def _seen(self, pose: ProbePose, rotation: npt.NDArray[np.float64]) -> list[Polar]:
        """Coordinates at rest (x, y, z) of each sample's tissue."""
        nodes = np.array(pose.position_mm) + self._node @ rotation.T
        shift = at_rest(nodes, self._node_depth, rotation[:, 2], pose) - nodes
        seen = []
        for axis in range(3):
            lines = _between(shift[..., axis].astype(np.float32).T, self._line_place).T
            moved = _between(lines, self._sample_place)
            moved += np.float32(rotation[axis, 0]) * self._x
            moved += np.float32(rotation[axis, 2]) * self._z
            moved += np.float32(pose.position_mm[axis])
            seen.append(moved)
        return seen

    def _echoes(self, pose: ProbePose, beam: Beam) -> Polar:
        rotation = rotation_of(pose.quaternion)
        seen = self._seen(pose, rotation)
        echo, impedance, loss = self._tissue(seen)
        self._scatterers.aim(rotation[:, 1], beam.elevation_mm)
        field = self._scatterers.look_up(seen)
        field *= self._echo_amplitude[echo]
        field.real += self._specular(impedance)
        envelope = np.abs(beam.blur(field))
        envelope *= shadowed(loss * beam.loss_share, self._step_mm)
        self._draw_wires(envelope, pose, rotation)
        return np.asarray(envelope, dtype=np.float32)

    def _tissue(self, seen: list[Polar]) -> tuple[npt.NDArray[np.intp], Polar, Polar]:
        """Echo level (index), impedance and loss (dB/mm) of each sample."""
        share, flat = [], np.zeros(self._x.shape, dtype=np.int32)
        for axis in range(3):
            place = seen[axis] - np.float32(self._volume.low_mm[axis])
            place *= np.float32(1 / self._volume.voxel_mm)
            np.clip(place, 0.0, np.float32(self._shape[axis] - 1.01), out=place)
            low = place.astype(np.int32)
            share.append(((place - low) * np.float32(256.0)).astype(np.uint32))
            flat *= self._shape[axis]
            flat += low
        both = blend([self._packed.take(flat + offset) for offset in self._corners], share)
        loss = self._absorb_db.take(self._absorb.take(flat))
        return (both & np.uint32(0xFF)).astype(np.intp), (both >> np.uint32(16)).astype(np.float32), loss

    def _specular(self, impedance: Polar) -> Polar:
        along = np.zeros_like(impedance)
        np.subtract(impedance[:, 2:], impedance[:, :-2], out=along[:, 1:-1])
        across = np.zeros_like(impedance)
        np.subtract(impedance[2:], impedance[:-2], out=across[1:-1])
        across *= self._lateral_share
        square = along * along
        straight = square / (square + across * across + np.float32(4.0))
        return np.asarray(np.abs(along) * straight * np.float32(_SPECULAR), dtype=np.float32)

    def _draw_wires(self, envelope: Polar, pose: ProbePose, rotation: npt.NDArray[np.float64]) -> None:
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
        top, bottom = max(0, int(sample) - 6), min(self.geometry.samples, int(sample) + 8)
        if first >= last or top >= bottom:
            return
        lines = np.arange(first, last)[:, None] - line
        samples = np.arange(top, bottom)[None, :] - sample
        blob = _WIRE * np.exp(-(lines**2) / (2 * 0.9**2) - samples**2 / (2 * 1.3**2))
        patch = envelope[first:last, top:bottom]
        np.maximum(patch, blob.astype(np.float32), out=patch)


def _places(fine: int, coarse: int) -> tuple[npt.NDArray[np.intp], Polar]:
    """For each of ``fine`` even places the node before it and the share of the next one."""
    place = np.linspace(0.0, coarse - 1.0, fine)
    low = np.minimum(place.astype(np.intp), coarse - 2)
    return low, (place - low).astype(np.float32)


def _between(nodes: Polar, places: tuple[npt.NDArray[np.intp], Polar]) -> Polar:
    """Straight lines between nodes along the last axis. No matrix product: BLAS threads would fight for cores."""
    low, share = places
    first = nodes.take(low, axis=1)
    step = nodes.take(low + 1, axis=1)
    step -= first
    step *= share
    first += step
    return first
