"""What is told without being asked, in words."""

from __future__ import annotations

from datetime import UTC, date, datetime

import pytest

from handlers import deliveries
from knowledge import reminders
from knowledge.milestones import K, KeyDate
from knowledge.moves import Move
from office.outbox import Delivery


@pytest.mark.parametrize(
    ("lang", "old", "new"),
    [("zh_CN", "12月29日（周二）", "2027年1月5日（周二）"), ("en", "Tue 29 Dec", "Tue 5 Jan 2027")],
)
def test_a_day_moved_into_another_year_is_told_with_the_year(lang: str, old: str, new: str) -> None:
    before, after = (KeyDate(K.VOTING, day, day) for day in (date(2026, 12, 29), date(2027, 1, 5)))
    delivery = Delivery(
        kind=reminders.MOVED,
        facts={"moves": [Move(K.VOTING, "", before, after).as_facts()]},
        created_at=datetime(2026, 11, 20, 2, tzinfo=UTC),
    )
    (message,) = deliveries.methods(delivery, 5001, lang)
    assert old in message.text
    assert new in message.text
    assert "2026" not in message.text
