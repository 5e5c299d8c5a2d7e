"""What a channel cannot do, said in what it can: links for buttons, words for a place, parts for length."""

from __future__ import annotations

import unicodedata
from html import escape
from typing import Any

from aiogram.client.default import Default
from aiogram.enums import ParseMode
from aiogram.methods import SendMessage, SendVenue, TelegramMethod
from aiogram.types import InlineKeyboardButton, InlineKeyboardMarkup

from bot.channels import spans
from bot.channels.caps import Caps
from bot.channels.spans import Line, Lines, Span

# The longest mark behind a part, for measuring.
_MARK: Line = (Span("(99/99)"),)


def degrade(method: TelegramMethod[Any], caps: Caps) -> list[TelegramMethod[Any]]:
    """The methods by which `method` is sent on a channel with these capabilities; nothing said gets lost.

    Texts are in our HTML subset, unless their `parse_mode` is None. What is degraded already stays as it is,
    so it can be done before a message is paced and again where it is sent.
    """
    if isinstance(method, SendVenue) and not caps.venue:
        return degrade(_in_words(method), caps)
    if not isinstance(method, SendMessage):
        return [method]
    lines = read(method)
    keyboard = method.reply_markup
    if not caps.inline:
        lines += tuple(_links(keyboard, caps.home))
        keyboard = None
    if keyboard is method.reply_markup and caps.write(lines).fits:
        return [method]
    parts = split(lines, caps)
    return [
        method.model_copy(
            update={
                "text": spans.as_html(part),
                "parse_mode": ParseMode.HTML,
                "reply_markup": keyboard if number == len(parts) else None,
            }
        )
        for number, part in enumerate(parts, start=1)
    ]


def read(method: SendMessage) -> Lines:
    """The lines of a message; the default of all our bots is HTML."""
    mode = method.parse_mode
    return spans.read(method.text, html=isinstance(mode, Default) or mode == ParseMode.HTML)


def _in_words(venue: SendVenue) -> SendMessage:
    return SendMessage(
        chat_id=venue.chat_id,
        text=f"<b>{escape(venue.title, quote=False)}</b>\n{escape(venue.address, quote=False)}",
        reply_markup=venue.reply_markup,
    )


def _links(keyboard: Any, home: str) -> list[Line]:
    """A line for each button that leads somewhere or gives something; the rest leads to the web chat."""
    if not isinstance(keyboard, InlineKeyboardMarkup):
        return []
    found: list[Line] = []
    taps: list[str] = []
    for button in (button for row in keyboard.inline_keyboard for button in row):
        if address := _address(button):
            found.append((Span(button.text, href=address),))
        elif button.copy_text is not None:
            found.append((Span(f"{button.text}：{button.copy_text.text}"),))
        else:
            taps.append(button.text)
    if taps and home:
        found.append((Span("／".join(taps), href=home),))
    return [(), *found] if found else []


def _address(button: InlineKeyboardButton) -> str:
    if button.web_app is not None:
        return button.web_app.url
    if button.login_url is not None:
        return button.login_url.url
    return button.url or ""


def split(lines: Lines, caps: Caps) -> list[Lines]:
    """Parts that fit, numbered (1/2), (2/2): cut at the end of a block, else of a line, else within one."""
    if caps.write(lines).fits:
        return [lines]
    parts: list[Lines] = []
    current: Lines = ()
    for block in _blocks(lines):
        if _fits(current + block, caps):
            current += block
            continue
        if _trimmed(current) and _fits(_trimmed(block), caps):
            parts.append(current)
            current = _trimmed(block)
            continue
        for line in block:
            for piece in _pieces(line, caps):
                if current and not _fits((*current, piece), caps):
                    parts.append(current)
                    current = ()
                current = (*current, piece)
    parts.append(current)
    parts = [part for part in map(_trimmed, parts) if part]
    if len(parts) == 1:
        return parts
    return [(*part, (Span(f"({number}/{len(parts)})"),)) for number, part in enumerate(parts, start=1)]


def _fits(lines: Lines, caps: Caps) -> bool:
    return caps.write((*lines, _MARK)).fits


def _blocks(lines: Lines) -> list[Lines]:
    """The message in blocks, the empty line before a block with it."""
    found: list[list[Line]] = [[]]
    for line in lines:
        if not line and any(found[-1]):
            found.append([])
        found[-1].append(line)
    return [tuple(block) for block in found]


def _trimmed(lines: Lines) -> Lines:
    """Without the empty lines around it, of which none may be left over as a part of its own."""
    first, last = 0, len(lines)
    while first < last and not lines[first]:
        first += 1
    while last > first and not lines[last - 1]:
        last -= 1
    return lines[first:last]


def _pieces(line: Line, caps: Caps) -> list[Line]:
    """A line that fits no message by itself, in pieces that do."""
    found: list[Line] = []
    while not _fits((line,), caps):
        fits, over = 1, sum(len(span.text) for span in line)
        if over <= 1:
            break  # the address of a link alone is too long: nothing can be cut
        while over - fits > 1:
            middle = (fits + over) // 2
            if _fits((spans.cut(line, middle)[0],), caps):
                fits = middle
            else:
                over = middle
        piece, line = spans.cut(line, _whole("".join(span.text for span in line), fits))
        found.append(piece)
    return [*found, line]


def _whole(text: str, at: int) -> int:
    """The last place up to `at` that tears no sign apart: an emoji of several characters is one."""
    place = at
    while place > 0 and at - place < 16 and _joined(text, place):
        place -= 1
    return place if place and not _joined(text, place) else at


def _joined(text: str, at: int) -> bool:
    if at >= len(text):
        return False
    before, after = text[at - 1], text[at]
    return (
        before == "\u200d"
        or after in "\u200d\ufe0e\ufe0f\u20e3"
        or unicodedata.combining(after) != 0
        or "\U0001f3fb" <= after <= "\U0001f3ff"
        or _flag_ends(text, at)
    )


def _flag_ends(text: str, at: int) -> bool:
    """Whether a flag, which is two letters, would be torn here."""
    begun = at
    while begun > 0 and "\U0001f1e6" <= text[begun - 1] <= "\U0001f1ff":
        begun -= 1
    return "\U0001f1e6" <= text[at] <= "\U0001f1ff" and (at - begun) % 2 == 1
