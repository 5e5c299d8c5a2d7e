"""Normalising, readings, splitting and greetings."""

from pathlib import Path

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from knowledge.text import Lexicon, is_greeting, is_latin, normalise, pinyin, split_questions

DATA = yaml.safe_load((Path(__file__).parents[2] / "data" / "lexicon.yaml").read_text(encoding="utf-8"))
LEXICON = Lexicon.from_data(DATA)


@pytest.mark.parametrize(
    ("written", "meant"),
    [
        ("啥辰光投票伐？", "什么时候投票吗"),
        ("請問選民證不見了怎麼辦？謝謝！", "选民证丢了怎么办"),
        ("ＸＵＡＮ　ＭＩＮ 证", "xuan min证"),
        ("你好，我想问一下，没单位在哪登记呀", "没单位在哪里登记"),
        ("在啥场化登计选名", "在哪里登记选民"),
        ("咋整", "怎么办"),
        ("登记站在那里，怎末去，带什麽", "登记站在哪里怎么去带什么"),
        ("阿拉屋里厢有老人走勿动", "我家里有老人行动不便"),
        ("外地户籍能登记吗", "外省市户口能登记吗"),
        ("乡下户口能登记吗", "外省市户口能登记吗"),
        ("满十八岁就能投票吗", "满18岁就能投票吗"),
        ("一百二十人一张票", "120人1张票"),
        ("选\u200b民\x00名\ud800单", "选民名单"),
        ("hello, 老师", ""),
        ("伊朗人能投票吗", "伊朗人能投票吗"),
        ("伐木工人在哪登记", "伐木工人在哪里登记"),
        ("，。？！", ""),
    ],
)
def test_one_form_for_many_spellings(written: str, meant: str) -> None:
    assert normalise(written, LEXICON) == meant


def test_longest_word_wins_and_protected_words_stay() -> None:
    lexicon = Lexicon.from_data(
        {"groups": [{"words": {"户口": "籍", "户口簿": "簿", "空户口": "空户口"}}]},
    )
    assert normalise("户口户口簿空户口", lexicon) == "籍簿空户口"


def test_a_word_with_two_meanings_is_refused() -> None:
    with pytest.raises(ValueError, match="票子"):
        Lexicon.from_data({"groups": [{"words": {"票子": "选票"}}, {"words": {"票子": "钱"}}]})


def test_every_group_says_where_it_comes_from() -> None:
    for group in DATA["groups"]:
        assert group["provenance"]
        assert group["kind"] in {"dialect", "colloquial", "typo", "synonym", "filler", "protect"}
        assert group["words"]


def test_no_lexicon_word_is_undone_by_another() -> None:
    """What a word means must itself stay as it is, or the order of passes would matter."""
    for meant in LEXICON.words.values():
        if len(meant) > 2:
            assert normalise(f"甲{meant}乙", LEXICON) == f"甲{meant}乙"


@given(st.text(alphabet=st.characters(), max_size=60))
def test_any_text_is_normalised_without_error(text: str) -> None:
    assert all(char.isalnum() or char == " " for char in normalise(text, LEXICON))
    pinyin(text)
    split_questions(text)
    is_greeting(text)


def test_pinyin_has_no_tones_and_cuts_latin_runs() -> None:
    assert pinyin("绿女登记") == ["lv", "nv", "deng", "ji"]
    assert pinyin("wo zai nali dengji") == ["wo", "zai", "na", "li", "deng", "ji"]
    assert pinyin("我想dengji") == ["wo", "xiang", "deng", "ji"]
    assert pinyin("https") == ["https"]


def test_homophones_sound_alike() -> None:
    assert pinyin("选名登计") == ["xuan", "ming", *pinyin("登记")]
    assert pinyin("投飘") == pinyin("投票")


def test_latin_means_no_chinese_character_at_all() -> None:
    assert is_latin("xuanmin dengji")
    assert not is_latin("xuanmin登记")
    assert not is_latin("123")


@pytest.mark.parametrize(
    ("message", "questions"),
    [
        ("什么时候登记？在哪里登记？", ["什么时候登记？", "在哪里登记？"]),
        ("1.什么时候登记 2、在哪里登记 3.要带什么", ["什么时候登记", "在哪里登记", "要带什么"]),
        ("什么时候登记，还有要带什么材料", ["什么时候登记", "还有要带什么材料"]),
        # A story with one question stays whole, and so does a question that leans on the one before.
        ("我退休了。户口在老家。在哪登记？", ["我退休了。户口在老家。在哪登记？"]),
        ("选民证丢了吗？怎么办？", ["选民证丢了吗？怎么办？"]),
        # A statement belongs to the question after it.
        ("投票几点开始？我爸住院了。他怎么投？", ["投票几点开始？", "我爸住院了。他怎么投？"]),
        ("投票几点开始？他怎么投？我爸住院了。", ["投票几点开始？", "他怎么投？我爸住院了。"]),
        ("我爸住院，还有我妈走不动，怎么投票", ["我爸住院，还有我妈走不动，怎么投票"]),
        ("我要登记", ["我要登记"]),
        ("？！", []),
        ("", []),
    ],
)
def test_several_questions_in_one_message(message: str, questions: list[str]) -> None:
    assert split_questions(message) == questions


def test_at_most_five_questions_and_nothing_is_lost() -> None:
    message = "？".join(f"第{n}个怎么办理" for n in range(1, 9)) + "？"
    found = split_questions(message)
    assert len(found) == 5
    assert "".join(found) == message


@pytest.mark.parametrize(
    "message", ["在吗", "你好", "？", "？？", "您好，在吗？", "Hello", "hi~", "👍", "喂，有人吗"]
)
def test_greetings_ask_nothing(message: str) -> None:
    assert is_greeting(message)


@pytest.mark.parametrize("message", ["", "  ", "你好，怎么登记", "在哪里登记", "早上几点开门", "登记"])
def test_questions_are_not_greetings(message: str) -> None:
    assert not is_greeting(message)
