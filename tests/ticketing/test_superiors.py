"""Up to the city and back, and down to a street office, with the reach that follows."""

from __future__ import annotations

from datetime import date, datetime, timedelta

import pytest

from office import audit
from office.errors import Conflict, Invalid, NotFound, NotPermitted
from office.staff import Role
from office.store import Store
from tests.make import HOURS, Cast
from tests.ticketing.confidences import person, take
from tests.ticketing.work import opened, read, taken
from ticketing import assigning, checking, holding, queue, superiors, tickets
from ticketing.checking import Count, Paper
from ticketing.records import Ticket, TicketKind, TicketState, UnansweredReason

NO = "东选请〔2026〕7号"
REPLY_NO = "市选复〔2026〕12号"
REPLY = "同意按现居住地登记。"
S = TicketState


async def asked(store: Store, cast: Cast, now: datetime) -> Ticket:
    """A ticket of 李强's about which the city office has been asked."""
    ticket = await taken(store, cast, now)
    async with store.transaction() as session:
        found = await tickets.get(session, ticket.id)
        await superiors.ask_up(session, found, f" {NO} ", actor=cast.li_qiang, now=now)
    return found


async def test_the_reference_stands_on_the_ticket_which_stays(
    store: Store, cast: Cast, now: datetime
) -> None:
    ticket = await asked(store, cast, now)
    assert (ticket.superior_no, ticket.superior_asked_at) == (NO, now)
    assert (ticket.state, ticket.assignee_id) == (S.WORKING, cast.li_qiang.id)
    assert ticket.why_unanswered is UnansweredReason.NEEDS_SUPERIOR
    async with store.transaction() as session:
        found = await tickets.get(session, ticket.id)
        with pytest.raises(Conflict, match="superior_asked"):
            await superiors.ask_up(session, found, NO, actor=cast.li_qiang, now=now)


async def test_whoever_holds_it_asks_and_says_under_which_number(
    store: Store, cast: Cast, now: datetime
) -> None:
    ticket = await taken(store, cast, now)
    async with store.transaction() as session:
        found = await tickets.get(session, ticket.id)
        with pytest.raises(Conflict, match="not_yours"):
            await superiors.ask_up(session, found, NO, actor=cast.wang_fang, now=now)
        with pytest.raises(NotPermitted):
            await superiors.ask_up(session, found, NO, actor=cast.zhao_lei, now=now)
        with pytest.raises(Invalid, match="superior_no"):
            await superiors.ask_up(session, found, "  ", actor=cast.li_qiang, now=now)


async def test_the_reply_becomes_the_basis(store: Store, cast: Cast, now: datetime) -> None:
    ticket = await asked(store, cast, now)
    later = now + timedelta(hours=1)
    async with store.transaction() as session:
        found = await tickets.get(session, ticket.id)
        day = date(2026, 11, 20)
        for text, number, on, key in (
            ("", REPLY_NO, day, "text_needed"),
            (REPLY, "", day, "superior_no"),
            (REPLY, REPLY_NO, date(2026, 11, 21), "superior_day"),
        ):
            with pytest.raises(Invalid, match=key):
                await superiors.answered(
                    session, found, text, number, on, actor=cast.li_qiang, hours=HOURS, now=later
                )
        await superiors.answered(
            session, found, REPLY, REPLY_NO, day, actor=cast.li_qiang, hours=HOURS, now=later
        )
        assert found.conclusion_basis == f"{REPLY_NO}（2026年11月20日）：{REPLY}"
        assert found.superior_answered_at == later
        assert (await queue.thread(session, found))[-1].text == f"{REPLY_NO}（2026年11月20日）\n{REPLY}"
        with pytest.raises(Conflict, match="superior_not_asked"):
            await superiors.answered(
                session, found, REPLY, REPLY_NO, day, actor=cast.li_qiang, hours=HOURS, now=later
            )
        (line,), _ = await audit.listed(session, action="ticket.superior_answer")
        assert line.facts == {}


async def test_the_reply_ends_the_hold_that_waited_for_it(store: Store, cast: Cast, now: datetime) -> None:
    ticket = await asked(store, cast, now)
    async with store.transaction() as session:
        found = await tickets.get(session, ticket.id)
        why = UnansweredReason.NEEDS_SUPERIOR
        until = now + timedelta(hours=24)
        await holding.want(session, found, why, until, actor=cast.li_qiang, now=now)
        await holding.grant(session, found, actor=cast.wang_fang, hours=HOURS, now=now)
    async with store.transaction() as session:
        found = await tickets.get(session, ticket.id)
        later = now + timedelta(hours=2)
        await superiors.answered(
            session, found, REPLY, REPLY_NO, date(2026, 11, 20), actor=cast.li_qiang, hours=HOURS, now=later
        )
        assert (found.state, found.assignee_id) == (S.WORKING, cast.li_qiang.id)


