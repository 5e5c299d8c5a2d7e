"""Which work tip another one took the place of, what may be said of it there, and what to do instead."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy.ext.asyncio import AsyncSession

from knowledge import tip_words
from knowledge.tip_shelf import Standing
from knowledge.tips import TipSecrecy, TipState, WorkTip
from office.words import say


async def replaced(session: AsyncSession, tip: WorkTip) -> WorkTip | None:
    """The tip that people had before this one; None if there was none.

    One that was corrected before it went out nobody has seen: then it is the one before that.
    """
    row = tip
    while row.supersedes_id is not None:
        row = await session.get_one(WorkTip, row.supersedes_id)
        if row.laid_out_at is not None:
            return row
    return None


def titled(old: WorkTip, beside: WorkTip) -> str:
    """The title of `old` for those who read `beside`; empty where it is internal and they may be anybody.

    Its number anybody may know.
    """
    return "" if old.secrecy is TipSecrecy.INTERNAL and beside.secrecy is TipSecrecy.PUBLIC else old.title


def mark(tip: WorkTip, standing: Standing, lang: str) -> str:
    """What stands over the page of a tip that is not to be followed, or not for long: 已被第5期替代."""
    no = tip_words.beside(standing.successor, tip.year)
    if standing.since is None:
        return say(f"tippage.{standing.state}", lang, no=no)
    return say("tippage.superseding", lang, day=tip_words.moment(standing.since, tip.year, lang), no=no)


def instead(tip: WorkTip, standing: Standing, lang: str, *, title: bool, now: datetime) -> str:
    """What the page of a tip says below its mark: what to do, and from when the one in its place holds.

    `title`: whether whoever reads may know that of the new one.
    """
    new, since = standing.successor, tip_words.since(standing.successor) if standing.successor else None
    if new is None or since is None:
        return say(f"tippage.{standing.state}_text", lang)
    no = tip_words.beside(new, tip.year)
    if new.state is TipState.WITHDRAWN:
        return say("tippage.superseded_withdrawn", lang, no=no)
    name = say("tippage.named", lang, no=no, title=new.title) if title else no
    key = "tippage.superseded_since" if since <= now else "tippage.superseded_later"
    return say(key, lang, new=name, no=no, day=tip_words.moment(since, tip.year, lang))
