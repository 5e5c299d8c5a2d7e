"""What a ticket's page shows of a case that was asked step by step."""

from __future__ import annotations

import html
import re
from collections.abc import Awaitable, Callable, Mapping
from datetime import timedelta

from office.audit import SYSTEM
from office.contacts import Channel
from office.staff import Staff
from office.store import Store
from tests.admin.conftest import Browser, Clock
from tests.make import HOURS, Cast
from tests.ticketing.work import answered
from ticketing import intake, tickets, verdicts

SignedIn = Callable[[Staff], Awaitable[Browser]]


async def page(
    store: Store, cast: Cast, clock: Clock, signed_in: SignedIn, facts: Mapping[str, str], group: str
) -> str:
    """The page of a ticket with these answers, its markup taken off."""
    async with store.transaction() as session:
        ticket = await intake.open_ticket(
            session, cast.zhang_min, "我户口在嘉善，想在这里选", unit=cast.district, district=cast.district,
            channel=Channel.TELEGRAM, actor=SYSTEM, hours=HOURS, now=clock(), group=group,
            wizard_facts=facts,
        )  # fmt: skip
    shown = await (await signed_in(cast.li_qiang)).get(f"/admin/tickets/{ticket.id}")
    assert shown.status_code == 200
    return re.sub(r"\s+", " ", html.unescape(re.sub(r"<[^>]*>", " ", shown.text)))


async def test_the_answers_stand_there_in_words_with_the_group(
    store: Store, cast: Cast, clock: Clock, signed_in: SignedIn
) -> None:
    facts = {"hukou": "elsewhere", "status": "other", "cert": "no", "relax": "unsure", "organised": "no"}
    text = await page(store, cast, clock, signed_in, facts, "登记组")
    for words in (
        "您的户口在哪里？ 外省市", "现在属于哪种？ 以上都不是", "有没有户口所在地开的选民资格证明？ 没有",
        "有没有下面的情况？ 说不清", "另外说到 单位不组织登记", "转办小组 登记组",
    ):  # fmt: skip
        assert words in text


async def test_answers_that_the_rules_no_longer_know_are_shown_as_they_were_kept(
    store: Store, cast: Cast, clock: Clock, signed_in: SignedIn
) -> None:
    text = await page(store, cast, clock, signed_in, {"gone": "old", "hukou": "moon"}, "")
    assert "gone old" in text
    assert "您的户口在哪里？ moon" in text


async def test_a_ticket_without_such_answers_shows_neither(
    store: Store, cast: Cast, clock: Clock, signed_in: SignedIn
) -> None:
    text = await page(store, cast, clock, signed_in, {}, "")
    assert "提问人已回答的问题" not in text
    assert "转办小组" not in text


async def test_an_answer_keeps_its_time_when_the_ticket_is_opened_again(
    store: Store, cast: Cast, clock: Clock, signed_in: SignedIn
) -> None:
    ticket = await answered(store, cast, clock())
    clock.pass_by(timedelta(hours=3))
    async with store.transaction() as session:
        row = await tickets.get(session, ticket.id)
        await verdicts.reopen(session, row, actor=cast.li_qiang.as_actor(), hours=HOURS, now=clock())
    shown = await (await signed_in(cast.li_qiang)).get(f"/admin/tickets/{ticket.id}")
    text = re.sub(r"\s+", " ", html.unescape(re.sub(r"<[^>]*>", " ", shown.text)))
    assert re.search(r"李\* 答复 · [^·]*10:05", text), text
