"""A visitor and a robot of each platform, with the bots that reach them."""

from __future__ import annotations

import json

from aiogram import Bot
from aiogram.types import InlineKeyboardButton, InlineKeyboardMarkup

from bot.channels import robot_bots, web
from bot.pacing import Pacing, Unpaced
from bot.post_room import PostRoom
from handlers.turn import Desk
from knowledge.answer import LiveBase
from office import outbox
from office.contacts import Channel, Contact
from office.outbox import Delivery, Priority
from office.seal import Sealer
from office.store import Store
from tests.bot.town import Town
from tests.make import Clock
from tests.servers.robots import DINGTALK, FEISHU, WECOM, Platforms

SEALER = Sealer(b"a secret of the tests")
FORMS = {Channel.WECOM_ROBOT: WECOM, Channel.DINGTALK_ROBOT: DINGTALK, Channel.FEISHU_ROBOT: FEISHU}
LINK = "https://desk.example/t/3"
KEYBOARD = InlineKeyboardMarkup(inline_keyboard=[[InlineKeyboardButton(text="📄 全文", url=LINK)]])


class World:
    """A visitor and one robot of each platform, with the bots that reach them."""

    def __init__(self, store: Store, clock: Clock, platforms: Platforms) -> None:
        self.store = store
        self.clock = clock
        self.platforms = platforms
        self.contacts: dict[Channel, Contact] = {}
        self.bots: dict[Channel, Bot] = {
            Channel.WEB: web.make_bot(store, clock),
            **robot_bots.make_bots(store, SEALER, clock, base=platforms.base),
        }
        self.town = Town()
        self.bots[Channel.TELEGRAM] = Bot("100007:town", session=self.town)
        self.room = self.another()

    def another(self, pacing: Pacing | None = None) -> PostRoom:
        """A post room with the same bots, unpaced unless told otherwise."""
        return PostRoom(Desk(self.store, LiveBase(), self.clock), self.bots, pacing or Unpaced())

    async def arrived(self, channel: Channel) -> str:
        """All that has arrived on a channel, as one text."""
        if channel is Channel.WEB:
            async with self.store.reading() as session:
                lines = await web.since(session, self.contacts[channel].id, 0)
            return json.dumps([line.content for line in lines], ensure_ascii=False)
        return json.dumps([sent.body for sent in self.platforms.sent if sent.ok], ensure_ascii=False)

    async def put(self, channel: Channel, text: str, key: str, priority: Priority = Priority.ANSWER) -> None:
        facts = {"text": text, "buttons": KEYBOARD.model_dump(exclude_none=True)}
        async with self.store.transaction() as session:
            await outbox.put(
                session, self.contacts[channel], "reply", facts, key=key, subject="tip:3",
                now=self.clock(), priority=priority,
            )  # fmt: skip

    async def of(self, key: str) -> Delivery:
        async with self.store.reading() as session:
            (found,) = [one for one in await outbox.about(session, "tip:3") if one.key == key]
        return found
