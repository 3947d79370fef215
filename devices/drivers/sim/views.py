"""The standard abdominal views on the simulated abdomen: where to hold the probe, how to breathe, what is seen.

A table for a scripted operator and its test; an operator reaches the poses with the ordinary controls. Codes are
those of the exam type's view list. Areas in mm2 bound what must be in the plane: a long axis shows more of a
vessel than a short one.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType

import numpy as np

from devices.drivers.sim.world import Vector, rotation_along, skin_normal, skin_z_mm

MANY = math.inf
Areas = Mapping[str, tuple[float, float]]


@dataclass(frozen=True, slots=True)
class View:
    """Foot of the beam on the skin, turn of the marker (``world.Site``), prompts, and structures to be seen.

    ``start`` is the site from which an operator sets out; ``prompts`` are said one after another.
    """

    start: str
    x_mm: float
    y_mm: float
    marker_deg: float
    shows: Areas
    prompts: tuple[str, ...] = ("breathe_in", "hold")
    force_n: float = 6.0
    preset: str = "abdomen"

    def frame(self) -> tuple[Vector, Vector]:
        """Foot on the skin at rest (3,) and rotation (3, 3; columns = probe axes), base frame, mm."""
        foot = np.array([self.x_mm, self.y_mm, skin_z_mm(self.x_mm, self.y_mm)])
        return foot, rotation_along(-skin_normal(foot), marker_deg=self.marker_deg)


OUT = ("breathe_out", "hold")
VIEWS: Mapping[str, View] = MappingProxyType(
    {
        "liver_left": View(
            "epigastrium",
            6.0,
            5.0,
            90.0,
            {"liver": (3000, MANY), "aorta": (1500, MANY), "diaphragm": (100, MANY)},
        ),
        # Between the ribs: their shadows belong to it.
        "liver_right": View(
            "right_upper_quadrant", -112.0, 15.0, 20.0, {"liver": (8000, MANY), "rib": (50, MANY)}
        ),
        "gallbladder": View(
            "right_upper_quadrant", -26.0, -52.0, 90.0, {"gallbladder": (800, MANY), "liver": (3000, MANY)}
        ),
        "gallbladder_short": View(
            "right_upper_quadrant", -24.0, -62.0, 0.0, {"gallbladder": (350, 750), "liver": (2500, MANY)}
        ),
        "pancreas": View(
            "epigastrium",
            8.0,
            -3.0,
            -15.0,
            {
                "pancreas": (450, MANY),
                "splenic_vein": (60, MANY),
                "aorta": (250, 700),
                "vena_cava": (250, 700),
            },
            OUT,
        ),
        "kidney_right": View(
            "right_flank", -134.0, -70.0, 98.0, {"right_kidney": (3000, MANY), "liver": (1500, MANY)}
        ),
        "kidney_right_short": View(
            "right_flank", -98.0, -84.0, 0.0, {"right_kidney": (1500, 3000), "liver": (1500, MANY)}
        ),
        "liver_kidney": View(
            "right_flank", -116.0, -50.0, 90.0, {"right_kidney": (2000, MANY), "liver": (4000, MANY)}
        ),
        "spleen": View("left_flank", 128.0, 2.0, 0.0, {"spleen": (1500, MANY)}),
        "aorta": View(
            "epigastrium", 11.0, -25.0, 90.0, {"aorta": (2500, MANY), "mesenteric_artery": (250, MANY)}
        ),
        "aorta_short": View(
            "epigastrium", 12.0, -35.0, 0.0, {"aorta": (250, 700), "spine": (100, MANY)}, preset="vessel"
        ),
        "vena_cava": View(
            "epigastrium", -20.0, -15.0, 90.0, {"vena_cava": (2500, MANY), "liver": (3000, MANY)}
        ),
    }
)
