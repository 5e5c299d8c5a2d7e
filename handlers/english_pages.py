"""What there is for those who ask in English: pages that need no answer in words of ours."""

from __future__ import annotations

from aiogram.types import InlineKeyboardButton, InlineKeyboardMarkup

from handlers import keyboards
from handlers.turn import Reply, Turn
from office.contacts import Channel
from office.words import say

ENGLISH = "en"
PAGES = (("/where", "where.title"), ("/calendar", "calendar.title"), ("/stations", "stations.title"))


def reply(turn: Turn, text: str) -> Reply:
    """`text`, which says whom to call, with the pages in English and a person below.

    Where the pages have no address from outside, only the web chat can lead to them.
    """
    web = turn.contact.channel is Channel.WEB
    below = keyboards.person_or_menu(ENGLISH)
    if not web and not turn.desk.public_url:
        return turn.say(text, below)
    root = "" if web else turn.desk.public_url
    lines = [
        [InlineKeyboardButton(text=say(title, ENGLISH), url=f"{root}{page}?lang={ENGLISH}")]
        for page, title in PAGES
    ]
    text = f"{text}\n{say('gate.english_pages', ENGLISH)}"
    return turn.say(text, InlineKeyboardMarkup(inline_keyboard=[*lines, *below.inline_keyboard]))
