"""How a chat becomes somebody's on staff, and stops being it."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import datetime, timedelta

import pytest
from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from office import bindings, chat_invites, contacts, notices, staff
from office.audit import AuditEntry
from office.bindings import BindingState, StaffBinding
from office.chat_invites import Compared, Followed
from office.contacts import Channel, Contact
from office.errors import Conflict, NotFound, NotPermitted
from office.outbox import Delivery
from office.staff import Staff
from office.store import Store
from tests.make import Cast

DAY = timedelta(days=1)


async def phone(
    session: AsyncSession, number: str, now: datetime, channel: Channel = Channel.TELEGRAM
) -> Contact:
    return await contacts.seen(session, channel, number, now=now)


async def bind(store: Store, cast: Cast, person: Staff, number: str, now: datetime) -> int:
    """The short way to a bound chat; returns its contact's row."""
    async with store.transaction() as session:
        binding, token = await chat_invites.invite(session, person, actor=cast.zhou_ning, now=now)
        contact = await phone(session, number, now)
        arrival = await chat_invites.follow(session, token, contact, now=now)
        assert arrival.binding is not None
        outcome = await chat_invites.confirm(
            session, binding.id, arrival.binding.digits, actor=cast.zhou_ning, now=now
        )
        assert outcome is Compared.BOUND
        return contact.id


@asynccontextmanager
async def row(store: Store, binding_id: int) -> AsyncIterator[StaffBinding]:
    async with store.reading() as session:
        yield await session.get_one(StaffBinding, binding_id)


async def kinds(store: Store, person: Staff) -> list[str]:
    async with store.reading() as session:
        return [notice.kind for notice in await notices.listed(session, person.id)]


async def test_an_invitation_is_followed_compared_and_bound(store: Store, cast: Cast, now: datetime) -> None:
    async with store.transaction() as session:
        binding, token = await chat_invites.invite(session, cast.li_qiang, actor=cast.zhou_ning, now=now)
        assert len(token) == 22
        assert token not in binding.token_digest
        contact = await phone(session, "6001", now)
        arrival = await chat_invites.follow(session, token, contact, now=now)
        assert arrival.outcome is Followed.WAITING
        assert arrival.person is not None
        assert arrival.person.id == cast.li_qiang.id
        assert binding.digits.isdigit()
        assert len(binding.digits) == 2
        assert await bindings.bound(session, contact) is None, "not before the digits are compared"
        again = await chat_invites.follow(session, token, contact, now=now)
        assert again.outcome is Followed.WAITING
        digits = binding.digits
    assert await kinds(store, cast.zhou_ning) == ["binding_waiting"]
    async with store.transaction() as session:
        outcome = await chat_invites.confirm(session, binding.id, digits, actor=cast.zhou_ning, now=now)
        assert outcome is Compared.BOUND
    async with store.reading() as session:
        contact = await session.get_one(Contact, contact.id)
        found = await bindings.bound(session, contact)
        assert found is not None
        assert found.id == cast.li_qiang.id
        assert [c.id for c in await bindings.contacts_of(session, cast.li_qiang)] == [contact.id]
        assert [d.kind for d in await session.scalars(select(Delivery))] == ["staff_bound"]
        acts = [e.action for e in await session.scalars(select(AuditEntry)) if "binding" in e.action]
        assert acts == ["staff_binding.invite", "staff_binding.follow", "staff_binding.bind"]


async def test_only_an_administrator_invites_and_only_in_reach(
    store: Store, cast: Cast, now: datetime
) -> None:
    async with store.transaction() as session:
        for actor in (cast.li_qiang, cast.wang_fang, cast.zhao_lei):
            with pytest.raises(NotPermitted):
                await chat_invites.invite(session, cast.li_qiang, actor=actor, now=now)
        north = Staff(name="何平", unit_id=cast.north.id, roles=["admin"], created_at=now)
        session.add(north)
        await session.flush()
        with pytest.raises(NotPermitted):
            await chat_invites.invite(session, cast.li_qiang, actor=north, now=now)
        with pytest.raises(Conflict):
            await chat_invites.invite(session, cast.sun_jie, actor=cast.zhou_ning, now=now)


async def test_a_new_invitation_ends_the_one_before(store: Store, cast: Cast, now: datetime) -> None:
    async with store.transaction() as session:
        _, first = await chat_invites.invite(session, cast.li_qiang, actor=cast.zhou_ning, now=now)
        await chat_invites.invite(session, cast.li_qiang, actor=cast.zhou_ning, now=now)
        contact = await phone(session, "6001", now)
        arrival = await chat_invites.follow(session, first, contact, now=now)
        assert arrival.outcome is Followed.USED


