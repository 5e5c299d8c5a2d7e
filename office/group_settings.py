"""What is chosen for a bound group: where in it work tips are posted, and in which language."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy.ext.asyncio import AsyncSession

from office import audit, chat_groups
from office.bindings import GroupState
from office.contacts import Contact
from office.errors import Conflict, Invalid
from office.staff import Staff
from office.words import LANGUAGES

TIPS = "tips"
# The number of a forum topic is that of the message which opened it.
LARGEST_TOPIC = 2**31 - 1


async def settle(
    session: AsyncSession,
    group_id: int,
    *,
    topic: int | None,
    language: str,
    seen: int,
    actor: Staff,
    now: datetime,
) -> None:
    """Choose where in a group work tips are posted (a forum topic's number, None: the group itself), and its
    language. Raises `Conflict("stale_card")` when the group changed since the page was made.
    """
    row = await chat_groups.get(session, group_id, actor=actor)
    if row.version != seen or row.state is not GroupState.BOUND:
        raise Conflict("stale_card")
    if language not in LANGUAGES:
        raise Invalid("form_broken")
    if topic is not None and not 1 <= topic <= LARGEST_TOPIC:
        raise Invalid("group.topic")
    others = {name: number for name, number in row.topics.items() if name != TIPS}
    row.topics = others if topic is None else {**others, TIPS: topic}
    (await session.get_one(Contact, row.contact_id)).language = language
    await session.flush()
    await audit.record(
        session, "chat_group.settle", f"chat_group:{row.id}", actor=actor.as_actor(), now=now,
        topic=topic, language=language,
    )  # fmt: skip
