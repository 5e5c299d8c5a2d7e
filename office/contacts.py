"""Where people can be reached: one row per channel and address, and events that count once."""

from __future__ import annotations

from datetime import datetime, timedelta
from enum import StrEnum, auto

from sqlalchemy import ForeignKey, String, UniqueConstraint, select
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import Mapped, mapped_column

from office.errors import NotFound
from office.store import Base, insert_once, word


class Channel(StrEnum):
    """How a question came or an answer goes."""

    TELEGRAM = auto()
    WEB = auto()
    WECOM_ROBOT = auto()
    DINGTALK_ROBOT = auto()
    FEISHU_ROBOT = auto()
    PHONE = auto()
    COUNTER = auto()


class ContactState(StrEnum):
    """Whether messages reach a contact: silenced by its own wish, lost when it cannot be reached."""

    ACTIVE = auto()
    SILENCED = auto()
    LOST = auto()


class ContactKind(StrEnum):
    """One person, or a group chat."""

    PRIVATE = auto()
    GROUP = auto()


class Contact(Base):
    """One reachable place. The same number on two channels is two contacts.

    `address` is the chat number on Telegram and the digest of the visitor's cookie on the web.
    """

    __tablename__ = "contact"
    __table_args__ = (UniqueConstraint("channel", "address"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    channel: Mapped[Channel] = mapped_column(word(Channel))
    address: Mapped[str] = mapped_column(String(80))
    kind: Mapped[ContactKind] = mapped_column(word(ContactKind), default=ContactKind.PRIVATE)
    state: Mapped[ContactState] = mapped_column(word(ContactState), default=ContactState.ACTIVE)
    unit_id: Mapped[int | None] = mapped_column(ForeignKey("unit.id"))
    language: Mapped[str] = mapped_column(String(8), default="zh_CN")
    text_size: Mapped[str] = mapped_column(String(12), default="standard")
    first_seen_at: Mapped[datetime]
    last_seen_at: Mapped[datetime]


class InboundEvent(Base):
    """An event that has been handled; its row is written with what it caused."""

    __tablename__ = "inbound_event"

    channel: Mapped[Channel] = mapped_column(word(Channel), primary_key=True)
    event_id: Mapped[str] = mapped_column(String(80), primary_key=True)
    at: Mapped[datetime] = mapped_column(index=True)


async def seen(
    session: AsyncSession,
    channel: Channel,
    address: str,
    *,
    kind: ContactKind = ContactKind.PRIVATE,
    now: datetime,
) -> Contact:
    """The contact at this address, made if it is new; who writes to us can be reached again.

    `last_seen_at` is exact to a minute: it is for retention, and not worth a write with every message.
    """
    contact = await find(session, channel, address)
    if contact is None:
        await insert_once(
            session,
            Contact,
            {
                "channel": channel,
                "address": address,
                "kind": kind,
                "state": ContactState.ACTIVE,
                "language": "zh_CN",
                "text_size": "standard",
                "first_seen_at": now,
                "last_seen_at": now,
            },
            unique=("channel", "address"),
        )
        contact = await find(session, channel, address)
        assert contact is not None
    if now - contact.last_seen_at >= timedelta(minutes=1):
        contact.last_seen_at = now
    if contact.state is ContactState.LOST:
        contact.state = ContactState.ACTIVE
    return contact


async def find(session: AsyncSession, channel: Channel, address: str) -> Contact | None:
    """The contact at this address, if there is one."""
    return (
        await session.scalars(select(Contact).where(Contact.channel == channel, Contact.address == address))
    ).one_or_none()


async def get(session: AsyncSession, contact_id: int) -> Contact:
    """The contact with this row number; raises `NotFound`."""
    contact = await session.get(Contact, contact_id)
    if contact is None:
        raise NotFound("contact_unknown")
    return contact


async def first_time(session: AsyncSession, channel: Channel, event_id: str, *, now: datetime) -> bool:
    """Whether this inbound event is new; it is remembered in the caller's transaction."""
    return await insert_once(
        session,
        InboundEvent,
        {"channel": channel, "event_id": event_id, "at": now},
        unique=("channel", "event_id"),
    )
