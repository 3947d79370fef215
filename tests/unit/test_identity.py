from __future__ import annotations

from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hospital.people.mrz import passport
from hospital.people.rules import (
    CHECK_DIGITS,
    DocumentInvalid,
    citizen,
    citizen_check_digit,
    citizen_from_15,
    document_checked,
    document_key,
    document_normal,
    masked_name,
    name_checked,
    practitioner_problem,
)

TODAY = date(2026, 11, 24)
# Synthetic numbers, order digits invented: Qingpu, Wujiang, Jiashan, a child, permits of residence, unknown regions.
PASS = {
    "310229195003150012": (date(1950, 3, 15), "1"),
    "320584194802290036": (date(1948, 2, 29), "1"),
    "330421193806300058": (date(1938, 6, 30), "1"),
    "320225194507080048": (date(1945, 7, 8), "2"),
    "320525194507080044": (date(1945, 7, 8), "2"),
    "310118202402291013": (date(2024, 2, 29), "1"),
    "31022919420901007X": (date(1942, 9, 1), "1"),
    "310118202002290062": (date(2020, 2, 29), "2"),
    "810000195203030087": (date(1952, 3, 3), "2"),
    "820000195203030097": (date(1952, 3, 3), "1"),
    "830000195203030101": (date(1952, 3, 3), "2"),
}
FAIL = {
    "310229195002300111": "30 February",
    "310229195013010128": "month 13",
    "310229190002290133": "1900 was no leap year",
    "310229195003150013": "check digit",
    "31022919500315001": "17 digits",
    "3102291950031500123": "19 digits",
    "": "nothing",
    "310229203003150018": "not born yet",
}


@pytest.mark.parametrize(("number", "says"), PASS.items())
def test_real_regions_and_permits_pass_and_say_birth_date_and_sex(
    number: str, says: tuple[date, str]
) -> None:
    found = citizen(number, on=TODAY)
    assert (found.birth_date, found.sex) == says


@pytest.mark.parametrize("number", FAIL)
def test_impossible_numbers_fail(number: str) -> None:
    with pytest.raises(DocumentInvalid):
        citizen(number, on=TODAY)


@given(st.sampled_from(sorted(PASS)), st.integers(0, 17), st.sampled_from("0123456789X"))
def test_any_one_changed_character_fails(number: str, place: int, other: str) -> None:
    if number[place] == other:
        return
    with pytest.raises(DocumentInvalid):
        citizen(number[:place] + other + number[place + 1 :], on=TODAY)


def test_full_width_digits_are_normalised_and_never_half_accepted() -> None:
    assert document_checked("01", "３１０２２９195003150012", on=TODAY) == "310229195003150012"
    with pytest.raises(DocumentInvalid):
        citizen("３１０２２９195003150012", on=TODAY)


def test_a_small_x_and_inner_blanks_are_normalised() -> None:
    assert document_checked("01", " 310229 19420901 007x ", on=TODAY) == "31022919420901007X"


def test_a_legacy_number_becomes_its_18_digits_for_matching_only() -> None:
    assert citizen_from_15("310118500315001") == "310118195003150018"
    with pytest.raises(DocumentInvalid):
        document_checked("01", "310118500315001", on=TODAY)


@pytest.mark.parametrize(
    ("number", "good"), [("H12345678", True), ("M1234567890", True), ("H1234567", False)]
)
def test_hong_kong_and_macao_permits(number: str, good: bool) -> None:
    if good:
        assert document_checked("06", number, on=TODAY) == number
    else:
        with pytest.raises(DocumentInvalid):
            document_checked("06", number, on=TODAY)


def test_a_renewed_permit_is_the_same_person() -> None:
    assert document_key("06", "H1234567801") == document_key("06", "H1234567802")


@given(st.text(alphabet="0123456789", min_size=17, max_size=17))
def test_the_check_digit_is_one_of_eleven(first17: str) -> None:
    assert citizen_check_digit(first17) in CHECK_DIGITS


@given(st.text(max_size=40))
def test_normalising_twice_is_normalising_once(text: str) -> None:
    assert document_normal(document_normal(text)) == document_normal(text)


@pytest.mark.parametrize("name", ["王小东", "诸葛𬭎", "㛃", "吾买尔·艾力", "John O'Neil-Smith", "欧阳 小东"])
def test_names_of_any_cjk_extension_and_with_dots_are_names(name: str) -> None:
    assert name_checked(f"  {name} ") == name