async def test_down_to_an_officer_of_the_town(store: Store, cast: Cast, now: datetime) -> None:
    """Its reach follows at once; whoever took it first answers for it until 赵磊 accepts."""
    ticket = await taken(store, cast, now)
    async with store.reading() as session:
        with pytest.raises(NotFound):
            await queue.seen_by(session, cast.zhao_lei, ticket.id)
    async with store.transaction() as session:
        found = await tickets.get(session, ticket.id)
        await superiors.down(
            session, found, cast.north, cast.zhao_lei, "属北塘镇", actor=cast.li_qiang, now=now
        )
        assert (found.state, found.unit_id, found.assignee_id) == (
            S.ASSIGNED,
            cast.north.id,
            cast.zhao_lei.id,
        )
        assert found.first_taker_id == cast.li_qiang.id
    async with store.transaction() as session:
        seen, _ = await queue.seen_by(session, cast.zhao_lei, ticket.id)
        await assigning.accept(session, seen, actor=cast.zhao_lei, now=now)
        assert seen.state is S.WORKING
        lines, _ = await audit.listed(session, action="ticket.down")
        assert lines[0].facts == {"unit": [cast.district.id, cast.north.id]}


async def test_down_into_the_towns_queue(store: Store, cast: Cast, now: datetime) -> None:
    ticket = await taken(store, cast, now)
    async with store.transaction() as session:
        found = await tickets.get(session, ticket.id)
        await superiors.down(session, found, cast.north, None, "属北塘镇", actor=cast.li_qiang, now=now)
        assert (found.state, found.assignee_id, found.reason) == (S.UNASSIGNED, None, "属北塘镇")
        assert found.group == ""
    async with store.transaction() as session:
        seen, _ = await queue.seen_by(session, cast.zhao_lei, ticket.id)
        await tickets.take(session, seen, actor=cast.zhao_lei, now=now)


async def test_where_it_cannot_go(store: Store, cast: Cast, now: datetime) -> None:
    ticket = await taken(store, cast, now)
    async with store.transaction() as session:
        street = await person(session, cast.riverside, "陈晨", now, Role.DUTY_OFFICER)
        found = await tickets.get(session, ticket.id)
        with pytest.raises(Invalid, match="unit_not_below"):
            await superiors.down(session, found, cast.district, None, "理由", actor=cast.li_qiang, now=now)
        with pytest.raises(NotPermitted):
            await superiors.down(session, found, cast.north, street, "理由", actor=cast.li_qiang, now=now)
        with pytest.raises(Invalid, match="reason_needed"):
            await superiors.down(session, found, cast.north, None, " ", actor=cast.li_qiang, now=now)
        with pytest.raises(Conflict, match="not_yours"):
            await superiors.down(session, found, cast.north, None, "理由", actor=cast.wang_fang, now=now)
        with pytest.raises(NotPermitted):
            await superiors.down(session, found, cast.north, None, "理由", actor=cast.zhao_lei, now=now)
        assert found.unit_id == cast.district.id


async def test_nothing_of_it_for_a_confidential_case(store: Store, cast: Cast, now: datetime) -> None:
    ticket = await take(store, cast, await opened(store, cast, now), now)
    async with store.transaction() as session:
        found = await tickets.get(session, ticket.id)
        with pytest.raises(Conflict):
            await superiors.down(session, found, cast.north, None, "理由", actor=cast.li_qiang, now=now)


async def test_a_check_with_its_second_look(store: Store, cast: Cast, now: datetime) -> None:
    ticket = await taken(store, cast, now, kind=TicketKind.VERIFY)
    async with store.transaction() as session:
        found = await tickets.get(session, ticket.id)
        more = {"seen": frozenset({Paper.MARRIAGE, Paper.PLEDGE}), "image_no": "Y-12", "failed": ""}
        with pytest.raises(Invalid, match="check_missing"):
            await checking.looked_at(
                session, found, category="", online="已比对", actor=cast.li_qiang, now=now, **more
            )
        await checking.looked_at(
            session, found, category="婚入", online="已比对", actor=cast.li_qiang, now=now, **more
        )
        with pytest.raises(NotPermitted, match="second_person_needed"):
            await checking.looked_over(session, found, actor=cast.li_qiang, now=now)
        await checking.looked_over(session, found, actor=cast.wang_fang, now=now)
    told = (await read(store, ticket)).materials
    assert told["seen"] == ["marriage", "pledge"]
    assert (told["checked_by"], told["second_by"]) == (cast.li_qiang.id, cast.wang_fang.id)


@pytest.mark.parametrize(
    ("counts", "balanced"),
    [
        ((10, 3, 7), True),
        ((10, 0, 0), True),
        ((10, 6, 5), False),
        ((1, -1, 0), False),
        ((200_000, 0, 0), False),
    ],
)
async def test_counts_balance(
    store: Store, cast: Cast, now: datetime, counts: tuple[int, int, int], balanced: bool
) -> None:
    ticket = await taken(store, cast, now, kind=TicketKind.VERIFY)
    numbers = dict(zip(Count, counts, strict=True))
    async with store.transaction() as session:
        found = await tickets.get(session, ticket.id)
        if balanced:
            await checking.counted(session, found, numbers, actor=cast.li_qiang, now=now)
            assert found.roll_counts == {count.value: number for count, number in numbers.items()}
        else:
            with pytest.raises(Invalid, match="counts_balance"):
                await checking.counted(session, found, numbers, actor=cast.li_qiang, now=now)
