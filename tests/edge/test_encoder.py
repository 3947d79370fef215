"""The encoder and its rate: followed in place, no picture thrown away for it."""

from __future__ import annotations

import av
import numpy as np
import pytest

from devices.edge.imaging.encoder import KBPS_MAX, KBPS_MIN, Encoder
from devices.edge.link.rate import (
    DOWN_EVERY_S,
    STARTING_S,
    UP_EVERY_S,
    Adaptation,
    RateControl,
)
from devices.edge.link.rate import (
    KBPS_MAX as LINK_MAX,
)
from devices.edge.link.rate import (
    KBPS_MIN as LINK_MIN,
)

FPS = 30
RANDOM = np.random.default_rng(3)
SPECKLE = RANDOM.gamma(2.0, 30.0, (480, 640))
CLIP = [
    (np.roll(SPECKLE, number * 3, axis=1) + RANDOM.normal(0, 15, (480, 640))).clip(0, 255).astype(np.uint8)
    for number in range(30)
]


def encoded(encoder: Encoder, seconds: float, start: int = 0) -> tuple[float, list[int], list[bytes]]:
    """(kbit/s, keyframes' numbers, access units) of a drifting speckle."""
    units, keys = [], []
    for number in range(start, start + round(seconds * FPS)):
        for unit in encoder.encode(CLIP[number % len(CLIP)], pts_90k=number * 3000):
            units.append(unit.data)
            keys += [number] if unit.keyframe else []
    return sum(map(len, units)) * 8 / 1000 / seconds, keys, units


@pytest.mark.parametrize("kbps", [1000, 2500, 8000])
def test_another_rate_is_followed_within_a_second_without_a_keyframe(kbps: int) -> None:
    encoder = Encoder(width=640, height=480, kbps=4000)
    _, keys, before = encoded(encoder, 3.0)
    assert encoder.set_rate(kbps) == kbps
    _, more, during = encoded(encoder, 1.0, start=90)
    rate, rest, after = encoded(encoder, 2.0, start=120)
    assert keys == [0]
    assert more == rest == []
    assert rate == pytest.approx(kbps, rel=0.3)
    decoder = av.CodecContext.create("h264", "r")
    shown = sum(len(decoder.decode(av.Packet(unit))) for unit in before + during + after)
    assert shown + len(decoder.decode(None)) == 180


def test_a_keyframe_comes_when_asked_and_only_then() -> None:
    encoder = Encoder(width=320, height=240, kbps=2000)
    small = np.zeros((240, 320), np.uint8)
    keys = []
    for number in range(200):
        if number == 77:
            encoder.want_keyframe()
        keys += [number for unit in encoder.encode(small, pts_90k=number * 3000) if unit.keyframe]
    assert keys == [0, 77]


@pytest.mark.parametrize(("asked", "done"), [(1, 1000), (99_999, 8000)])
def test_rates_outside_the_range_are_brought_inside(asked: int, done: int) -> None:
    assert Encoder(width=320, height=240, kbps=asked).kbps == done
    assert (KBPS_MIN, KBPS_MAX) == (LINK_MIN, LINK_MAX)


def test_no_picture_is_larger_than_the_buffer_allows() -> None:
    encoder = Encoder(width=640, height=480, kbps=8000)
    _, _, units = encoded(encoder, 2.0)
    assert max(map(len, units)) * 8 <= 400_000 * 1.1


@pytest.fixture
def control() -> RateControl:
    found = RateControl(most_kbps=4000)
    found.join("console", role="console", now_s=0.0)
    return found


def told(
    control: RateControl, kbps: float, *, start_s: float, seconds: float, peer: str = "console"
) -> list[int]:
    """Estimates four times a second; the rates that were asked for."""
    asked = []
    for step in range(round(seconds * 4)):
        now_s = start_s + step / 4
        control.estimated(peer, kbps=kbps, now_s=now_s)
        wanted = control.wanted(now_s)
        asked += [wanted] if wanted is not None else []
    return asked


def test_a_narrow_link_lowers_the_rate_at_once_and_a_wide_one_raises_it_slowly(control: RateControl) -> None:
    told(control, 5000, start_s=8, seconds=2)
    assert told(control, 2000, start_s=10, seconds=2) == [1700]
    risen = told(control, 9000, start_s=12, seconds=20)
    assert risen == [2125, 2656, 3320, 4000]
    assert len(risen) * UP_EVERY_S <= 20


def test_a_low_estimate_that_only_rises_is_no_narrow_link(control: RateControl) -> None:
    """As Chromium begins: 0.3 Mbit/s, 8 % more each second."""
    assert told(control, 300, start_s=0, seconds=STARTING_S) == []
    for second in range(40):
        assert told(control, 300 * 1.08**second, start_s=STARTING_S + second, seconds=1) == []


def test_one_low_estimate_changes_nothing(control: RateControl) -> None:
    told(control, 5000, start_s=8, seconds=2)
    assert told(control, 2000, start_s=10, seconds=0.5) == []
    assert told(control, 5000, start_s=10.5, seconds=2) == []


def test_a_wobble_within_the_margin_changes_nothing(control: RateControl) -> None:
    for step in range(40):
        assert told(control, 3500 + 900 * (step % 2), start_s=10 + step / 4, seconds=0.25) == []


def test_lost_packets_lower_the_rate_and_hold_it_down(control: RateControl) -> None:
    control.lost("console", share=0.3)
    assert control.wanted(10.0) == 3400
    assert control.wanted(10.0 + DOWN_EVERY_S / 2) is None
    assert control.wanted(10.0 + DOWN_EVERY_S) == 2890
    control.lost("console", share=0.05)
    assert control.wanted(30.0) is None
    control.lost("console", share=0.0)
    assert control.wanted(31.0) == 3612


def test_an_onlooker_on_a_bad_link_does_not_blur_the_physicians_picture(control: RateControl) -> None:
    control.join("bedside", role="bedside", now_s=0.0)
    control.lost("bedside", share=0.5)
    assert told(control, 500, start_s=10, seconds=3, peer="bedside") == []
    control.leave("console")
    assert control.wanted(20.0) is not None


def test_main_profile_is_used_only_while_every_receiver_decodes_it() -> None:
    told: list[bool] = []
    rate = Adaptation(most_kbps=4000, tell=lambda message: told.append(message["main"]))
    rate.join("console", role="console", main=True)
    rate.join("bedside", role="bedside", main=False)
    rate.join("bedside2", role="bedside", main=True)
    rate.leave("bedside")
    rate.leave("bedside2")
    rate.leave("console")
    assert told == [True, False, True]


def test_the_rate_never_leaves_its_range(control: RateControl) -> None:
    told(control, 5000, start_s=8, seconds=2)
    for step in range(12):
        told(control, 3000 / 1.5**step, start_s=10 + 3 * step, seconds=3)
    assert control.kbps == LINK_MIN
    control.leave("console")
    assert control.kbps == 4000
