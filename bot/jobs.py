"""What the clock asks for: one list of jobs for each pace, each job a transaction of its own.

Every job finds its work by its own rows, so it does it once however many workers there are.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from datetime import datetime
from functools import partial

from sqlalchemy.ext.asyncio import AsyncSession

from bot.channels import web
from knowledge import elections, health, lessons
from knowledge.roll import acts, imports, links
from knowledge.roll.lookups import Lookups
from office import chat_groups, chat_invites
from office.hours import OfficeHours
from ticketing import (
    assigning,
    attachments,
    call_backs,
    cards,
    day_end,
    forget,
    handovers,
    holding,
    interim,
    recalling,
    timed,
    tip_chases,
    tip_effect,
    tip_latecomers,
    tip_mending,
    tip_posts,
    tip_release,
)

Job = Callable[[AsyncSession], Awaitable[object]]


def each_second(lookups: Lookups, hours: OfficeHours, now: datetime) -> list[Job]:
    """What somebody waits for."""
    jobs: list[Job] = [
        partial(timed.settle_pieces, hours=hours, now=now),
        partial(timed.ask_back, hours=hours, now=now),
        partial(timed.close_by_default, now=now),
        partial(elections.remind, now=now),
        partial(imports.clear_away, now=now),
        partial(recalling.lay_out, now=now),
        partial(cards.lay_out, now=now),
    ]
    if lookups.tripped is not None:
        jobs.append(partial(lookups.watch, now=now))
    return jobs


def each_minute(hours: OfficeHours, now: datetime, public_url: str = "") -> list[Job]:
    """The clocks of the desk: they go by minutes, and looking at every open ticket costs something."""
    return [
        partial(holding.resume_due, hours=hours, now=now),
        partial(assigning.lapse, hours=hours, now=now),
        partial(assigning.assign_new, hours=hours, now=now),
        partial(interim.warn, hours=hours, now=now),
        partial(interim.status_within_24h, hours=hours, now=now),
        partial(interim.daily_while_held, hours=hours, now=now),
        partial(call_backs.undeliverable, now=now),
        partial(handovers.unsigned, now=now),
        partial(day_end.remind, hours=hours, now=now),
        partial(day_end.close_day, hours=hours, now=now),
        partial(chat_invites.expire, now=now),
        partial(chat_groups.note_lost, now=now),
        partial(chat_groups.leave_unbound, now=now),
        partial(tip_effect.take_effect, now=now),
        partial(tip_release.send_due, now=now, public_url=public_url),
        partial(tip_latecomers.lay_out, now=now, public_url=public_url),
        partial(tip_mending.mend, now=now),
        partial(tip_posts.recount, now=now),
        partial(tip_chases.automatic, hours=hours, now=now),
    ]


def each_hour(now: datetime) -> list[Job]:
    """What is kept long enough goes."""
    forgetting = (timed.tidy, web.forget_old, lessons.forget_old, attachments.forget_old, forget.old_names)
    calls = (call_backs.forget_old,)
    lookups = (links.forget_old, acts.forget_old)
    return [partial(job, now=now) for job in (*forgetting, *calls, *lookups, health.note)]
