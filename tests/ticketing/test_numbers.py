"""Ticket numbers and progress codes: made, typed with errors, found in a sentence."""

from collections import Counter
from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ticketing.numbers import (
    CHECK_LETTERS,
    MAX_SERIAL,
    PROGRESS_ALPHABET,
    check_letter,
    complete,
    find_ticket_no,
    new_progress_code,
    normalise_code,
    parse_ticket_no,
    ticket_no,
)

DAY = date(2026, 11, 20)
DISTRICTS = st.text("ABCDEFGHIJKLMNOPQRSTUVWXYZ", min_size=2, max_size=4)
NUMBERS = st.builds(
    ticket_no, DISTRICTS, st.dates(date(2024, 1, 1), date(2030, 12, 31)), st.integers(1, MAX_SERIAL)
)


def test_the_check_letter_is_the_weighted_sum_modulo_23() -> None:
    # From the right: 7*2 + 0*3 + 0*4 + 2*5 + 1*6 + 1*7 + P(25)*8 + D(13)*9 = 354 = 15*23 + 9, letter 9.
    assert check_letter("DP-1120-07") == CHECK_LETTERS[9] == "K"
    assert check_letter("DP112007") == "K"


def test_check_letters_are_23_without_those_read_as_digits() -> None:
    assert len(set(CHECK_LETTERS)) == 23
    assert not set("IOS") & set(CHECK_LETTERS)


@pytest.mark.parametrize("body", ["", "-", "dp-1120-07", "DP 1120 07", "东浦1120"])
def test_what_is_not_the_body_of_a_number_has_no_check_letter(body: str) -> None:
    with pytest.raises(ValueError, match="body"):
        check_letter(body)


def test_a_number_is_made_from_district_day_and_serial() -> None:
    assert ticket_no("DP", DAY, 7) == "DP-1120-07-K"
    assert ticket_no("DP", date(2026, 1, 5), 123).startswith("DP-0105-123-")


@pytest.mark.parametrize(
    ("district", "serial"), [("dp", 1), ("D", 1), ("DPXYZ", 1), ("D1", 1), ("DP", 0), ("DP", 100_000)]
)
def test_a_faulty_district_or_serial_is_refused(district: str, serial: int) -> None:
    with pytest.raises(ValueError, match=r"district|serial"):
        ticket_no(district, DAY, serial)


@pytest.mark.parametrize(
    "typed",
    [
        "DP-1120-07-K",
        "dp-1120-07-k",
        "  DP-1120-07-K\n",
        "DP 1120 07 K",
        "DP112007K",
        "dp1120-07k",
        "ＤＰ－１１２０－０７－Ｋ",
        "DP—1120–07−K",
        "DP‑1120‑07‑K",
        "DP - 1120 - 07 - K",
        "DP-1120-07\u200b-K",
        "DPー1120ー07ーK",
    ],
)
def test_typed_numbers_are_understood(typed: str) -> None:
    assert parse_ticket_no(typed) == "DP-1120-07-K"
    assert find_ticket_no(f"我的编号是{typed}，有答复了吗？") == "DP-1120-07-K"


@pytest.mark.parametrize(
    "typed",
    [
        "",
        "DP-1120-07",
        "DP-1120-07-L",  # wrong check letter
        "DP-1120-08-K",
        "PD-1120-07-K",
        "DP-1120-7-K",
        "DP-1120-007-K",
        "DP-1120-00-" + check_letter("DP-1120-00"),  # serials start at 1
        "DP-1320-07-" + check_letter("DP-1320-07"),  # no such month
        "DP-1132-07-" + check_letter("DP-1132-07"),  # no such day
        "DP-1120-07-K 谢谢",
        "12-03",
        "K-0231",
        "K7M2-9QXD-4E",
    ],
)
def test_what_is_not_a_valid_number_is_not_read_as_one(typed: str) -> None:
    assert parse_ticket_no(typed) is None


