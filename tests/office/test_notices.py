"""What staff are told: once, in the console and in every chat that is bound to them."""

from __future__ import annotations

from datetime import datetime, timedelta

from sqlalchemy import select

from handlers import deliveries
from office import bindings, contacts, notices
from office.bindings import BindingState, StaffBinding
from office.contacts import Channel
from office.outbox import Delivery
from office.staff import Staff
from office.store import Store
from office.words import LANGUAGES, catalogue
from tests.make import Cast


async def bound(store: Store, cast: Cast, person: Staff, number: str, now: datetime) -> None:
    async with store.transaction() as session:
        contact = await contacts.seen(session, Channel.TELEGRAM, number, now=now)
        session.add(
            StaffBinding(
                state=BindingState.BOUND,
                staff_id=person.id,
                contact_id=contact.id,
                token_digest=number,
                invited_by_id=cast.zhou_ning.id,
                invited_at=now,
                expires_at=now,
                bound_at=now,
            )
        )


async def test_one_thing_is_told_once_and_in_each_bound_chat(store: Store, cast: Cast, now: datetime) -> None:
    await bound(store, cast, cast.li_qiang, "6001", now)
    await bound(store, cast, cast.li_qiang, "6002", now)
    facts = {"group": "登记工作群"}
    async with store.transaction() as session:
        for expected in (True, False):
            told = await notices.tell(session, cast.li_qiang.id, "group_lost", facts, key="k", now=now)
            assert told is expected
        assert await notices.tell(session, cast.wang_fang.id, "group_lost", facts, key="k", now=now)
        assert await notices.unread(session, cast.li_qiang.id) == 1
        assert len(list(await session.scalars(select(Delivery)))) == 2
        await notices.read(session, cast.li_qiang.id, now=now)
        assert await notices.unread(session, cast.li_qiang.id) == 0
        assert await notices.unread(session, cast.wang_fang.id) == 1


async def test_newest_first_and_no_more_than_asked_for(store: Store, cast: Cast, now: datetime) -> None:
    async with store.transaction() as session:
        for number in range(5):
            at = now + timedelta(minutes=number)
            await notices.tell(
                session, cast.li_qiang.id, "group_lost", {"n": number}, key=f"k{number}", now=at
            )
        found = await notices.listed(session, cast.li_qiang.id, 3)
        assert [row.facts["n"] for row in found] == [4, 3, 2]


def delivery(notice: str, subject: str = "", **facts: object) -> Delivery:
    return Delivery(kind=notices.KIND, facts={"notice": notice, **facts}, subject=subject)


def test_a_notice_is_put_into_words_with_escaped_facts_and_spoken_times() -> None:
    (sent,) = deliveries.methods(delivery("group_lost", group="<b>群</b>"), 7, "zh_CN")
    assert "&lt;b&gt;群" in sent.text  # type: ignore[attr-defined]
    (sent,) = deliveries.methods(delivery("group_lost", group="2026-11-20T02:05:00+00:00"), 7, "zh_CN")
    assert "11月20日（周五）10:05" in sent.text  # type: ignore[attr-defined]


def test_a_kind_that_is_not_known_and_missing_facts_lead_to_the_console() -> None:
    for unknown in (delivery("of_tomorrow"), delivery("group_lost", other="x")):
        (sent,) = deliveries.methods(unknown, 7, "zh_CN")
        assert sent.text == "有一条新的工作通知，请到后台查看。"  # type: ignore[attr-defined]


def test_a_notice_about_a_ticket_leads_to_ones_tickets_and_a_wish_to_swap_to_two_buttons() -> None:
    (sent,) = deliveries.methods(delivery("group_lost", "ticket:3", group="x"), 7, "zh_CN")
    assert [key.text for row in sent.reply_markup.inline_keyboard for key in row] == ["我的工单"]  # type: ignore[attr-defined]
    (sent,) = deliveries.methods(delivery("swap_asked", "duty_swap:3"), 7, "zh_CN")
    assert [key.text for row in sent.reply_markup.inline_keyboard for key in row] == ["同意", "不同意"]  # type: ignore[attr-defined]


def test_notices_are_worded_in_every_language() -> None:
    keys = {key for key in catalogue("zh_CN") if key.startswith("notice.")}
    for language in LANGUAGES:
        assert keys <= set(catalogue(language))


def test_the_kinds_of_messages_that_are_more_than_words_are_known() -> None:
    from handlers.staff_notices import MAKERS

    assert {bindings.BOUND_KIND, bindings.ENDED_KIND, notices.KIND} <= set(MAKERS)
