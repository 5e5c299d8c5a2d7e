"""A work tip in a line or two, and its number as people write it."""

from __future__ import annotations

from datetime import datetime, timedelta

import pytest

from knowledge import tip_numbers, tip_words, tips
from knowledge.tips import TipState, WorkTip


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
