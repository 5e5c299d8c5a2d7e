"""A group chat and its unit: put in, asked to be bound, silenced, let go, moved, lost."""

from __future__ import annotations

import re

from aiogram import Bot, F, Router
from aiogram.enums import ChatMemberStatus, ChatType
from aiogram.filters import Command
from aiogram.methods import AnswerCallbackQuery, SendMessage
from aiogram.types import CallbackQuery, ChatMemberUpdated, InlineKeyboardButton, Message

from handlers import keyboards, staff_chat
from handlers.callbacks import Op, Tap, tap
from handlers.turn import Reply, Turn
from office import chat_groups
from office.bindings import GroupState
from office.chat_groups import Group
from office.errors import Conflict
from office.staff import Permission, Staff

router = Router(name="group_binding")

GROUP = {ChatType.GROUP, ChatType.SUPERGROUP}
IN = (ChatMemberStatus.MEMBER, ChatMemberStatus.ADMINISTRATOR)
SHOWN = 5
TITLE = 16
_HERE = F.chat.type.in_(GROUP)


@router.message(F.migrate_to_chat_id)
async def moved(message: Message, turn: Turn) -> Reply:
    """The group has become a supergroup: what is bound follows it to its new number."""
    assert message.migrate_to_chat_id is not None
    await chat_groups.moved(turn.session, message.chat.id, message.migrate_to_chat_id, now=turn.now)
    return []


@router.my_chat_member(F.chat.type.in_(GROUP))
async def membership(event: ChatMemberUpdated, turn: Turn) -> Reply:
    """Put in: one line on how to ask here. Taken out or muted: written down, and told to somebody."""
    status, before = event.new_chat_member.status, event.old_chat_member.status
    if status in (ChatMemberStatus.LEFT, ChatMemberStatus.KICKED):
        group = await chat_groups.group_of(turn.session, turn.chat_id)
        if group is not None:
            await chat_groups.lost(turn.session, group, "removed", actor=turn.actor, now=turn.now)
        return []
    group = await chat_groups.seen(
        turn.session, turn.chat_id, event.chat.title or "", actor=turn.actor, now=turn.now
    )
    group.row.administrator = status == ChatMemberStatus.ADMINISTRATOR
    if status == ChatMemberStatus.RESTRICTED:
        await chat_groups.restricted(turn.session, group, actor=turn.actor, now=turn.now)
        return []
    await chat_groups.unrestricted(turn.session, group, actor=turn.actor, now=turn.now)
    if before in IN:
        return []
    text = turn.words("group.hello")
    return _said(turn, text if group.bound else f"{text}\n{turn.words('group_unbound')}")


@router.message(_HERE, Command("bind"))
async def bind(message: Message, turn: Turn) -> Reply:
    """Asked in the group by an administrator of ours; unit and purpose are chosen in the console."""
    person = await _acting(message, turn, "bind_group")
    if not isinstance(person, Staff):
        return person
    group = await _group(message, turn)
    if group.bound:
        return _said(turn, turn.words("group.bound_already"))
    await chat_groups.ask(turn.session, group, person=person, now=turn.now)
    return _said(turn, turn.words("group.asked"))


@router.message(_HERE, Command("unbind"))
async def unbind(message: Message, turn: Turn) -> Reply:
    """The group is nobody's again; a day later we leave it."""
    person = await _acting(message, turn, "unbind_group")
    if not isinstance(person, Staff):
        return person
    group = await _group(message, turn)
    if group.row.state not in (GroupState.BOUND, GroupState.ASKED):
        return _said(turn, turn.words("group_unbound"))
    await chat_groups.unbind(turn.session, group.row.id, actor=person, channel="chat", now=turn.now)
    return _said(turn, turn.words("group.unbound"))


@router.message(_HERE, Command("silent"))
async def silent(message: Message, turn: Turn) -> Reply:
    """Say nothing in this group until the same command comes again."""
    person = await _acting(message, turn, "silence_group")
    if not isinstance(person, Staff):
        return person
    group = await _group(message, turn)
    if not group.bound:
        return _said(turn, turn.words("group_unbound"))
    now_silent = await chat_groups.silence(turn.session, group.row.id, actor=person, now=turn.now)
    return _said(turn, turn.words("group.silent" if now_silent else "group.speaking"))


@router.message(F.chat.type == ChatType.PRIVATE, Command("bind"))
async def bind_in_private(message: Message, turn: Turn, bot: Bot) -> Reply:
    """The groups that nobody has bound yet, and the way to put us into another one."""
    person = await staff_chat.staff_of(turn)
    if person is None:
        return await staff_chat.command_refused(turn, "bind_group")
    staff_chat.must_have(person, Permission.MANAGE_STAFF)
    rows = await chat_groups.listed(turn.session, ".")
    seen = [row for row, _, _ in rows if row.state in (GroupState.SEEN, GroupState.ENDED)][:SHOWN]
    buttons = [
        [keyboards.button(row.title[:TITLE] or f"#{row.id}", tap(Op.BIND_GROUP, row.id, row.version))]
        for row in seen
    ]
    me = await bot.me()
    if re.fullmatch("[A-Za-z0-9_]{5,32}", me.username or ""):
        link = f"https://t.me/{me.username}?startgroup=bind"
        buttons.append([InlineKeyboardButton(text=turn.words("group.button.add"), url=link)])
    key = "group.choose" if seen else "group.none_seen"
    return turn.say(turn.words(key), keyboards.rows(*buttons) if buttons else None)


@router.callback_query(F.message.chat.type == ChatType.PRIVATE, Tap.filter(F.op == Op.BIND_GROUP))
async def chosen(query: CallbackQuery, callback_data: Tap, turn: Turn) -> Reply:
    """One of the groups that were seen is asked to be bound."""
    person = await staff_chat.staff_of(turn)
    if person is None:
        return await staff_chat.tap_refused(query, turn, "bind_group")
    rows = await chat_groups.listed(turn.session, ".")
    found = next(((row, contact) for row, contact, _ in rows if row.id == callback_data.row), None)
    if found is None or found[0].version != int(callback_data.stamp, 36):
        raise Conflict("stale_card")
    await chat_groups.ask(turn.session, Group(*found), person=person, now=turn.now)
    return [AnswerCallbackQuery(callback_query_id=query.id), *turn.say(turn.words("group.asked"))]


async def _acting(message: Message, turn: Turn, what: str) -> Staff | Reply:
    """Who acts, or the refusal: an anonymous administrator, somebody not on staff, somebody stopped."""
    if message.sender_chat is not None:
        return _said(turn, turn.words("group.anonymous_act"))
    person = await staff_chat.staff_of(turn)
    if person is None:
        await staff_chat.refused(turn, what)
        return _said(turn, turn.words("not_permitted"))
    return person


async def _group(message: Message, turn: Turn) -> Group:
    return await chat_groups.seen(
        turn.session, turn.chat_id, message.chat.title or "", actor=turn.actor, now=turn.now
    )


def _said(turn: Turn, text: str) -> Reply:
    return [SendMessage(chat_id=turn.chat_id, text=text)]
