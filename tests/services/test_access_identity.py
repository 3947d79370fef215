from __future__ import annotations

import pytest
from django.db import IntegrityError
from hypothesis import given
from hypothesis import strategies as st

from hospital.access import services
from hospital.access.models import Institution, Membership
from hospital.access.rules import USCC_ALPHABET, uscc_valid
from hospital.common.errors import Invalid

# Synthetic unified social credit codes of standards section 3 (ID-08).
CODES = ("12310118MB2F9901X3", "12320509MB2F99028T", "12330421MB2F990360", "52310118MJ09990447")


@pytest.mark.parametrize("code", CODES)
def test_the_credit_codes_of_the_standard_pass(code: str) -> None:
    assert uscc_valid(code)


@given(st.sampled_from(CODES), st.integers(0, 17), st.characters())
def test_any_one_changed_character_of_a_credit_code_fails(code: str, place: int, other: str) -> None:
    changed = code[:place] + other + code[place + 1 :]
    assert uscc_valid(changed) == (changed == code)


@given(st.text(alphabet=USCC_ALPHABET, max_size=20).filter(lambda text: len(text) != 18))
def test_another_length_is_no_credit_code(code: str) -> None:
    assert not uscc_valid(code)


@pytest.mark.django_db
def test_a_hospital_with_a_wrong_credit_code_is_not_created() -> None:
    with pytest.raises(Invalid, match="uscc_invalid"):
        services.institution_create(
            name="医院",
            name_en="Hospital",
            short_name="医院",
            region_code="310118",
            uscc="12310118MB2F9901X4",
        )
    assert not Institution.objects.exists()


@pytest.mark.django_db
def test_a_weak_password_makes_no_user() -> None:
    with pytest.raises(Invalid, match="password_weak"):
        services.user_create(username="a", name="甲", password="123456789")


@pytest.mark.django_db
def test_nobody_holds_two_of_the_three_administrations() -> None:
    place = services.institution_create(
        name="医院", name_en="Hospital", short_name="医院", region_code="310118", uscc=CODES[0]
    )
    user, _, _ = services.user_create(username="feng", name="冯涛")
    Membership.objects.create(user=user, institution=place, role="system_admin")
    Membership.objects.create(user=user, institution=place, role="nurse")
    with pytest.raises(IntegrityError):
        Membership.objects.create(user=user, institution=place, role="audit_admin")
