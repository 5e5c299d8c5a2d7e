"""Answers, times and long texts put into words."""

from __future__ import annotations

import re
from dataclasses import replace
from datetime import UTC, date, datetime

import pytest

from handlers import speech
from knowledge.answer import Answer
from office.errors import TooMany

FOUND = Answer(
    entry_id=1, version_id=1, entry_no="K-0001", number=3, topic="contact",
    question="去哪里登记<b>？",
    short="去登记站。带身份证。", full="去登记站。\n晚上也开门。带身份证。",
    steps=("先取号 & 排队", "再登记"), documents=("身份证", "户口簿"),
    basis=("某细则第一条", "某细则第二条"), confirmed=True, scope="东浦区", issuer="区选举办", group="登记组",
    published_on=date(2026, 11, 18),
)  # fmt: skip


def test_a_work_tip_that_brought_the_wording_is_named() -> None:
    last = speech.answer(replace(FOUND, tip=(2026, 3))).splitlines()[-1]
    assert last == "<i>口径：K-0001 第3版 · 2026-11-18 · 区选举办 登记组 · 工作提示2026年第3期</i>"


def test_the_whole_answer() -> None:
    assert speech.answer(FOUND) == (
        "<b>【去哪里登记&lt;b&gt;？】</b>\n"
        "👉 去登记站。带身份证。\n"
        "\n"
        "晚上也开门。\n"
        "\n"
        "1. 先取号 &amp; 排队\n"
        "2. 再登记\n"
        "要带：户口簿\n"
        "\n"
        "<i>依据：某细则第一条、第二条　适用：东浦区</i>\n"
        "<i>口径：K-0001 第3版 · 2026-11-18 · 区选举办 登记组</i>"
    )


def test_the_brief_answer_keeps_the_basis() -> None:
    assert speech.answer(FOUND, brief=True) == (
        "<b>【去哪里登记&lt;b&gt;？】</b>\n"
        "👉 去登记站。带身份证。\n"
        "\n"
        "<i>依据：某细则第一条、第二条　适用：东浦区</i>\n"
        "<i>口径：K-0001 第3版</i>"
    )


def test_a_law_is_named_once_in_a_row() -> None:
    basis = ("甲法第一条第二款", "甲法第三条", "乙规定", "甲法第四条", "待公告", "待公告")
    assert "依据：甲法第一条第二款、第三条；乙规定；甲法第四条；待公告；待公告　" in speech.answer(
        replace(FOUND, basis=basis)
    )


def test_a_text_that_only_repeats_is_left_out() -> None:
    text = speech.answer(replace(FOUND, full=FOUND.short, steps=(), documents=()))
    assert text.count("去登记站") == 1
    assert "\n\n\n" not in text


def test_times_are_beijing_times() -> None:
    at = datetime(2026, 11, 20, 16, 5, tzinfo=UTC)
    assert speech.spoken_time(at) == "11月21日（周六）00:05"
    assert speech.spoken_time(at, "en") == "Sat 21 Nov 00:05 (Beijing time)"


def test_a_refusal_spells_its_time_out() -> None:
    error = TooMany("rate_limited", until=datetime(2026, 11, 20, 2, 10, tzinfo=UTC))
    assert speech.refusal(error, "zh_CN") == "次数较多，请于11月20日（周五）10:10后再试。"


@pytest.mark.parametrize("length", [1, 4095, 4096])
def test_what_fits_stays_whole(length: int) -> None:
    assert speech.parts("选" * length) == ["选" * length]


@pytest.mark.parametrize("text", ["选" * 4097, "选民\n" * 3000, "短\n" + "长" * 9000 + "\n短", "a\n" * 30000])
def test_long_texts_are_numbered_and_nothing_is_lost(text: str) -> None:
    pieces = speech.parts(text)
    assert all(len(piece) <= 4096 for piece in pieces)
    for number, piece in enumerate(pieces, start=1):
        assert piece.endswith(f"\n({number}/{len(pieces)})")
    joined = "".join(re.sub(r"\n\(\d+/\d+\)$", "", piece) for piece in pieces)
    assert joined.replace("\n", "") == text.replace("\n", "")


def test_no_tag_and_no_entity_is_cut() -> None:
    lines = "\n".join(f"<b>{number}</b> &amp; <i>x</i>" for number in range(600))
    for piece in speech.parts(lines):
        assert piece.count("<b>") == piece.count("</b>")
        assert piece.count("<i>") == piece.count("</i>")
    for shift in range(8):
        pieces = speech.parts("x" * shift + "&quot;" * 2000)
        for piece in pieces:
            body = re.sub(r"\n\(\d+/\d+\)$", "", piece).lstrip("x")
            assert re.fullmatch(r"(&quot;)*", body)
