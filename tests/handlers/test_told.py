"""The words in which askers hear how it stands before there is an answer."""

from __future__ import annotations

import pytest

from handlers import told
from office.words import CHINESE, LANGUAGES

FACTS = {"ticket": 1, "no": "DP-1120-07-K", "promised": "2026-11-23T04:00:00+00:00", "passed": False}


@pytest.mark.parametrize(
    ("kind", "more", "expected"),
    [
        ("interim", {"text": "在核实<b>"}, "在核实&lt;b&gt;\n您的问题仍在办理，有结论会马上告诉您。"),
        (
            "extended",
            {"why": "no_entry"},
            "您的问题还在向上级请示，预计11月23日（周一）12:00前答复。感谢等待。",
        ),
        (
            "held",
            {"why": "needs_superior"},
            "您的问题还在向上级请示，预计11月23日（周一）12:00前答复。感谢等待。",
        ),
        (
            "held",
            {"why": "needs_data"},
            "您的问题还在核实数据，预计11月23日（周一）12:00前答复。感谢等待。",
        ),
        ("status", {"state": "working"}, "您的问题：正在办理。最迟11月23日（周一）12:00前答复。"),
        (
            "status",
            {"state": "assigned", "passed": True},
            "您的问题：等待办理。答复比说好的晚了，抱歉久等，我们会尽快给您答复。",
        ),
        ("status", {"state": "offline"}, "您的问题：由工作人员与您联系。"),
    ],
)
def test_each_kind_in_its_words(kind: str, more: dict[str, object], expected: str) -> None:
    text, keyboard = told.BUILDERS[kind]({**FACTS, **more}, CHINESE)
    assert (text, keyboard) == (f"编号 DP-1120-07-K\n{expected}", None)
    # No more than the longest of the sentences is allowed to be.
    assert len(expected) <= 120
    for language in LANGUAGES:
        assert "DP-1120-07-K" in told.BUILDERS[kind]({**FACTS, **more}, language)[0]
