"""Short ways for the tests of staff in chat: bound phones, groups, what is due delivered."""

from __future__ import annotations

from typing import Any

from aiogram.types import Chat as TelegramChat
from aiogram.types import ChatMemberUpdated, MessageEntity, User

from office import bindings, chat_groups, chat_invites, contacts, staff
from office.audit import SYSTEM
from office.bindings import GroupPurpose
from office.contacts import Channel
from office.staff import Role, Staff
from office.units import Unit
from tests.journeys.conversation import GROUP, Chat, Out, Town

LI_QIANG, WANG_FANG, ZHOU_NING, HE_JING = 6001, 6002, 6003, 6004


async def bind(town: Town, person: Staff, number: int, channel: Channel = Channel.TELEGRAM) -> Chat:
    """The private chat of somebody on staff, bound the way it is done; what is sent on it is left due."""
    async with town.store.transaction() as session:
        _, token = await chat_invites.invite(session, person, actor=town.cast.zhou_ning, now=town.now)
        contact = await contacts.seen(session, channel, str(number), now=town.now)
        arrival = await chat_invites.follow(session, token, contact, now=town.now)
        assert arrival.binding is not None
        await chat_invites.confirm(
            session, arrival.binding.id, arrival.binding.digits, actor=town.cast.zhou_ning, now=town.now
        )
        assert await bindings.bound(session, contact) is not None
    return town.chat(number)


async def registrar(town: Town, name: str = "何静") -> Staff:
    """A registrar of 临江街道, who works at doorsteps and sees no tickets."""
    async with town.store.transaction() as session:
        person = Staff(
            name=name, unit_id=town.cast.riverside.id, roles=[Role.REGISTRAR.value], created_at=town.now
        )
        session.add(person)
        await session.flush()
    return person


async def suspend(town: Town, person: Staff) -> None:
    """The account is stopped and its chats with it."""
    async with town.store.transaction() as session:
        row = await staff.get(session, person.id)
        await staff.suspend(session, row, actor=town.cast.zhou_ning, now=town.now)
        await bindings.end_all(session, row, actor=town.cast.zhou_ning, now=town.now)


async def bound_group(
    town: Town, purpose: GroupPurpose = GroupPurpose.STAFF, unit: Unit | None = None, number: int = GROUP
) -> None:
    """A group that the console has bound."""
    async with town.store.transaction() as session:
        group = await chat_groups.seen(session, number, "登记工作群", actor=SYSTEM, now=town.now)
        await chat_groups.ask(session, group, person=town.cast.zhou_ning, now=town.now)
        await chat_groups.bind(
            session, group.row.id, unit or town.cast.district, purpose, actor=town.cast.zhou_ning,
            now=town.now,
        )  # fmt: skip


def command(text: str) -> dict[str, Any]:
    """A command as Telegram marks it."""
    length = len(text.split(" ")[0])
    return {"text": text, "entities": [MessageEntity(type="bot_command", offset=0, length=length)]}


async def member_changes(town: Town, old: Any, new: Any, *, group: int = GROUP, by: int = 5001) -> Out:
    """The bot's own standing in a group changes; `old` and `new` are classes of chat members."""
    event = ChatMemberUpdated(
        chat=TelegramChat(id=group, type="supergroup", title="登记工作群"), date=town.now,
        old_chat_member=old, new_chat_member=new,
        from_user=User(id=by, is_bot=False, first_name="张敏"),
    )  # fmt: skip
    return await Chat(town, by, group).feed(my_chat_member=event)
