"""What an asker hears of the office's hours follows the published roster (双休日值班)."""

from __future__ import annotations

from datetime import datetime

import pytest

from office.store import Store
from tests.journeys.conversation import Chat, Town
from tests.make import Cast
from tests.ticketing.shifts import SATURDAY, at, shift

pytestmark = pytest.mark.parametrize("templates", ["sqlite"], indirect=True)
UNKNOWN = "新楼盘还没有门牌号，登记表上的地址怎么填？"


async def test_without_duty_at_the_weekend_the_next_opening_is_monday(chat: Chat, town: Town) -> None:
    town.later(hours=10)  # Friday 20:05 in Beijing
    out = await chat.says(UNKNOWN)
    assert "下次值班：11月23日（周一）08:30" in out.text
    assert "11月23日（周一）12:00" in out.text


async def test_a_saturday_shift_is_the_next_duty_and_the_promise(
    store: Store, cast: Cast, chat: Chat, town: Town
) -> None:
    await shift(store, cast, SATURDAY, "09:00-12:00")
    town.later(hours=10)
    out = await chat.says(UNKNOWN)
    assert "下次值班：11月21日（周六）09:00" in out.text
    assert "11月21日（周六）12:00" in out.text


async def test_while_the_shift_is_on_nobody_is_told_that_the_office_is_closed(
    store: Store, cast: Cast, chat: Chat, town: Town, now: datetime
) -> None:
    await shift(store, cast, SATURDAY, "09:00-12:00")
    town.later(seconds=(at(SATURDAY, "9:30") - now).total_seconds())
    out = await chat.says(UNKNOWN)
    assert "非值班时间" not in out.text
    assert "11月21日（周六）12:00" in out.text
