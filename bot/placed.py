"""What a sent message has become, noted where something later has to find it again."""

from __future__ import annotations

from aiogram.types import ForumTopic, Message
from sqlalchemy.ext.asyncio import AsyncSession

from office.outbox import Delivery
from ticketing import cards


async def note(session: AsyncSession, delivery: Delivery, became: object) -> None:
    """Note the number of a card's message or of a new topic, in the transaction that records the sending."""
    facts = delivery.facts
    if delivery.kind == cards.KIND and isinstance(became, Message):
        await cards.shown(session, facts["ticket"], facts["group"], became.message_id)
    elif delivery.kind == cards.TOPIC_KIND and isinstance(became, ForumTopic):
        await cards.topic_made(session, facts["group"], facts["key"], became.message_thread_id)
