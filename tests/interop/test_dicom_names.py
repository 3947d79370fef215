"""DCM-05: Chinese names survive, whichever of the allowed character sets a sender uses."""

from __future__ import annotations

import pytest

from hospital.interop.dicom import ideographic, person_name, read_meta

from .synthetic import still

RARE = "諾誠㛃𬭎"  # traditional, extension A and a character beyond the BMP (standards DCM-05)


@pytest.mark.parametrize("charset", ["ISO_IR 192", "GB18030"])
@pytest.mark.parametrize(
    "name", ["Wang^XiaoDong=王^小东", f"Chen^Nuo=陈^{RARE}", "王^小东", "Müller^Jörg=穆^勒"]
)
def test_names_survive_utf8_and_gb18030(charset: str, name: str) -> None:
    assert read_meta(still(SpecificCharacterSet=charset, PatientName=name)).patient_name == name


@pytest.mark.parametrize("name", ["Wang^XiaoDong=王^小东", "Zhang^Wei=张^伟"])
def test_common_names_survive_gbk(name: str) -> None:
    assert read_meta(still(SpecificCharacterSet="GBK", PatientName=name)).patient_name == name


def test_the_empty_phonetic_group_is_not_part_of_the_name() -> None:
    assert read_meta(still(PatientName="Wang^XiaoDong=王^小东=")).patient_name == "Wang^XiaoDong=王^小东"


def test_a_code_extension_left_in_the_text_is_stripped() -> None:
    assert person_name("Wang^XiaoDong=\x1b$)A王^\x1b$)A小东=") == "Wang^XiaoDong=王^小东"


def test_an_unknown_character_set_gives_a_file_that_can_still_be_read() -> None:
    data = still().replace(b"ISO_IR 192", b"ISO_IR 999")
    meta = read_meta(data)
    assert meta.patient_id == "P00000001"
    meta.patient_name.encode()


def test_a_name_never_holds_controls_or_halves_of_characters() -> None:
    name = person_name("Wa\x00ng^\ud800Xiao\n")
    assert "\x00" not in name
    assert "\n" not in name
    assert name.encode()


@pytest.mark.parametrize(
    ("name", "shown"),
    [
        ("Wang^XiaoDong=王^小东=", "王小东"),
        ("Ouyang^Nuo=欧阳^诺", "欧阳诺"),
        ("Smith^John^Q", "Smith John Q"),
        ("王^小东", "王 小东"),
        ("", ""),
        (None, ""),
    ],
)
def test_a_name_is_shown_as_people_write_it(name: str | None, shown: str) -> None:
    assert ideographic(name) == shown
