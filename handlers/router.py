"""The order of the routers: groups first, then commands and words, kinds of content, any text last."""

from __future__ import annotations

from copy import copy
from types import ModuleType

from aiogram import Dispatcher, Router
from aiogram.fsm.storage.base import BaseEventIsolation, BaseStorage

from handlers import (
    answered,
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
    bulk, tips, doorstep, platform, desk, duty, start, mine, answered, corrections, dates, notify, appeals,
    named_days, neighbours, stations, where, short_questions, ask, kinds,
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

    Only where it has handlers are its observers copied. To make twenty-eight for each router, or a deep copy,
    takes the twentieth part of a second and more.
    """
    found = copy(router)
    found._parent_router, found.sub_routers = None, []
    found.observers = dict(router.observers)
    for name, observer in router.observers.items():
        if observer.handlers:
            found.observers[name] = copy(observer)
            found.observers[name].router = found
    return found
