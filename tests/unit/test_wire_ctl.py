"""Control requests: each role's own list, exact fields, stable refusals."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from devices.wire import ctl
from devices.wire.ctl import SHAPES, CtlError

GOOD: dict[str, dict[str, Any]] = {
    "freeze": {"on": True},
    "capture": {"kind": "still", "view": "liver", "annotation": ""},
    "imaging": {"depth_mm": 160},
    "cine": {"back": 30},
    "park": {},
    "reposition": {},
    "lift": {},
    "hold": {},
    "go": {},
    "gentler": {"on": False},
    "force_cap": {"n": 4.5},
    "hand_guide": {"on": True},
    "place": {"site": "right_upper_quadrant"},
    "clear_stop": {"cause": 3, "patient_well": True},
    "orientation": {"head": "left", "lie": "supine"},
    "prompt": {"key": "breathe_in"},
}
json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=4),
    max_leaves=8,
)


def test_the_examples_cover_every_request() -> None:
    assert GOOD.keys() == SHAPES.keys()


@pytest.mark.parametrize("role", ["console", "bedside"])
@pytest.mark.parametrize("type_", sorted(GOOD))
def test_a_role_may_ask_what_its_list_says_and_nothing_else(type_: str, role: str) -> None:
    text = ctl.request(type_, 5, **GOOD[type_])
    if role in SHAPES[type_].roles:
        assert ctl.parse_request(text, role=role).fields == GOOD[type_]
    else:
        with pytest.raises(CtlError, match="not_allowed"):
            ctl.parse_request(text, role=role)


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("", "malformed"),
        ("[]", "malformed"),
        ('{"type":"lift"}', "malformed"),
        ('{"type":"lift","id":true}', "malformed"),
        ('{"type":"warp","id":1}', "unknown_type"),
        ('{"type":["lift"],"id":1}', "unknown_type"),
        ('{"type":"lift","id":1,"mm":500}', "bad_field"),
        ('{"type":"force_cap","id":1,"n":19}', "bad_field"),
        ('{"type":"force_cap","id":1,"n":NaN}', "bad_field"),
        ('{"type":"force_cap","id":1,"n":true}', "bad_field"),
        ('{"type":"clear_stop","id":1,"cause":3,"patient_well":1}', "bad_field"),
        ('{"type":"gentler","id":1,"on":1}', "bad_field"),
        ('{"type":"place","id":1,"site":"' + "x" * 9000 + '"}', "too_large"),
    ],
)
def test_bad_requests_have_their_code(text: str, code: str) -> None:
    with pytest.raises(CtlError) as refused:
        ctl.parse_request(text, role="bedside")
    assert refused.value.code == code


@pytest.mark.parametrize(
    "fields",
    [
        {"tgc_db": [0] * 7},
        {"tgc_db": [0] * 7 + [21]},
        {"tgc_db": [0] * 7 + ["0"]},
        {"focus_mm": 10},
        {"preset": "x" * 33},
        {},
    ],
)
def test_settings_of_the_picture_outside_their_range_are_refused(fields: dict[str, Any]) -> None:
    with pytest.raises(CtlError, match="bad_field"):
        ctl.parse_request(ctl.request("imaging", 1, **fields), role="console")


def test_every_setting_of_the_picture_may_come_in_one_request() -> None:
    fields = {"gain_db": 3, "focus_mm": 80, "tgc_db": [0, 1, -2, 3.5, 0, 0, 0, 20], "preset": "vessel"}
    assert ctl.parse_request(ctl.request("imaging", 1, **fields), role="console").fields == fields


def test_only_the_known_prompts_may_be_said() -> None:
    with pytest.raises(CtlError, match="bad_field"):
        ctl.parse_request(ctl.request("prompt", 1, key="jump"), role="console")


@given(st.dictionaries(st.sampled_from(["type", "id", "on", "n", "cause", "kind"]), json_values))
def test_any_json_is_read_or_refused_with_a_code(message: dict[str, Any]) -> None:
    known = {"", "too_large", "malformed", "unknown_type", "bad_field", "not_allowed"}
    assert code_of(json.dumps(message)) in known


def code_of(text: str) -> str:
    try:
        ctl.parse_request(text, role="bedside")
    except CtlError as error:
        return error.code
    return ""


@given(st.binary(max_size=300))
def test_any_bytes_are_refused_without_another_exception(data: bytes) -> None:
    with pytest.raises(CtlError):
        ctl.parse_request(data, role="console")


@pytest.mark.parametrize("back", [-1, 301, 1.5, True, "3", None])
def test_scrolling_back_is_bounded_by_what_the_robot_keeps(back: object) -> None:
    with pytest.raises(CtlError, match="bad_field"):
        ctl.parse_request(ctl.request("cine", 1, back=back), role="console")
