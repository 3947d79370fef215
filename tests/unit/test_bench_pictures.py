from __future__ import annotations

import numpy as np
import pytest

from tests.bench.ssim import C1, ssim
from tests.bench.stamped import BITS, CELL_PX, LEFT_PX, TOP_PX, stamp
from tests.bench.video import _delay

EVERYWHERE = np.ones((64, 64), dtype=np.bool_)


def test_a_picture_is_like_itself() -> None:
    noise = np.random.default_rng(1).integers(0, 256, (64, 64)).astype(np.uint8)
    assert ssim(noise, noise, EVERYWHERE) == pytest.approx(1.0)


def test_flat_pictures_differ_by_the_luminance_term_alone() -> None:
    """Wang 2004 eq. 6: (2 x y + C1) / (x^2 + y^2 + C1)."""
    dark, bright = (np.full((64, 64), value, np.uint8) for value in (100, 150))
    assert ssim(dark, bright, EVERYWHERE) == pytest.approx((2 * 100 * 150 + C1) / (100**2 + 150**2 + C1))


def test_noise_over_noise_has_nothing_in_common() -> None:
    one, other = np.random.default_rng(2).integers(0, 256, (2, 64, 64)).astype(np.uint8)
    assert abs(ssim(one, other, EVERYWHERE)) < 0.1


def test_only_the_mask_counts() -> None:
    left = EVERYWHERE.copy()
    left[:, 20:] = False
    one = np.zeros((64, 64), np.uint8)
    other = one.copy()
    other[:, 40:] = 200
    assert ssim(one, other, left) == pytest.approx(1.0)
    assert ssim(one, other, EVERYWHERE) < 0.9


def test_a_stamp_is_read_back_from_its_cells() -> None:
    marked = stamp(np.full((480, 640), 90, np.uint8), 2_222_222)
    row = marked[TOP_PX + CELL_PX // 2, LEFT_PX + CELL_PX // 2 :: CELL_PX][:BITS]
    assert int("".join("1" if value > 127 else "0" for value in row), 2) == 2_222_222


@pytest.mark.parametrize(
    ("presented", "stamped", "delay"),
    [(1000.5, 950, 50.5), (4_194_304 + 10.0, 4_194_290, 24.0), (900.0, 905, -5.0)],
)
def test_a_delay_survives_the_stamps_wrapping(presented: float, stamped: int, delay: float) -> None:
    assert _delay(presented, stamped) == pytest.approx(delay)