@pytest.mark.parametrize("typed", ["1120-07", "1120 7", "112007", "１１２０－０７", "1120-07-k", "1120–07K"])
def test_a_number_without_its_district_is_completed(typed: str) -> None:
    assert complete(typed, ("DP",)) == ("DP-1120-07-K",)


def test_each_district_has_a_number_of_its_own_unless_the_letter_decides() -> None:
    both = (ticket_no("DP", DAY, 7), ticket_no("XP", DAY, 7))
    assert complete("1120-07", ("DP", "XP")) == both
    assert complete("1120-07-K", ("DP", "XP")) == both[:1]


@pytest.mark.parametrize(
    "typed", ["", "1120", "1120-", "1120-00", "1320-07", "0540", "12-03", "DP-1120-07", "1120-07-L", "停车"]
)
def test_what_is_no_such_number_is_not_completed(typed: str) -> None:
    assert complete(typed, ("DP",)) == ()


def test_the_first_valid_number_in_a_sentence_is_found() -> None:
    assert find_ticket_no("DP-1120-07-L写错了，是dp1120-07k，不是DP-1120-08-P") == "DP-1120-07-K"
    assert find_ticket_no("登记站12-03几点开门") is None


def test_a_number_inside_a_longer_word_is_not_found() -> None:
    assert find_ticket_no("XDP-1120-07-K9") is None
    assert find_ticket_no("DP-1120-07-KM") is None


@given(NUMBERS)
def test_every_number_is_read_back_in_every_manner(number: str) -> None:
    bare = number.replace("-", "")
    assert {parse_ticket_no(typed) for typed in (number, bare, bare.lower())} == {number}
    assert find_ticket_no(f"编号：{number}。") == number


@given(NUMBERS, st.data())
def test_one_wrong_digit_is_always_noticed(number: str, data: st.DataObject) -> None:
    at = data.draw(st.sampled_from([place for place, symbol in enumerate(number) if symbol.isdigit()]))
    wrong = data.draw(st.sampled_from([digit for digit in "0123456789" if digit != number[at]]))
    assert parse_ticket_no(number[:at] + wrong + number[at + 1 :]) is None


@given(NUMBERS, st.data())
def test_two_swapped_neighbours_are_noticed(number: str, data: st.DataObject) -> None:
    serial = number.split("-")[2]
    at = data.draw(st.integers(0, len(serial) - 2))
    swapped = serial[:at] + serial[at + 1] + serial[at] + serial[at + 2 :]
    typed = number.replace(f"-{serial}-", f"-{swapped}-")
    assert parse_ticket_no(typed) == (number if swapped == serial else None)


def test_progress_codes_use_the_whole_alphabet_and_nothing_else() -> None:
    assert len(set(PROGRESS_ALPHABET)) == 32
    assert not set("ILOU") & set(PROGRESS_ALPHABET)
    values = iter([0, 31, 17, 10])
    assert new_progress_code(lambda below: next(values) % below) == "0ZHA"


def test_progress_codes_are_random() -> None:
    seen = Counter(symbol for _ in range(2000) for symbol in new_progress_code())
    assert set(seen) == set(PROGRESS_ALPHABET)
    # 8,000 symbols, 250 of each expected with a deviation of 16: eight deviations never happen.
    assert all(120 < count < 380 for count in seen.values())


@pytest.mark.parametrize(
    ("typed", "code"),
    [
        ("0zha", "0ZHA"),
        ("OZHA", "0ZHA"),
        ("il1L", "1111"),
        (" Ｋ７Ｍ２ ", "K7M2"),
        ("k7m2—9qxd 4e", "K7M29QXD4E"),
    ],
)
def test_codes_are_compared_in_one_form(typed: str, code: str) -> None:
    assert normalise_code(typed) == code


@given(st.text())
def test_any_text_can_be_read(text: str) -> None:
    assert not set("OILabcdefghijklmnopqrstuvwxyz -") & set(normalise_code(text))
    assert find_ticket_no(text) is None or parse_ticket_no(find_ticket_no(text) or "")
