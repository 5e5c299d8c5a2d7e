"""How a tip's messages arrived: the word for a failure, and the receipts of the first day."""

from __future__ import annotations

from datetime import datetime, timedelta

import pytest

from knowledge import tip_receipts
from knowledge.tip_receipts import ReceiptWay
from knowledge.tips import WorkTip
from office import broadcasts
from office.errors import NotFound
from office.outbox import Delivery
from office.store import Store
from tests.make import Cast
from tests.ticketing.tip_world import group, released
from ticketing import tip_arrivals, tip_release

DAY = timedelta(days=1)


async def test_receipts_of_the_first_day_count_and_of_broadcasts_the_tips_own(
    store: Store, cast: Cast, now: datetime
) -> None:
    async with store.transaction() as session:
        await group(session, cast.riverside, "-1001", now)
    tip = await released(store, cast, now)
    async with store.transaction() as session:
        row = await session.get_one(WorkTip, tip.id)
        for unit, at in ((cast.riverside, now + DAY), (cast.north, now + DAY + timedelta(seconds=1))):
            await tip_receipts.acknowledge(
                session, row, unit, person=None, way=ReceiptWay.PHONE, now=at,
                recorded_by=cast.li_qiang, signer="何静",
            )  # fmt: skip
        assert await tip_arrivals.read_in_time(session, row) == 1
        (own,) = await tip_arrivals.runs(session, row)
        other = await broadcasts.begin(session, "news:1", actor=None, starts_at=now, now=now)
        assert await tip_arrivals.run_of(session, row, own.id) is own
        with pytest.raises(NotFound):
            await tip_arrivals.run_of(session, row, other.id)
        assert await tip_arrivals.troubles(session, row) == []
    later = await released(store, cast, now, send_at=now + DAY)
    async with store.transaction() as session:
        row = await session.get_one(WorkTip, later.id)
        assert (tip_arrivals.sent_at(row), await tip_arrivals.read_in_time(session, row)) == (None, 0)
        assert await tip_arrivals.runs(session, row) == []
        # Withdrawn before it was sent: nobody has to be told.
        await tip_release.withdraw(session, row, "写错", seen=row.version, actor=cast.wang_fang, now=now)
        assert await tip_arrivals.runs(session, row) == []


def test_reasons_are_words_for_whatever_a_channel_says() -> None:
    said = {
        "TelegramForbiddenError: Forbidden: bot was kicked from the supergroup chat": "kicked",
        "TelegramForbiddenError: Forbidden: bot is not a member of the channel chat": "kicked",
        "TelegramBadRequest: Bad Request: not enough rights to send text messages": "muted",
        "TelegramBadRequest: Bad Request: chat not found": "gone",
        "the robot was removed": "removed",
        "wecom_robot refuses with 93000": "refused",
        "TelegramNetworkError: out of reach": "unreached",
        "TimeoutError": "unreached",
        "TelegramBadRequest: Bad Request: message is too long": "long",
        "KeyError": "",
    }
    found = {words: tip_arrivals.why(Delivery(last_error=words)) for words in said}
    assert found == said
