"""The wording of the conversation: complete in every language, short, polite, without internal words."""

from __future__ import annotations

import re
from pathlib import Path
from string import Formatter

import pytest
from babel.messages.pofile import read_po

from handlers import keyboards, plain_words
from handlers.callbacks import Op
from office.words import LOCALES
from ticketing.records import TicketState

STAFF = re.compile(
    r"^(lint_|entry_|second_person|reviewer_needed|never_void|unit_|staff_|contact_unknown|ticket_unknown|draft_open"
    r"|base_file|taken|not_yours|basis_needed|reason_needed|merge_|already_promoted|name_needed|role_needed"
    r"|invite_over|username|password|not_yourself|not_permitted|text_)"
)
LONGER = {"notice", "answer_arrived", "hello"}


def read(language: str) -> dict[str, str]:
    with Path(LOCALES / language / "LC_MESSAGES" / "desk.po").open("rb") as file:
        return {str(message.id): str(message.string) for message in read_po(file) if message.id}


ZH, EN = read("zh_CN"), read("en")
ASKER = {key: text for key, text in ZH.items() if not STAFF.match(key)}


def facts(text: str) -> set[str]:
    return {name for _, name, _, _ in Formatter().parse(text) if name is not None}


def test_both_languages_have_every_key_with_the_same_facts() -> None:
    assert ZH.keys() == EN.keys()
    assert {key: facts(text) for key, text in ZH.items()} == {key: facts(text) for key, text in EN.items()}
    assert all(text.strip() for text in (*ZH.values(), *EN.values()))


@pytest.mark.parametrize("key", ZH)
def test_nobody_is_called_by_the_familiar_you(key: str) -> None:
    assert "你" not in ZH[key]


@pytest.mark.parametrize("key", ASKER)
def test_an_asker_reads_no_internal_words_and_no_long_texts(key: str) -> None:
    for word in ("工单", "应登尽登", "兜底", "排摸", "系统错误", "非法", "错误代码"):
        assert word not in ASKER[key]
    assert len(ASKER[key]) <= (160 if key in LONGER else 120)
    assert ASKER[key].count("\n") < 6 or key == "answer_arrived"


def test_every_state_and_every_topic_has_its_words() -> None:
    assert {f"asker_state.{state.value}" for state in TicketState} <= ZH.keys()
    assert {topic["key"] for topic in keyboards.quick_topics()} <= ZH.keys()


@pytest.mark.parametrize("language", ["zh_CN", "en"])
def test_keyboards_are_small(language: str) -> None:
    shown = [
        keyboards.menu(language),
        keyboards.after_answer(language, 2**31 - 1),
        keyboards.choices(language, 1, 3),
        keyboards.after_ticket(language),
        keyboards.after_ticket_answer(language, 1, 1),
        keyboards.follow_up(language, 1, 1),
        keyboards.person_or_menu(language),
        keyboards.really_forget(language),
    ]
    for keyboard in shown:
        buttons = [button for row in keyboard.inline_keyboard for button in row]
        assert 1 <= len(buttons) <= 6
        assert len({button.text for button in buttons}) == len(buttons)
        assert all(len((button.callback_data or "").encode()) <= 64 for button in buttons)
        if language == "zh_CN":
            assert all(len(button.text) <= 10 for button in buttons)


def test_deleting_and_confirming_do_not_look_alike() -> None:
    delete, _ = keyboards.really_forget("zh_CN").inline_keyboard[0]
    assert delete.style == "danger"
    assert Op.FORGET in (delete.callback_data or "")
    assert keyboards.after_answer("zh_CN", 1).inline_keyboard[0][0].style == "success"


def test_no_word_means_two_things() -> None:
    loaded = plain_words.WORDS.read_text(encoding="utf-8")
    said = [
        word.strip()
        for line in loaded.splitlines()
        if "[" in line
        for word in line.split("[")[1][:-1].split(",")
    ]
    assert len(said) == len(set(said))
    assert len(said) > 80


@pytest.mark.parametrize(
    ("said", "meant"),
    [
        ("人工", "human"),
        (" 人 工 ", "human"),
        ("人工！", "human"),
        ("ＷＨＥＮ", "when"),
        ("大字。", "large"),
        ("谢谢～", "thanks"),
    ],
)
def test_words_are_understood_however_they_are_typed(said: str, meant: str) -> None:
    assert plain_words.meaning(said) == meant


@pytest.mark.parametrize("said", ["人工智能能投票吗", "我什么时候去", "", "删除线", "x" * 30, "今天"])
def test_longer_sentences_are_no_commands(said: str) -> None:
    assert plain_words.meaning(said) is None


@pytest.mark.parametrize(
    ("said", "number"), [("1", 1), ("９", 9), ("一", 1), ("第三个", 3), ("选2", 2), ("2.", 2), ("第1", 1)]
)
def test_numbers_are_choices(said: str, number: int) -> None:
    assert plain_words.choice(said) == number


@pytest.mark.parametrize("said", ["0", "12", "十", "一个人", "第", "", "1个人能投几票", "①②"])
def test_what_is_no_choice(said: str) -> None:
    assert plain_words.choice(said) is None
