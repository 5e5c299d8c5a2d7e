"""What only mutation testing showed: details of the pure modules that no other test holds fast.

The lexicon here is a small one of its own, so that what the office writes into its own changes nothing.
"""

from __future__ import annotations

import pytest

from knowledge import gate as gates
from knowledge.gate import Gate, gate
from knowledge.text import Lexicon, is_greeting, normalise, plain, split_questions

LEXICON = Lexicon.from_data(
    {
        "particles": {"words": {"伐": "吗", "么": "吗"}},
        "fillers": {"start": ["hi", "请问"], "end": ["谢谢"]},
    }
)


@pytest.mark.parametrize("hidden", ["\x00", "\u200b", "\ud800", "\ue000", "\u0378"])
def test_what_cannot_be_seen_does_not_part_a_latin_word(hidden: str) -> None:
    assert plain(f"vo{hidden}te") == "vote"


@pytest.mark.parametrize("gap", ["\t", "\r", "\x0b\t", "\u3000", "  ", " \n", "/"])
def test_what_can_be_seen_parts_latin_words(gap: str) -> None:
    assert plain(f"vote{gap}now") == "vote now"


@pytest.mark.parametrize(
    ("said", "meant"),
    [
        ("能去伐", "能去吗"),
        ("好伐", "好伐"),
        ("能登记伐，要带证么", "能登记吗要带证吗"),
        # A particle stands at the end of a clause; a bracket or a quotation mark ends none.
        ("伐《木》伐《木》工", "伐木伐木工"),
        ("要带什么", "要带什么"),
        ("那应该怎么", "那应该怎么"),
        ("大家都这么", "大家都这么"),
        ("也不能那么", "也不能那么"),
        ("什么也要么", "什么也要吗"),
    ],
)
def test_a_particle_at_the_end_of_a_clause(said: str, meant: str) -> None:
    assert normalise(said, LEXICON) == meant


@pytest.mark.parametrize(
    ("said", "meant"),
    [
        ("hi登记", "登记"),
        ("hi", ""),
        ("hi vote", "hi vote"),
        ("hia登记", "hia登记"),
        ("请问hi登记谢谢", "登记"),
        ("请问，在哪登记，谢谢", "在哪登记"),
    ],
)
def test_a_latin_greeting_is_taken_off_only_as_a_word(said: str, meant: str) -> None:
    assert normalise(said, LEXICON) == meant


@pytest.mark.parametrize(
    ("said", "meant"),
    [("二零二六年", "2026年"), ("一百零五岁", "105岁"), ("二十三号", "23号"), ("十天", "10天")],
)
def test_numerals_before_a_unit(said: str, meant: str) -> None:
    assert normalise(said, LEXICON) == meant


@pytest.mark.parametrize(
    ("message", "questions"),
    [
        ("投票几点开始？证丢了吗？怎么办？", ["投票几点开始？", "证丢了吗？怎么办？"]),
        (
            "几点开始投票？我退休了。我住镇上。在哪登记？",
            ["几点开始投票？", "我退休了。我住镇上。在哪登记？"],
        ),
        ("几点投票？在哪投？我退休了。我住镇上。", ["几点投票？", "在哪投？我退休了。我住镇上。"]),
        ("几点投票？\n我退休了\n在哪登记？", ["几点投票？", "我退休了，在哪登记？"]),
        ("几点投票？在哪登记\n我退休了", ["几点投票？", "在哪登记，我退休了，"]),
    ],
)
def test_what_is_told_stays_with_its_question_as_it_was_told(message: str, questions: list[str]) -> None:
    assert split_questions(message) == questions


def test_exactly_five_questions_stay_as_they_were_written() -> None:
    questions = ["几点投票？", "在哪登记？", "要带什么？", "能代办吗？", "什么时候截止"]
    assert split_questions("".join(questions)) == questions


@pytest.mark.parametrize("message", ["hello hello", "hi hi 你好", "在吗 在吗"])
def test_greetings_with_spaces_between_them(message: str) -> None:
    assert is_greeting(message)


@pytest.mark.parametrize(
    ("words", "stopped"),
    [
        ("where is voting", Gate.OTHER_LANGUAGE),
        ("where can I vote", Gate.OTHER_LANGUAGE),
        ("xuanmin zai nali", None),
        ("where is 投票站", None),
    ],
)
def test_english_is_told_by_a_common_word(words: str, stopped: Gate | None) -> None:
    assert gate(words) is stopped


def test_the_rules_are_read_from_their_file() -> None:
    """Each kind of rule stops and lets through after a fresh reading, whatever was read before."""
    for kept in vars(gates).values():
        if hasattr(kept, "cache_clear"):
            kept.cache_clear()
    assert gate("选谁好") is gate("谁会当选") is Gate.OPINION
    assert gate("我要举报") is gate("有人挨家挨户发油发米让投他") is Gate.REPORT
    assert gate("查一下张三登记没有") is Gate.OTHER_PERSON
    assert gate("我不想活了") is Gate.DISTRESS
    assert gate("谁来选代表") is gate("举报贿选打什么电话") is None
    assert gates.in_our_field("选民登记")
    assert not gates.in_our_field("明天下雨")
