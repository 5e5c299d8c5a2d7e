"""A work tip in one group: the post, what the group sees of it now, and where it hangs."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum, auto
from typing import Any, Final

from sqlalchemy import BigInteger, ForeignKey, String, UniqueConstraint, select
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import Mapped, mapped_column

from knowledge import tip_chain, tip_words
from knowledge.tips import TipSecrecy, TipState, WorkTip
from office.bindings import ChatGroup
from office.contacts import Channel, Contact
from office.outbox import Delivery
from office.store import Base, word
from office.units import Unit

KIND: Final = "tip"
EDIT: Final = "tip_edit"
CORRECTION: Final = "tip_correction"
EDITS: Final = frozenset({Channel.TELEGRAM})
"""The channels in which a message of a group can be put in another one's place."""
PATH: Final = "/tips/r/"


class Shown(StrEnum):
    """What a group sees of a tip that has been superseded or withdrawn; CURRENT while it holds.

    REPLACED: the message itself says so. CORRECTED: a 更正 stands below it. OLD: neither, it still misleads.
    """

    WAITING = auto()
    CURRENT = auto()
    OLD = auto()
    REPLACED = auto()
    CORRECTED = auto()


class TipPost(Base):
    """A tip in one group. `message_id` is what the channel calls it, 0 where it tells no number.

    `token` opens the tip's page from this group, for channels without buttons. `counted` is the number of
    receipts that the message shows.
    """

    __tablename__ = "tip_post"
    __table_args__ = (UniqueConstraint("tip_id", "group_id"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    tip_id: Mapped[int] = mapped_column(ForeignKey("work_tip.id"))
    group_id: Mapped[int] = mapped_column(ForeignKey("chat_group.id"), index=True)
    unit_id: Mapped[int] = mapped_column(ForeignKey("unit.id"))
    token: Mapped[str] = mapped_column(String(43), unique=True)
    message_id: Mapped[int | None] = mapped_column(BigInteger)
    thread_id: Mapped[int | None] = mapped_column(BigInteger)
    shown: Mapped[Shown] = mapped_column(word(Shown), default=Shown.WAITING)
    counted: Mapped[int] = mapped_column(default=0)
    posted_at: Mapped[datetime | None]
    edited_at: Mapped[datetime | None]


@dataclass(frozen=True, slots=True)
class Place:
    """A post with where it hangs; `before`: what its card says of the tip that it replaces."""

    post: TipPost
    group: ChatGroup
    contact: Contact
    unit: Unit
    before: dict[str, str] = field(default_factory=dict)

    @property
    def editable(self) -> bool:
        """Whether the message itself can be made to say something else."""
        return bool(self.post.message_id) and self.contact.channel in EDITS


async def places(session: AsyncSession, tip: WorkTip, *, lock: bool = False) -> list[Place]:
    """Every post of a tip with its group and unit, in the order in which they were laid out."""
    statement = (
        select(TipPost, ChatGroup, Contact, Unit)
        .join(ChatGroup, ChatGroup.id == TipPost.group_id)
        .join(Contact, Contact.id == ChatGroup.contact_id)
        .join(Unit, Unit.id == TipPost.unit_id)
        .where(TipPost.tip_id == tip.id)
        .order_by(TipPost.id)
    )
    if lock:
        statement = statement.with_for_update(of=TipPost).execution_options(populate_existing=True)
    rows = await session.execute(statement)
    replaced = await before(session, tip)
    return [Place(post, group, contact, unit, replaced) for post, group, contact, unit in rows]


async def place_of(session: AsyncSession, post_id: int, *, lock: bool = False) -> Place | None:
    """One post with where it hangs."""
    found = await these(session, [post_id], lock=lock)
    return found[0] if found else None


async def these(session: AsyncSession, post_ids: Collection[int], *, lock: bool = False) -> list[Place]:
    """These posts with where they hang, in the order in which they were laid out."""
    statement = (
        select(TipPost, ChatGroup, Contact, Unit)
        .join(ChatGroup, ChatGroup.id == TipPost.group_id)
        .join(Contact, Contact.id == ChatGroup.contact_id)
        .join(Unit, Unit.id == TipPost.unit_id)
        .where(TipPost.id.in_(post_ids))
        .order_by(TipPost.id)
        .execution_options(populate_existing=True)
    )
    rows = (await session.execute(statement.with_for_update(of=TipPost) if lock else statement)).all()
    tips = {number: await session.get_one(WorkTip, number) for number in {post.tip_id for post, *_ in rows}}
    replaced = {number: await before(session, tip) for number, tip in tips.items()}
    return [Place(post, group, contact, unit, replaced[post.tip_id]) for post, group, contact, unit in rows]


async def in_group(session: AsyncSession, tip_id: int, group: ChatGroup) -> Place | None:
    """The post of a tip in this group; None where it does not hang there."""
    number = await session.scalar(
        select(TipPost.id).where(TipPost.tip_id == tip_id, TipPost.group_id == group.id)
    )
    return await place_of(session, number) if number is not None else None


async def by_token(session: AsyncSession, token: str) -> Place | None:
    """The post whose link this is."""
    number = await session.scalar(select(TipPost.id).where(TipPost.token == token))
    return await place_of(session, number) if number is not None else None


def said(tip: WorkTip, *, now: datetime) -> dict[str, Any]:
    """What a card says of a tip as it stands, wherever it hangs; words are escaped at the edge.

    What it says of the tip that it replaces is added from `before`.
    """
    bullets, begins = tip_words.bullets(tip), tip_words.begins(tip)
    return {
        "tip": tip.id,
        "number": tip_words.number(tip),
        "short": tip_words.short_number(tip),
        "document_no": tip_words.document_no(tip),
        "type": tip.type.value,
        "title": tip.title,
        "bullets": list(bullets),
        "basis": tip_words.basis_beside(tip, "\n".join(bullets)),
        "from": begins.isoformat() if begins else "",
        "until": tip.effective_until.isoformat() if tip.effective_until else "",
        "due": tip.receipt_due.isoformat() if tip.receipt_wanted and tip.receipt_due else "",
        "state": standing(tip, now),
        "internal": tip.secrecy is TipSecrecy.INTERNAL,
        "why": tip.withdrawn_why,
        "new": 0,
        "new_short": "",
        "new_title": "",
    }


def facts(tip: WorkTip, place: Place, *, counts: tuple[int, int], now: datetime) -> dict[str, Any]:
    """What the card in one group says: `counts` are receipts given and owed, `link` is filled in by callers.

    `buttons`: the channel tells us who taps; without that only the link is there.
    """
    return (
        said(tip, now=now)
        | place.before
        | {
            "post": place.post.id,
            "group": place.group.id,
            "wanted": tip.receipt_wanted,
            "read": counts[0],
            "addressed": counts[1],
            "token": place.post.token,
            "link": "",
            "thread": place.post.thread_id,
            "message": place.post.message_id,
            "buttons": place.contact.channel in EDITS,
        }
    )


async def before(session: AsyncSession, tip: WorkTip, *, year: int | None = None) -> dict[str, str]:
    """What a card says of the tip that this one replaces: its number, and its title where it may be read.

    `year`: that of a tip which has no number yet.
    """
    old = await tip_chain.replaced(session, tip)
    if old is None:
        return {"old": "", "old_title": ""}
    return {"old": tip_words.beside(old, tip.year or year), "old_title": tip_chain.titled(old, tip)}


def standing(tip: WorkTip, now: datetime) -> str:
    """`superseded`, `withdrawn`, `expired`, else `current`: a wording that holds from tomorrow is current."""
    found = tip_words.outdated(tip, now)
    return found if found not in ("", "later") else "current"


async def fallen(session: AsyncSession, tip: WorkTip) -> tuple[bool, WorkTip | None]:
    """Whether groups are to know that a tip holds no more, and which holds in its place, if any.

    What replaces it says so only once it has been sent itself: until then it is under embargo.
    """
    if tip.state is not TipState.SUPERSEDED:
        return tip.state is TipState.WITHDRAWN, None
    new, ended, row = None, False, tip
    while row.superseded_by_id is not None:
        row = await session.get_one(WorkTip, row.superseded_by_id)
        new = row if row.laid_out_at is not None else new
        ended = row.state is TipState.WITHDRAWN
    return new is not None or ended, new


def subject_of(tip: WorkTip) -> str:
    """The subject of everything that is sent of a tip."""
    return f"{KIND}:{tip.id}"


def topic(group: ChatGroup) -> int | None:
    """The forum topic in which a group wants its tips; None for the group itself."""
    found = group.topics.get("tips")
    return int(found) if found else None


async def links(session: AsyncSession, tip: WorkTip, *, only: int | None = None) -> dict[int, str]:
    """The links that groups were given, by their contact, or that of one: kept in what was sent."""
    statement = select(Delivery.contact_id, Delivery.facts).where(
        Delivery.subject == subject_of(tip), Delivery.kind == KIND
    )
    if only is not None:
        statement = statement.where(Delivery.contact_id == only)
    rows = await session.execute(statement)
    found = {contact_id: str(told.get("link", "")) for contact_id, told in rows}
    return {contact_id: link for contact_id, link in found.items() if link}
