"""The question on the secure page: read aloud as it stands, answered as people write numbers."""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from knowledge.roll import challenges
from knowledge.roll.challenges import Challenge, draw, notice_version, number


def drawn():
    return {draw(n.to_bytes(4, "big")) for n in range(3000)}


def test_the_same_seed_asks_the_same_and_others_ask_otherwise():
    assert draw(b"one") == draw(b"one")
    assert len(drawn()) > 100


def test_every_kind_of_question_comes_up():
    asked = {re.sub("[零一二三四五六七八九十]+", "", found.zh) for found in drawn()}
    assert len(asked) == len(challenges.data()["questions"])


def test_questions_are_words_without_digits_and_answers_are_small():
    for found in drawn():
        for language in ("zh_CN", "en"):
            asked = found.asked_in(language)
            assert not re.search(r"[0-9{}]", asked)
            assert asked.endswith(("？", "?"))
        assert 0 <= found.answer <= 20


def test_the_answer_follows_from_the_words():
    names = challenges.data()["numerals"]["zh"]
    for found in drawn():
        numbers = [names.index(word) for word in re.findall("[零一二三四五六七八九十]+", found.zh)]
        if "加" in found.zh:
            assert found.answer == sum(numbers)
        elif "减" in found.zh:
            assert found.answer == numbers[0] - numbers[1] >= 0
        elif "哪个" in found.zh:
            assert len(set(numbers)) == 2
            assert found.answer == (max if "大" in found.zh else min)(numbers)
        elif "数，" in found.zh:
            assert abs(found.answer - numbers[0]) == 1


@pytest.mark.parametrize(
    "typed",
    ["9", "９", "九", "玖", " 九 ", "九。", "9天", "九个", "=9", "等于九", "等于 9", "是九天", "答案是九",
     "nine", "Nine", "NINE.", "It is nine", "9 days"],
)  # fmt: skip
def test_nine_in_many_ways(typed):
    assert Challenge("", "", 9).answered_by(typed)


@pytest.mark.parametrize(
    ("value", "ways"),
    [
        (12, "十二|一十二|壹拾贰|拾二|12个月|十二个月|twelve"),
        (2, "两|两个|二|贰|一共两根|2 chopsticks"),
        (0, "零|〇|0"),
        (20, "二十|廿"),
        (10, "十|拾|一十|10个"),
    ],
)
def test_how_people_write_numbers(value, ways):
    assert {way: number(way) for way in ways.split("|")} == dict.fromkeys(ways.split("|"), value)


@pytest.mark.parametrize("typed", ["", "？", "不知道", "八九", "9 9", "1000", "九九九", "等于", "x" * 500])
def test_what_is_no_answer(typed):
    assert not Challenge("", "", 9).answered_by(typed)


@given(st.text(max_size=200))
def test_whatever_is_typed_is_a_number_or_none(typed):
    found = number(typed)
    assert found is None or 0 <= found <= 999


def test_the_notice_has_a_version_that_fits_its_column():
    assert 1 <= len(notice_version()) <= 16
