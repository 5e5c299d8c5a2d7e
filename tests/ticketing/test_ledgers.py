"""Enquiries: one row a question, with what the matcher thought of it."""

from __future__ import annotations

from datetime import UTC, date, datetime

import pytest

from office import contacts
from office.contacts import Channel
from office.errors import NotFound
from office.store import Store
from tests.make import Cast
from ticketing import ledgers
from ticketing.ledgers import Outcome


async def test_an_enquiry_keeps_channel_day_and_the_offer(store: Store, cast: Cast, now: datetime) -> None:
    async with store.transaction() as session:
        written = await ledgers.record(
            session, cast.zhang_min, "选民证", outcome=None, now=now, offered=(4, 17), probability=0.6
        )
    async with store.reading() as session:
        found = await ledgers.of_contact(session, written.id, cast.zhang_min)
    assert (found.channel, found.offered, found.probability) == (Channel.TELEGRAM, ["4", "17"], 0.6)
    assert (found.outcome, found.business_day) == (None, date(2026, 11, 20))


async def test_three_minutes_past_midnight_in_beijing_is_the_new_day(store: Store, cast: Cast) -> None:
    async with store.transaction() as session:
        at = datetime(2026, 11, 20, 16, 3, tzinfo=UTC)
        written = await ledgers.record(session, cast.zhang_min, "选民证", outcome=Outcome.AUTO, now=at)
    assert written.business_day == date(2026, 11, 21)


async def test_somebody_else_s_enquiry_is_an_expired_button(store: Store, cast: Cast, now: datetime) -> None:
    async with store.transaction() as session:
        stranger = await contacts.seen(session, Channel.WEB, "5001", now=now)
        written = await ledgers.record(session, cast.zhang_min, "选民证", outcome=None, now=now)
        for number in (written.id, 404):
            with pytest.raises(NotFound, match="expired_button"):
                await ledgers.of_contact(session, number, stranger)
