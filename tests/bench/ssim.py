"""Structural similarity of two grey pictures, Wang, Bovik, Sheikh, Simoncelli 2004 (IEEE TIP 13:600).

Gaussian window of 11x11 pixels, sigma 1.5, K1 = 0.01, K2 = 0.03, range 255; the mean over a mask.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

SIZE, SIGMA = 11, 1.5
C1, C2 = (0.01 * 255) ** 2, (0.03 * 255) ** 2
EDGE = SIZE // 2
_KERNEL = np.exp(-((np.arange(SIZE) - EDGE) ** 2) / (2 * SIGMA**2))
_KERNEL /= _KERNEL.sum()
Grey = npt.NDArray[np.float64]


def _blur(picture: Grey) -> Grey:
    """Valid part only: EDGE pixels less on each side."""
    height, width = picture.shape
    rows = sum(weight * picture[i : height - SIZE + 1 + i] for i, weight in enumerate(_KERNEL))
    found = sum(weight * rows[:, i : width - SIZE + 1 + i] for i, weight in enumerate(_KERNEL))
    return np.asarray(found)


def ssim(a: npt.NDArray[np.uint8], b: npt.NDArray[np.uint8], mask: npt.NDArray[np.bool_]) -> float:
    """Mean SSIM over ``mask``, all three (height, width). 1 for equal pictures."""
    x, y = a.astype(np.float64), b.astype(np.float64)
    mean_x, mean_y = _blur(x), _blur(y)
    var_x, var_y = _blur(x * x) - mean_x**2, _blur(y * y) - mean_y**2
    both = _blur(x * y) - mean_x * mean_y
    index = ((2 * mean_x * mean_y + C1) * (2 * both + C2)) / (
        (mean_x**2 + mean_y**2 + C1) * (var_x + var_y + C2)
    )
    return float(index[mask[EDGE:-EDGE, EDGE:-EDGE]].mean())
