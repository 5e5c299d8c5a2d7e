"""How the wizard's answers travel in a button, and how they are summed up."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from knowledge import packs
from knowledge.eligibility import BadFacts
from knowledge.wizard import pack_up, summary, unpack

Facts = dict[str, str]


@st.composite
def some_facts(draw: st.DrawFn) -> tuple[str, Facts]:
    pack_id = draw(st.sampled_from(packs.names()))
    slots = packs.load(pack_id).slots
    return pack_id, {
        slot.code: draw(st.sampled_from([*(option.code for option in slot.options), "other", "unsure"]))
        for slot in draw(st.lists(st.sampled_from(slots), unique_by=lambda slot: slot.code))
    }


@given(some_facts())
def test_what_was_packed_comes_out_again(given_facts: tuple[str, Facts]) -> None:
    pack_id, facts = given_facts
    code = pack_up(packs.load(pack_id), facts)
    assert re.fullmatch(r"[a-z0-9-]{1,12}", code)
    assert unpack(packs.load(pack_id), code) == facts


@given(st.text(max_size=14))
def test_a_code_is_either_ours_or_refused(code: str) -> None:
    pack = packs.load("shanghai")
    try:
        facts = unpack(pack, code)
    except ValueError:
        return
    assert pack_up(pack, facts) == code


def test_what_a_button_carries() -> None:
    pack = packs.load("shanghai")
    assert pack_up(pack, {}) == "---------"
    assert pack_up(pack, {"hukou": "elsewhere", "cert": "how", "relax": "unsure"}) == "-2----2u-"
    assert pack_up(pack, {"age": "other", "organised": "no"}) == "o-------1"


@pytest.mark.parametrize(
    "code", ["", "--------", "----------", "-9-------", "-x-------", "-5-------", "-²-------", "-٣-------"]
)
def test_a_code_of_another_pack_or_time_is_refused(code: str) -> None:
    with pytest.raises(ValueError, match=r"a (code|sign)"):
        unpack(packs.load("shanghai"), code)


def test_unknown_facts_are_not_packed() -> None:
    with pytest.raises(BadFacts):
        pack_up(packs.load("shanghai"), {"hukou": "mars"})


@pytest.mark.parametrize(
    ("facts", "chinese", "english"),
    [
        (
            {"hukou": "elsewhere", "status": "work", "unit": "plain", "cert": "no", "relax": "no"},
            ("外省市户口", "在职", "没有证明"),
            ("household in another province", "employed", "without the certificate"),
        ),
        (
            {"relax": "married_in", "cert": "no", "live": "apart", "status": "none", "hukou": "elsewhere"},
            ("外省市户口", "没有单位", "不住在户口所在地", "没有证明", "和本地人结婚"),
            (
                "household in another province", "no employer", "not living at the registered address",
                "without the certificate", "married to a local resident",
            ),
        ),
        # What does not apply is not repeated: the certificate is a question to other provinces only.
        (
            {"hukou": "local", "status": "retired", "cert": "no", "unit": "rep"},
            ("本区户口", "退休"),
            ("household in this district", "retired"),
        ),
        (
            {"hukou": "other", "status": "unsure", "age": "other"},
            ("您的户口在哪里：不在选项里", "现在属于哪种：说不清"),
            (
                "Where is your household registered: none of the options",
                "Which of these are you now: not sure",
            ),
        ),
        ({}, (), ()),
    ],
)  # fmt: skip
def test_the_case_in_words(facts: Facts, chinese: tuple[str, ...], english: tuple[str, ...]) -> None:
    pack = packs.load("shanghai")
    assert summary(pack, facts) == chinese
    assert summary(pack, facts, "en") == english