@pytest.mark.parametrize("name", ["", "  ", "王3", "a<b>", "-", "王\n小\0东", "王" * 81])
def test_what_is_no_name_is_refused(name: str) -> None:
    with pytest.raises(ValueError, match="not a name"):
        name_checked(name)


@pytest.mark.parametrize("dot", "·•・･‧．∙⋅\u0387")
def test_other_dots_become_the_middle_dot(dot: str) -> None:
    assert name_checked(f"吾买尔 {dot}艾力") == "吾买尔·艾力"


def test_names_are_stored_composed_and_may_be_long() -> None:
    assert name_checked("Jose\u0301 Nu\u0303ez") == "José Nũez"
    long = "·".join(["古丽", "𬭎" * 30, "阿卜杜热合曼" * 6])
    assert len(long) > 50
    assert name_checked(long) == long


EXTENSIONS = {
    "A": "\u3400", "B": "\U00020000", "C": "\U0002a700", "D": "\U0002b740", "E": "\U0002b820", "F": "\U0002ceb0",
    "G": "\U00030000", "H": "\U00031350", "I": "\U0002ebf0", "zero": "〇", "compatibility": "\ufa11",
}  # fmt: skip


@pytest.mark.parametrize("char", EXTENSIONS.values(), ids=EXTENSIONS.keys())
def test_every_cjk_extension_may_be_in_a_name(char: str) -> None:
    assert name_checked(f"王{char}") == f"王{char}"


@pytest.mark.parametrize(
    ("number", "good"),
    [
        ("810000195203030087", True),
        ("830000195203030101", True),
        ("810000195203030088", False),
        ("911156198501010011", False),
        ("USA110081010112", True),
    ],
)
def test_permits_of_18_digits_are_checked_whatever_type_the_desk_chose(number: str, good: bool) -> None:
    if good:
        assert document_checked("99", number, on=TODAY) == number
    else:
        with pytest.raises(DocumentInvalid):
            document_checked("99", number, on=TODAY)


@pytest.mark.parametrize(
    ("number", "good"),
    [("12345678", True), ("1234567890A", True), ("123456789", False), ("A12345678", False)],
)
def test_taiwan_permits(number: str, good: bool) -> None:
    if good:
        assert document_checked("07", number, on=TODAY) == number
    else:
        with pytest.raises(DocumentInvalid):
            document_checked("07", number, on=TODAY)


# The specimen of ICAO 9303 part 4, appendix B.
SPECIMEN = "L898902C36UTO7408122F1204159ZE184226B<<<<<10"


def test_a_passports_line_says_who_it_is() -> None:
    found = passport(SPECIMEN, on=TODAY)
    assert (found.number, found.nationality, found.birth_date, found.sex) == (
        "L898902C3", "UTO", date(1974, 8, 12), "2",
    )  # fmt: skip
    assert found.expires_on == date(2012, 4, 15)


@given(st.integers(0, 43), st.sampled_from("0123456789ABCXYZ<"))
def test_one_changed_character_of_a_passports_line_is_seen_where_a_check_digit_covers_it(
    place: int, other: str
) -> None:
    weight_same = {"value": lambda char: 0 if char == "<" else int(char, 36) % 10}
    same = weight_same["value"](SPECIMEN[place]) == weight_same["value"](other)
    if same or place in range(10, 13) or place == 20:
        return  # the nationality and the sex have none; letters ten apart count alike
    with pytest.raises(DocumentInvalid):
        passport(SPECIMEN[:place] + other + SPECIMEN[place + 1 :], on=TODAY)


@pytest.mark.parametrize(
    ("name", "masked"), [("王小东", "王*东"), ("沈梅", "沈*"), ("王", "*"), ("吾买尔·艾力", "吾****力")]
)
def test_lists_show_masked_names(name: str, masked: str) -> None:
    assert masked_name(name) == masked


@pytest.mark.parametrize(
    ("change", "code"),
    [
        ({}, None),
        ({"standing": "suspended"}, "licence_suspended"),
        ({"licence_expires_on": date(2026, 11, 23)}, "licence_expired"),
        ({"practice_started_on": date(2023, 11, 25)}, "practice_too_short"),
    ],
)
def test_a_physician_needs_a_licence_standing_and_three_years(
    change: dict[str, object], code: str | None
) -> None:
    good = {
        "licence_expires_on": TODAY,
        "practice_started_on": date(2023, 11, 24),
        "standing": "active",
        "on": TODAY,
    }
    assert practitioner_problem(**(good | change)) == code  # type: ignore[arg-type]
