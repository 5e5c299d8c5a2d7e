"""The order of the routers: groups first, then commands and words, kinds of content, any text last."""

from __future__ import annotations

from types import ModuleType

from aiogram import Dispatcher, Router
from aiogram.fsm.storage.base import BaseEventIsolation, BaseStorage

from handlers import (
    appeals,
    ask,
    bulk,
    cite,
    corrections,
    dates,
    desk,
    desk_group,
    doorstep,
    duty,
    group_binding,
    groups,
    kinds,
    lookup,
    lookup_help,
    mine,
    named_days,
    neighbours,
    notify,
    platform,
    private_answer,
    short_questions,
    staff_binding,
    start,
    stations,
    tip_taps,
    tips,
    where,
)
from handlers.middlewares import Transactions
from handlers.replies import Replies
from handlers.turn import Desk

# A receipt code first: it is one whatever stands around it, and whatever was asked before. Then what only
# staff can mean, before the same words mean something to everybody; their free words come before everybody's.
ORDER: tuple[ModuleType, ...] = (
    group_binding, desk_group, tip_taps, groups, lookup, lookup_help, staff_binding, private_answer, cite,
    bulk, tips, doorstep, platform, desk, duty, start, mine, corrections, dates, notify, appeals, named_days,
    neighbours, stations, where, short_questions, ask, kinds,
)  # fmt: skip


def dispatcher(desk: Desk, storage: BaseStorage, isolation: BaseEventIsolation) -> Dispatcher:
    """The conversation, ready to be fed with the updates of every channel.

    Each update runs inside one transaction; what handlers return is sent after the commit. Updates of one
    person are handled one after the other by `isolation`.
    """
    found = Dispatcher(storage=storage, events_isolation=isolation)
    replies = Replies(desk)
    found.update.outer_middleware(replies)
    found.update.outer_middleware(bulk.Fetching(desk))
    found.update.outer_middleware(Transactions(desk, replies))
    for module in ORDER:
        found.include_router(_copy(module.router))
    return found


def _copy(router: Router) -> Router:
    """A router with the same handlers: aiogram lets one belong to a single dispatcher for ever.

    Not a deep copy, which goes through all of aiogram's observers and takes the twentieth part of a second.
    """
    found = Router(name=router.name)
    for name, observer in router.observers.items():
        copy = found.observers[name]
        copy.handlers.extend(observer.handlers)
        copy._handler.filters = observer._handler.filters  # of the whole router, as groups has them
    return found
