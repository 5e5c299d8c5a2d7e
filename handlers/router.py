"""The order of the routers: groups first, then commands and words, kinds of content, any text last."""

from __future__ import annotations

from copy import deepcopy

from aiogram import Dispatcher
from aiogram.fsm.storage.base import BaseEventIsolation, BaseStorage

from handlers import (
    appeals,
    ask,
    dates,
    groups,
    kinds,
    mine,
    named_days,
    neighbours,
    notify,
    start,
    stations,
    where,
)
from handlers.middlewares import Transactions
from handlers.replies import Replies
from handlers.turn import Desk


def dispatcher(desk: Desk, storage: BaseStorage, isolation: BaseEventIsolation) -> Dispatcher:
    """The conversation, ready to be fed with the updates of every channel.

    Each update runs inside one transaction; what handlers return is sent after the commit. Updates of one
    person are handled one after the other by `isolation`.
    """
    found = Dispatcher(storage=storage, events_isolation=isolation)
    replies = Replies(desk)
    found.update.outer_middleware(replies)
    found.update.outer_middleware(Transactions(desk, replies))
    first = (groups, start, mine, dates, notify, appeals, named_days)
    for module in (*first, neighbours, stations, where, ask, kinds):
        # aiogram lets a router belong to one dispatcher for ever; a copy lets tests and tools build several.
        found.include_router(deepcopy(module.router))
    return found