async def test_a_link_is_good_for_a_day_and_the_inviter_hears_of_a_late_try(
    store: Store, cast: Cast, now: datetime
) -> None:
    async with store.transaction() as session:
        binding, token = await chat_invites.invite(session, cast.li_qiang, actor=cast.zhou_ning, now=now)
        contact = await phone(session, "6001", now)
        arrival = await chat_invites.follow(session, token, contact, now=now + DAY)
        assert arrival.outcome is Followed.EXPIRED
        await chat_invites.follow(session, token, contact, now=now + DAY)
    async with row(store, binding.id) as found:
        assert found.state is BindingState.ENDED
    assert await kinds(store, cast.zhou_ning) == ["binding_expired"], "once for each who tries"


async def test_digits_that_waited_too_long_bind_nobody(store: Store, cast: Cast, now: datetime) -> None:
    async with store.transaction() as session:
        binding, token = await chat_invites.invite(session, cast.li_qiang, actor=cast.zhou_ning, now=now)
        await chat_invites.follow(session, token, await phone(session, "6001", now), now=now)
        digits = binding.digits
        outcome = await chat_invites.confirm(session, binding.id, digits, actor=cast.zhou_ning, now=now + DAY)
        assert outcome is Compared.ENDED


async def test_somebody_else_with_the_same_link_gets_nothing_and_the_inviter_is_told(
    store: Store, cast: Cast, now: datetime
) -> None:
    async with store.transaction() as session:
        _, token = await chat_invites.invite(session, cast.li_qiang, actor=cast.zhou_ning, now=now)
        await chat_invites.follow(session, token, await phone(session, "6001", now), now=now)
        arrival = await chat_invites.follow(session, token, await phone(session, "6002", now), now=now)
        assert arrival.outcome is Followed.USED
        assert arrival.person is None
    assert await kinds(store, cast.zhou_ning) == ["binding_reused", "binding_waiting"]


async def test_an_unknown_token_and_a_group_get_nothing(store: Store, cast: Cast, now: datetime) -> None:
    async with store.transaction() as session:
        contact = await phone(session, "6001", now)
        assert (await chat_invites.follow(session, "x" * 22, contact, now=now)).outcome is Followed.UNKNOWN


async def test_three_wrong_numbers_end_the_invitation(store: Store, cast: Cast, now: datetime) -> None:
    async with store.transaction() as session:
        binding, token = await chat_invites.invite(session, cast.li_qiang, actor=cast.zhou_ning, now=now)
        contact = await phone(session, "6001", now)
        await chat_invites.follow(session, token, contact, now=now)
        wrong = "11" if binding.digits != "11" else "12"
        outcomes = [
            await chat_invites.confirm(session, binding.id, wrong, actor=cast.zhou_ning, now=now)
            for _ in range(3)
        ]
        assert outcomes == [Compared.WRONG, Compared.WRONG, Compared.ENDED]
        with pytest.raises(Conflict):
            await chat_invites.confirm(session, binding.id, wrong, actor=cast.zhou_ning, now=now)
        assert await bindings.bound(session, contact) is None


async def test_only_an_administrator_in_reach_confirms_and_ends(
    store: Store, cast: Cast, now: datetime
) -> None:
    async with store.transaction() as session:
        binding, token = await chat_invites.invite(session, cast.li_qiang, actor=cast.zhou_ning, now=now)
        await chat_invites.follow(session, token, await phone(session, "6001", now), now=now)
        for actor in (cast.li_qiang, cast.wang_fang):
            with pytest.raises(NotPermitted):
                await chat_invites.confirm(session, binding.id, binding.digits, actor=actor, now=now)
            with pytest.raises(NotPermitted):
                await chat_invites.end_one(session, binding.id, actor=actor, now=now)
        with pytest.raises(NotFound):
            await chat_invites.end_one(session, 999, actor=cast.zhou_ning, now=now)
        await chat_invites.end_one(session, binding.id, actor=cast.zhou_ning, now=now)
        with pytest.raises(Conflict):
            await chat_invites.end_one(session, binding.id, actor=cast.zhou_ning, now=now)


@pytest.mark.parametrize("digits_first", [True, False])
async def test_a_second_phone_needs_the_first_ones_word(
    store: Store, cast: Cast, now: datetime, digits_first: bool
) -> None:
    first_id = await bind(store, cast, cast.li_qiang, "6001", now)
    async with store.transaction() as session:
        binding, token = await chat_invites.invite(session, cast.li_qiang, actor=cast.zhou_ning, now=now)
        second = await phone(session, "6002", now)
        first = await session.get_one(Contact, first_id)
        await chat_invites.follow(session, token, second, now=now)
        asked = [d for d in await session.scalars(select(Delivery)) if d.kind == "staff_second_phone"]
        assert [d.contact_id for d in asked] == [first_id]
        digits = binding.digits
        with pytest.raises(NotFound):
            await chat_invites.agree(session, binding.id, second, now=now)
        if digits_first:
            outcome = await chat_invites.confirm(session, binding.id, digits, actor=cast.zhou_ning, now=now)
            assert outcome is Compared.FIRST_PHONE
            assert await bindings.bound(session, second) is None
            assert await chat_invites.agree(session, binding.id, first, now=now)
        else:
            assert not await chat_invites.agree(session, binding.id, first, now=now)
            assert await bindings.bound(session, second) is None
            outcome = await chat_invites.confirm(session, binding.id, digits, actor=cast.zhou_ning, now=now)
            assert outcome is Compared.BOUND
        assert len(await bindings.contacts_of(session, cast.li_qiang)) == 2


