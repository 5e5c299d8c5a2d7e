"""A work tip in a line or two, and its number as people write it."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from knowledge import tip_numbers, tip_receipts, tip_words, tips
from knowledge.tip_receipts import Receipt
from knowledge.tips import TipHead, TipState, WorkTip


@pytest.mark.parametrize(
    ("text", "found", "exactly"),
    [
        ("第3期", (None, 3), True),
        ("工作提示第3期", (None, 3), True),
        ("2026年第3期", (2026, 3), True),
        ("《选民登记工作提示》2026年度第 12 期", (2026, 12), True),
        ("２０２６年第３期", (2026, 3), True),
        ("第十二期", (None, 12), True),
        ("第二十期的提示", (None, 20), True),
        ("第一百零三期", (None, 103), True),
        ("请问第3期怎么说居住证", (None, 3), False),
        ("第3期 居住证", (None, 3), False),
        ("第0期", None, False),
        ("第1234期", None, False),
        ("第三组", None, False),
        ("3期", None, False),
        ("", None, False),
    ],
)
def test_numbers_as_people_write_them(text: str, found: tuple[int | None, int] | None, exactly: bool) -> None:
    assert tip_numbers.find(text) == found
    assert tip_numbers.exactly(text) == (found if exactly else None)


def test_a_number_is_written_without_noughts_and_not_before_the_release() -> None:
    made = WorkTip(year=2026, issue_no=3)
    assert (tip_words.number(made), tip_words.short_number(made)) == ("2026年第3期", "第3期")
    assert (tip_words.number(WorkTip()), tip_words.short_number(WorkTip())) == ("", "")


@pytest.mark.parametrize(
    ("wording", "lines"),
    [
        (
            "问题：怎么算？\n答复：按累计算。不要求连续；由登记站核对。还有话说。\n依据：细则",
            ("按累计算。", "不要求连续", "由登记站核对。"),
        ),
        (
            "问题：甲\n答复：是。请带证。\n问题：乙\n答复：不是。\n问题：丙\n答复：看情况。",
            ("是。请带证。", "不是。", "看情况。"),
        ),
        ("1. 先看证\n（二）再查表\n三、后登记\n4. 第四", ("先看证", "再查表", "后登记")),
        ("长" * 80, ("长" * 59 + "…",)),
        ("依据：细则", ()),
        (" \n ", ()),
        ("<b>别</b> & _改_ 😀", ("<b>别</b> & _改_ 😀",)),
    ],
)  # fmt: skip
def test_three_lines_at_most_say_what_it_lays_down(wording: str, lines: tuple[str, ...]) -> None:
    assert tip_words.bullets(WorkTip(wording=wording)) == lines


def test_a_day_of_another_year_is_told_with_its_year_and_an_end_at_midnight_by_the_day_before() -> None:
    half_past, midnight = datetime(2026, 12, 31, 1, 30, tzinfo=UTC), datetime(2026, 12, 31, 16, tzinfo=UTC)
    for at, ends, words in (
        (half_past, False, "12月31日（周四）09:30"),
        (half_past + timedelta(days=1), True, "2027年1月1日09:30"),
        (midnight, False, "2027年1月1日"),
        (midnight, True, "12月31日（周四）24:00"),
    ):
        assert tip_words.moment(at, 2026, ends=ends) == words
    assert tip_words.moment(half_past, 2027) == "2026年12月31日09:30"
    assert tip_words.moment(half_past, 2026, "en") == "Thu 31 Dec, 09:30 (Beijing time)"
    assert tip_words.moment(midnight, 2026, "en") == "1 Jan 2027"
    day = timedelta(days=1)
    for now, words in (
        (half_past - day, "09:30"), (half_past, "12-30 09:30"), (midnight, "2026-12-30 09:30")
    ):  # fmt: skip
        assert tip_receipts.when(Receipt(at=half_past - day), now) == words


def test_a_number_beside_one_of_another_year_says_its_own() -> None:
    made = WorkTip(year=2026, issue_no=41)
    for year, said in ((2026, "第41期"), (2027, "2026年第41期"), (None, "2026年第41期")):
        assert tip_words.beside(made, year) == said
    assert tip_words.beside(None, 2026) == tip_words.beside(WorkTip(), 2026) == ""


def test_the_parts_that_say_something_are_numbered_alike_in_every_language() -> None:
    made = WorkTip(origin=" ", wording="按月数\n\n计算。", steps="", contact_lines="电话")
    assert tip_words.parts(made) == [("一、统一口径", "按月数\n\n计算。"), ("二、时限与联系人", "电话")]
    assert [heading for heading, _ in tip_words.parts(made, "en")] == ["1. Wording", "2. Terms and contacts"]
    assert list(tip_words.headings({"contact_lines", "origin"}).values()) == ["一、来由", "二、时限与联系人"]


@pytest.mark.parametrize(
    ("basis", "wording", "left"),
    [
        ("实施细则第二十七条", "答复：可以。", "实施细则第二十七条"),
        ("《实施细则》第二十七条。", "依据：实施细则 第二十七条", ""),
        ("甲法第一条；乙法第二条", "依据：乙法第二条。\n甲法第一条", ""),
        ("甲法第一条；乙法第二条；丙法第三条", "依据：乙法第二条", "甲法第一条；丙法第三条"),
        ("甲法第一条；\n乙法第二条", "答复：不用。", "甲法第一条；\n乙法第二条"),
        ("甲法第一条", "依据：甲法第一条之二", "甲法第一条"),
        ("", "依据：无", ""),
    ],
)
def test_what_the_text_cites_already_is_not_cited_again(basis: str, wording: str, left: str) -> None:
    assert tip_words.basis_beside(WorkTip(basis=basis), wording) == left


def test_only_a_red_head_has_a_number_of_its_own() -> None:
    for text in ("东选办[2026]第03号", "东选办（2026）3号", "东选办〔2026〕3号", " 东选办【２０２６】003号"):
        made = WorkTip(head=TipHead.RED, document_no=text)
        assert tip_words.document_no(made) == tip_words.official_no(text) == "东选办〔2026〕3号"
    assert tip_words.official_no("东选办函第3号") == "东选办函第3号"
    assert tip_words.document_no(WorkTip(head=TipHead.PLAIN, document_no="东选办〔2026〕3号")) == ""


def test_whether_it_holds_and_may_be_seen(now: datetime) -> None:
    hour = timedelta(hours=1)
    for made, said, seen in (
        (WorkTip(state=TipState.RELEASED), "", True),
        (
            WorkTip(state=TipState.RELEASED, effective_from=now, effective_until=now + hour, send_at=now),
            "",
            True,
        ),
        (WorkTip(state=TipState.RELEASED, effective_until=now), "expired", True),
        (WorkTip(state=TipState.RELEASED, effective_from=now + hour, send_at=now + hour), "later", False),
        (WorkTip(state=TipState.SUPERSEDED, effective_until=now), "superseded", True),
        (WorkTip(state=TipState.WITHDRAWN), "withdrawn", True),
        (WorkTip(state=TipState.IN_REVIEW), "", False),
        (WorkTip(state=TipState.DRAFT, send_at=now - hour), "", False),
    ):
        assert (tip_words.outdated(made, now), tips.shown(made, now)) == (said, seen)
    assert tips.expired(WorkTip(effective_until=now), now)
    assert not tips.expired(WorkTip(effective_until=now + hour), now)
