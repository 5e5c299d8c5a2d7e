"""What group robots have sent: the last message of each, and what became of the last test message."""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime

from sqlalchemy import func, select
from sqlalchemy.ext.asyncio import AsyncSession

from office.contacts import Contact
from office.outbox import Delivery, DeliveryState
from office.robots import TEST_KIND


async def last_sent(session: AsyncSession, contact_ids: Collection[int]) -> dict[int, datetime]:
    """When something last left for each of these contacts; who never got anything is left out."""
    rows = await session.execute(
        select(Delivery.contact_id, func.max(Delivery.sent_at))
        .where(Delivery.contact_id.in_(contact_ids), Delivery.state == DeliveryState.SENT)
        .group_by(Delivery.contact_id)
    )
    return {contact_id: at for contact_id, at in rows if at is not None}


async def last_test(session: AsyncSession, contact: Contact) -> Delivery | None:
    """The newest test message to this robot's group as the outbox has it; None before the first."""
    return await session.scalar(
        select(Delivery)
        .where(Delivery.contact_id == contact.id, Delivery.kind == TEST_KIND)
        .order_by(Delivery.id.desc())
        .limit(1)
        .execution_options(populate_existing=True)
    )