async def test_a_first_phone_that_knows_of_nothing_ends_it(store: Store, cast: Cast, now: datetime) -> None:
    first_id = await bind(store, cast, cast.li_qiang, "6001", now)
    other_id = await bind(store, cast, cast.wang_fang, "6009", now)
    async with store.transaction() as session:
        binding, token = await chat_invites.invite(session, cast.li_qiang, actor=cast.zhou_ning, now=now)
        await chat_invites.follow(session, token, await phone(session, "6002", now), now=now)
        with pytest.raises(NotFound):
            await chat_invites.refuse(session, binding.id, await session.get_one(Contact, other_id), now=now)
        await chat_invites.refuse(session, binding.id, await session.get_one(Contact, first_id), now=now)
        assert binding.state is BindingState.ENDED
    assert (await kinds(store, cast.zhou_ning))[0] == "binding_refused"


async def test_a_chat_belongs_to_one_person(store: Store, cast: Cast, now: datetime) -> None:
    contact_id = await bind(store, cast, cast.li_qiang, "6001", now)
    async with store.transaction() as session:
        binding, token = await chat_invites.invite(session, cast.wang_fang, actor=cast.zhou_ning, now=now)
        contact = await session.get_one(Contact, contact_id)
        arrival = await chat_invites.follow(session, token, contact, now=now)
        assert arrival.outcome is Followed.BUSY
        assert binding.state is BindingState.INVITED, "the link is still good for the right phone"


async def test_a_stopped_account_is_nobody_in_chat_at_once(store: Store, cast: Cast, now: datetime) -> None:
    contact_id = await bind(store, cast, cast.li_qiang, "6001", now)
    async with store.transaction() as session:
        person = await staff.get(session, cast.li_qiang.id)
        contact = await session.get_one(Contact, contact_id)
        await staff.suspend(session, person, actor=cast.zhou_ning, now=now)
        assert await bindings.bound(session, contact) is None, "even before its bindings are ended"
        assert await bindings.end_all(session, person, actor=cast.zhou_ning, now=now) == 1
        assert await bindings.contacts_of(session, person) == []
        stopped = await bindings.stopped(session, contact)
        assert stopped is not None
        assert stopped.id == person.id
        assert [d.kind for d in await session.scalars(select(Delivery))][-1] == "staff_unbound"
        assert await bindings.end_all(session, person, actor=cast.zhou_ning, now=now) == 0


async def test_one_lets_a_chat_go_oneself(store: Store, cast: Cast, now: datetime) -> None:
    contact_id = await bind(store, cast, cast.li_qiang, "6001", now)
    async with store.transaction() as session:
        contact = await session.get_one(Contact, contact_id)
        assert await bindings.unbind(session, contact, now=now)
        assert await bindings.bound(session, contact) is None
        assert await bindings.stopped(session, contact) is None, "the account is open"
        assert not await bindings.unbind(session, contact, now=now)


async def test_the_clock_ends_what_nobody_followed(store: Store, cast: Cast, now: datetime) -> None:
    async with store.transaction() as session:
        await chat_invites.invite(session, cast.li_qiang, actor=cast.zhou_ning, now=now)
        assert await chat_invites.expire(session, now=now) == 0
        assert await chat_invites.expire(session, now=now + DAY) == 1
        assert await chat_invites.expire(session, now=now + DAY) == 0


async def test_two_who_follow_one_link_at_once_do_not_both_wait(
    store: Store, cast: Cast, now: datetime
) -> None:
    async with store.transaction() as session:
        _, token = await chat_invites.invite(session, cast.li_qiang, actor=cast.zhou_ning, now=now)

    async def follow(number: str) -> Followed:
        async with store.transaction() as session:
            contact = await phone(session, number, now)
            return (await chat_invites.follow(session, token, contact, now=now)).outcome

    outcomes = await asyncio.gather(*(follow(f"61{number:02}") for number in range(6)))
    assert sorted(outcomes) == ["used"] * 5 + ["waiting"]


async def test_the_list_shows_what_is_in_reach_and_waits_first(
    store: Store, cast: Cast, now: datetime
) -> None:
    await bind(store, cast, cast.li_qiang, "6001", now)
    async with store.transaction() as session:
        _, token = await chat_invites.invite(session, cast.zhao_lei, actor=cast.zhou_ning, now=now)
        await chat_invites.follow(session, token, await phone(session, "6002", now), now=now)
        shown = await bindings.listed(session, cast.district.path)
        assert [(b.state, p.name) for b, p, _ in shown] == [
            (BindingState.WAITING, "赵磊"), (BindingState.BOUND, "李强"),
        ]  # fmt: skip
        assert [p.name for _, p, _ in await bindings.listed(session, cast.north.path)] == ["赵磊"]
