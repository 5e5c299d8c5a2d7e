"""What a sent message has become, noted where something later has to find it again."""

from __future__ import annotations

from datetime import datetime

from aiogram.types import ForumTopic, Message
from sqlalchemy.ext.asyncio import AsyncSession

from office.outbox import Delivery
from ticketing import cards, tip_posts
from ticketing.tip_places import CORRECTION, EDIT, KIND

OF_TIPS = frozenset({KIND, EDIT, CORRECTION})


async def note(session: AsyncSession, delivery: Delivery, became: object) -> None:
    """Note what a delivery has become, in the transaction that records the sending.

    Of cards and work tips the number of the message, of a topic its own. False is what an edit becomes whose
    message cannot be edited any more (`bot.channels.telegram.Softened`).
    """
    facts = delivery.facts
    if delivery.kind == cards.KIND and isinstance(became, Message):
        await cards.shown(session, facts["ticket"], facts["group"], became.message_id)
    elif delivery.kind == cards.TOPIC_KIND and isinstance(became, ForumTopic):
        await cards.topic_made(session, facts["group"], facts["key"], became.message_thread_id)
    elif delivery.kind in OF_TIPS:
        number = became.message_id if isinstance(became, Message) else 0
        await tip_posts.noted(
            session, delivery, message_id=number, refused=became is False, now=await _left(session, delivery)
        )


async def _left(session: AsyncSession, delivery: Delivery) -> datetime:
    """When it left, as it has just been recorded."""
    row = await session.get_one(Delivery, delivery.id, populate_existing=True)
    return row.sent_at or row.created_at
