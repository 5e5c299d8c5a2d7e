"""The order of the routers: groups first, then commands and words, kinds of content, any text last."""

from __future__ import annotations

from aiogram import Dispatcher, Router
from aiogram.fsm.storage.base import BaseEventIsolation, BaseStorage

from handlers import (
    appeals,
    ask,
    dates,
    groups,
    kinds,
    lookup,
    lookup_help,
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
    # A receipt code first: it is one whatever stands around it, and whatever was asked before.
    first = (groups, lookup, lookup_help, start, mine, dates, notify, appeals, named_days)
    for module in (*first, neighbours, stations, where, ask, kinds):
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
