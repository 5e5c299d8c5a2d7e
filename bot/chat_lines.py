"""The lines of a web chat as the templates show them, and which of them the reader is led to."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta
from typing import Any

from markupsafe import Markup

from bot.channels.markup import paragraphs
from bot.channels.web import MailboxItem, Op
from office.hours import BEIJING

# An answer and what follows it leave at once; what comes later came by itself.
TOGETHER = timedelta(seconds=5)


def shown(item: MailboxItem) -> dict[str, Any]:
    """A line as the template wants it."""
    return {
        "id": item.target,
        "seq": item.seq,
        "mine": item.mine,
        "html": _card(item.content["venue"]) if "venue" in item.content else _words(item),
        "time": item.at.astimezone(BEIJING).strftime("%H:%M"),
        "buttons": item.content.get("buttons", []),
        "live": True,
    }


def newest(items: Sequence[MailboxItem]) -> int:
    """The message with which begins what came last, 0 without any; `items` as the page shows them.

    What was tapped is written anew and stands before what came of the tap.
    """
    if not items:
        return 0
    first, latest = items[-1], max(items, key=lambda item: item.seq)
    if latest.at - first.at > TOGETHER:
        return latest.target
    tapped = max((item.seq for item in items if item.op is Op.REPLACE and item.seq < first.seq), default=0)
    for item in reversed(items[:-1]):
        before = item.mine or item.op is Op.REPLACE or item.seq < tapped
        if first.mine or before or first.at - item.at > TOGETHER:
            break
        first = item
    return first.target


def _words(item: MailboxItem) -> Markup:
    return paragraphs(item.content.get("text", ""), html=bool(item.content.get("html")))


def _card(venue: dict[str, str]) -> Markup:
    title, address = venue["title"], venue["address"]
    return Markup('<div class="venue"><p class="venue-name">{}</p><p>{}</p></div>').format(title, address)
