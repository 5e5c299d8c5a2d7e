"""Identity numbers and names: one form each, one digest for both, and clear reasons when there is none."""

from __future__ import annotations

import hmac
import random
from datetime import date, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from knowledge.roll.identity import (
    DIGEST_SIZE,
    REGIONS,
    BadIdentity,
    DigestKey,
    born,
    read_name,
    read_number,
    with_check,
)  # fmt: skip
from tests.voters import AYGUL, CAST, LIN_YAN, OUYANG, REGION, TAO_MIN

TODAY = date(2026, 11, 20)
KEY = DigestKey("东浦区2026", bytes(range(32)))


def refused(read: object, *given: object) -> str:
    with pytest.raises(BadIdentity) as caught:
        read(*given)  # type: ignore[operator]
    assert caught.value.facts == {}, "an error never carries what was typed"
    return caught.value.key


def generated(count: int) -> list[str]:
    """Right numbers of the invented region, the same every time."""
    chance = random.Random(18)
    first = date(1907, 1, 1)
    days = [first + timedelta(chance.randrange((TODAY - first).days)) for _ in range(count)]
    return [with_check(f"{REGION}{day:%Y%m%d}{chance.randrange(1000):03}") for day in days]


def test_every_right_number_is_read_and_every_other_check_character_refused() -> None:
    for number in generated(10_000):
        assert read_number(number, TODAY) == number
        others = [mark for mark in "0123456789X" if mark != number[-1]]
        assert refused(read_number, number[:-1] + random.Random(number).choice(others), TODAY) == (
            "identity.check"
        )


def test_a_wrong_digit_anywhere_is_noticed() -> None:
    for number in generated(200):
        for place in range(17):
            for digit in "0123456789":
                if digit != number[place]:
                    with pytest.raises(BadIdentity):
                        read_number(number[:place] + digit + number[place + 1 :], TODAY)


def test_two_neighbours_swapped_are_noticed() -> None:
    for number in generated(500):
        for place in range(16):
            swapped = number[:place] + number[place + 1] + number[place] + number[place + 2 :]
            if swapped != number:
                with pytest.raises(BadIdentity):
                    read_number(swapped, TODAY)


def test_fifteen_digits_give_the_number_of_the_new_card() -> None:
    read = 0
    for number in generated(2_000):
        if number[6:8] == "19":
            assert read_number(number[:6] + number[8:17], TODAY) == number
            read += 1
    assert read > 1_000


def test_a_number_may_be_typed_as_people_type() -> None:
    number = next(number for number in generated(100) if number.endswith("X"))
    wide = number.translate(str.maketrans("0123456789X", "０１２３４５６７８９Ｘ"))
    spaced = f" {number[:6]} {number[6:14]}\u3000{number[14:]}\n"
    for typed in (number.lower(), wide, wide.lower(), spaced):
        assert read_number(typed, TODAY) == number


@pytest.mark.parametrize(
    ("typed", "key"),
    [
        ("", "identity.shape"),
        (LIN_YAN.number[:17], "identity.shape"),
        (LIN_YAN.number + "0", "identity.shape"),
        (LIN_YAN.number[:14], "identity.shape"),
        ("X" + LIN_YAN.number[1:], "identity.shape"),
        (LIN_YAN.number[:10] + "-" + LIN_YAN.number[11:], "identity.shape"),
        (LIN_YAN.number[:16] + "²" + LIN_YAN.number[17:], "identity.check"),
        (LIN_YAN.number[:16] + "٣" + LIN_YAN.number[17:], "identity.shape"),
        (with_check("00019919780312101"), "identity.region"),
        (with_check("99019919780312101"), "identity.region"),
        (with_check(f"{REGION}19780230101"), "identity.birth"),
        (with_check(f"{REGION}19781301101"), "identity.birth"),
        (with_check(f"{REGION}19000229101"), "identity.birth"),
        (with_check(f"{REGION}19051231101"), "identity.birth"),
        (with_check(f"{REGION}20261121101"), "identity.birth"),
    ],
)
def test_what_nobody_can_have_is_refused_with_a_reason(typed: str, key: str) -> None:
    assert refused(read_number, typed, TODAY) == key


def test_somebody_may_be_born_today_and_a_hundred_and_twenty_years_ago() -> None:
    assert born("20261120", TODAY) == TODAY
    assert born("20261121", TODAY) is None
    assert born("19060101", TODAY) == date(1906, 1, 1)
    assert born("19051231", TODAY) is None
    assert born("20000229", TODAY) == date(2000, 2, 29)


def test_regions_are_those_of_the_standard() -> None:
    assert len(REGIONS) == 35
    assert {"11", "31", "65", "71", "81", "83"} - REGIONS == set()
    assert not {"10", "16", "30", "66", "70", "84", "91"} & REGIONS


@pytest.mark.parametrize("voter", [*CAST, TAO_MIN])
def test_rare_characters_are_right(voter: object) -> None:
    assert read_name(voter.name) == voter.name  # type: ignore[attr-defined]


@pytest.mark.parametrize(
    ("typed", "read"),
    [
        (" 欧阳 𠅤 ", OUYANG.name),
        ("阿依𫖯•买买提", AYGUL.name),
        ("阿依𫖯．买买提", AYGUL.name),
        ("阿依𫖯・买买提", AYGUL.name),
        ("阿依𫖯.买买提", AYGUL.name),
        ("Lin䶮a", "LIN䶮A"),
        ("ｌｉｎ䶮", "LIN䶮"),
    ],
)
def test_a_name_has_one_form(typed: str, read: str) -> None:
    assert read_name(typed) == read
    assert read_name(read) == read


@pytest.mark.parametrize(
    "typed",
    [
        "", " ", "林?", "林？", "林□", "林*", "林1", "·林", "林·", "林··䶮",
        "林\ue000", "林\ufffd", "林\0", "林_", "䶮" * 61,
    ],
)  # fmt: skip
def test_what_is_no_name_is_refused(typed: str) -> None:
    assert refused(read_name, typed) == "identity.name"


@given(st.text(max_size=12))
def test_a_name_that_was_read_is_read_again_as_it_is(typed: str) -> None:
    try:
        name = read_name(typed)
    except BadIdentity:
        return
    assert read_name(name) == name


def test_one_digest_covers_name_and_number() -> None:
    digest = KEY.identity(LIN_YAN.name, LIN_YAN.number)
    assert len(digest) == DIGEST_SIZE
    message = f"东浦区2026\x1fidentity\x1f{LIN_YAN.name}\x1f{LIN_YAN.number}".encode()
    assert digest == hmac.digest(bytes(range(32)), message, "sha256")[:16]
    others = {
        KEY.identity(OUYANG.name, LIN_YAN.number),
        KEY.identity(LIN_YAN.name, OUYANG.number),
        KEY.receipt(LIN_YAN.receipt),
        DigestKey("西浦区2026", KEY.secret).identity(LIN_YAN.name, LIN_YAN.number),
        DigestKey("东浦区2026", bytes(32)).identity(LIN_YAN.name, LIN_YAN.number),
    }
    assert len(others) == 5
    assert digest not in others


def test_a_key_shows_its_name_and_not_its_secret() -> None:
    assert KEY.as_text() not in repr(KEY)
    assert str(KEY.secret) not in repr(KEY)
    assert len(KEY.key_id) == 16
    assert KEY.key_id != DigestKey("东浦区2026", bytes(32)).key_id
