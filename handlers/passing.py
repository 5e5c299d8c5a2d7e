"""Messages that go away by themselves: results and one-time links; the outbox is told to take them away."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

from aiogram.methods import DeleteMessage, SendMessage
from pydantic import Field
from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from handlers.turn import Keyboard, Reply, Turn
from office import outbox
from office.contacts import Contact
from office.outbox import Delivery, DeliveryState

TAKE_AWAY = "take_away"
STAYS = timedelta(minutes=5)
_WAITING = (DeliveryState.DUE, DeliveryState.CLAIMED)


class Passing(SendMessage):
    """A message that may not be forwarded and is deleted after `stays`; no row ever holds what it says.

    The outbox keeps its chat and number only. Where it cannot be sent at once it is not kept for later: the
    person is asked to look again.
    """

    protect_content: bool | None = True
    stays: timedelta = Field(STAYS, exclude=True)


def passing(
    turn: Turn, text: str, keyboard: Keyboard | None = None, *, stays: timedelta = STAYS
) -> list[Passing]:
    """A message of this turn that goes away; short enough never to be split."""
    (said,) = turn.say(text, keyboard)
    assert isinstance(said, SendMessage)
    return [Passing(chat_id=said.chat_id, text=said.text, reply_markup=said.reply_markup, stays=stays)]


async def take_away(
    session: AsyncSession, contact: Contact, message_id: int, *, stays: timedelta, now: datetime
) -> None:
    """Have a message of this contact's chat deleted once `stays` is over, also for who wants no messages."""
    await outbox.put(
        session, contact, TAKE_AWAY, {"message": message_id},
        # A mailbox that was emptied counts from one again.
        key=f"{TAKE_AWAY}:{contact.id}:{message_id}:{now.timestamp():.0f}", subject=f"contact:{contact.id}",
        now=now, due_at=now + stays, though_silenced=True,
    )  # fmt: skip


def gone(facts: dict[str, Any], chat_id: int) -> DeleteMessage:
    """What a `TAKE_AWAY` delivery asks of the channel."""
    return DeleteMessage(chat_id=chat_id, message_id=facts["message"])


async def at_once(turn: Turn) -> Reply:
    """Take away now what still waits for its time: of a forgotten contact nobody will know it later."""
    waiting = await turn.session.scalars(
        select(Delivery.facts).where(
            Delivery.contact_id == turn.contact.id,
            Delivery.kind == TAKE_AWAY,
            Delivery.state.in_(_WAITING),
        )
    )
    return [gone(facts, turn.chat_id) for facts in waiting]
