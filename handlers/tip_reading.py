"""Work tips out of the archive: who may read which, the whole text with its state, the list of the latest."""

from __future__ import annotations

import re
from html import escape
from typing import Any, Final

from aiogram.methods import SendMessage
from aiogram.types import InlineKeyboardMarkup

from handlers import keyboards, plain_words, staff_chat, tip_cards
from handlers.callbacks import Op, tap
from handlers.turn import Reply, Turn
from knowledge import tip_numbers, tip_shelf, tip_words, tips
from knowledge.tip_shelf import Standing
from knowledge.tips import TipSecrecy, WorkTip
from office import staff
from office.chat_groups import Group
from office.contacts import Channel
from office.staff import Permission
from office.words import say
from ticketing import tip_places

LISTED: Final = 5
LOOKED_AT: Final = 50
LABEL: Final = 24
_ARGUMENT: Final = re.compile(r"(?:([0-9]{4})\s*[-－年]\s*)?(?:第\s*)?([0-9]{1,3})(?:\s*期)?")


def meant(words: str) -> str | None:
    """The number that a message asks for, if it asks for a tip and nothing else: 工作提示第3期, 第3期提示."""
    if len(words) > 40 or "提示" not in words or tip_numbers.exactly(words) is None:
        return None
    return words


def list_meant(words: str) -> bool:
    """Whether a message asks for the latest tips."""
    return plain_words.meaning(words) == "tips"


def argument(words: str) -> str | None:
    """What stands behind /tip as a number: 3, 2026-3, 第3期; None for anything else."""
    found = _ARGUMENT.fullmatch(words.strip())
    if found is None:
        return words if tip_numbers.exactly(words) else None
    year = f"{found[1]}年" if found[1] else ""
    return f"{year}第{int(found[2])}期"


async def visible(turn: Turn, tip: WorkTip, group: Group | None = None) -> bool:
    """Whether this tip may be read here: public ones everywhere, internal ones among staff.

    In a group what counts is the group, not who asks: everybody in it reads the answer.
    """
    if not tip_shelf.out(tip, turn.now):
        return False
    if tip.secrecy is TipSecrecy.PUBLIC or (group is not None and group.internal):
        return True
    if turn.chat_id < 0:
        return False
    person = await staff_chat.staff_of(turn)
    return person is not None and staff.may(person, Permission.SEE_ENTRIES)


async def numbered(turn: Turn, words: str, group: Group | None = None) -> Reply:
    """The tip that words name; one that may not be read here is as if it were not there."""
    tip = await tips.numbered(turn.session, words)
    if tip is None or not await visible(turn, tip, group):
        return turn.say(turn.words("tipchat.unknown"))
    if turn.chat_id < 0:
        return await brief(turn, tip, group)
    return await whole(turn, tip)


async def latest(turn: Turn, group: Group | None = None) -> Reply:
    """The latest tips that may be read here, each behind a button."""
    rows = await tip_shelf.holding(turn.session, limit=LOOKED_AT, now=turn.now)
    found = [tip for tip in rows if await visible(turn, tip, group)][:LISTED]
    if not found:
        return turn.say(turn.words("tipchat.none"))
    lines = [turn.words("tipchat.latest")]
    lines += [f"{tip_words.number(tip)}　{escape(tip.title)}{_mark(turn, tip)}" for tip in found]
    buttons = [
        keyboards.button(f"📄 {tip_words.short_number(tip)}"[:LABEL], tap(Op.TIP_TEXT, tip.id))
        for tip in found
    ]
    return turn.say("\n".join(lines), keyboards.rows(buttons[:3], buttons[3:]))


async def brief(turn: Turn, tip: WorkTip, group: Group | None) -> Reply:
    """The card of a tip, without its counter: for a group that asks for it."""
    facts = tip_places.said(tip, now=turn.now) | await tip_places.before(turn.session, tip)
    standing = await tip_shelf.standing(turn.session, tip, now=turn.now)
    facts |= await _successor(turn, tip, standing, group)
    state = standing.state if standing.state not in ("", "later") else "current"
    facts |= {"state": state, "why": standing.why, "buttons": True, "link": ""}
    return turn.say(tip_cards.text(facts, turn.lang), tip_cards.keyboard(facts, turn.lang))


async def whole(turn: Turn, tip: WorkTip, group: Group | None = None) -> Reply:
    """The whole text in parts, the buttons under the last; what is internal cannot be passed on."""
    standing = await tip_shelf.standing(turn.session, tip, now=turn.now)
    new = await _successor(turn, tip, standing, group)
    before = await tip_places.before(turn.session, tip)
    reply = turn.say(full(turn, tip, standing, before), await _after(turn, tip, standing, new))
    return [
        method.model_copy(update={"protect_content": True})
        if isinstance(method, SendMessage) and tip.secrecy is TipSecrecy.INTERNAL
        else method
        for method in reply
    ]


def full(turn: Turn, tip: WorkTip, standing: Standing, before: dict[str, str]) -> str:
    """Everything a tip says: whether it holds, number and title, the parts, basis, validity, passport.

    `before`: what it says of the tip that it replaces.
    """
    lang = turn.lang
    facts = tip_places.said(tip, now=turn.now) | before
    lines = [*_state(turn, tip, standing), *tip_cards.heading(facts, lang), *tip_cards.replaces(facts, lang)]
    if tip.addressed_to:
        lines.append(say("tipchat.addressed_to", lang, to=escape(tip.addressed_to)))
    for heading, words in tip_words.parts(tip, lang):
        lines += ["", f"<b>{heading}</b>", escape(words)]
    lines.append("")
    for key, words in (("basis", tip_words.basis_beside(tip, tip.wording)), ("scope", tip.scope)):
        if words.strip():
            lines.append(say(f"tipchat.{key}", lang, **{key: escape(words.strip())}))
    if span := tip_cards.validity(facts, lang):
        lines.append(span)
    for number, attachment in enumerate(tip.attachments, start=1):
        title = escape(str(attachment.get("title", "")))
        lines += ["", f"<b>{say('tipchat.attachment', lang, number=number, title=title)}</b>"]
        lines.append(escape(str(attachment.get("text", ""))))
    dated = tip.dated.isoformat() if tip.dated else ""
    issuer = escape(turn.district.office_name)
    passport = say("tipchat.passport", lang, number=facts["number"], date=dated, issuer=issuer)
    lines += ["", f"<i>{passport}</i>"]
    return "\n".join(lines)


def _state(turn: Turn, tip: WorkTip, standing: Standing) -> list[str]:
    match standing.state:
        case "superseded":
            no = tip_words.beside(standing.successor, tip.year)
            if standing.since is None:
                return [turn.words("tipchat.superseded", no=no)]
            day = tip_words.moment(standing.since, tip.year, turn.lang)
            return [turn.words("tipchat.superseding", no=no, day=day)]
        case "withdrawn":
            why = turn.words("tipchat.reason", why=escape(standing.why)) if standing.why else ""
            return [turn.words("tipchat.withdrawn"), *([why] if why else [])]
        case "expired":
            return [turn.words("tipchat.expired")]
        case "later":
            return [turn.words("tipchat.later")]
    return []


async def _successor(turn: Turn, tip: WorkTip, standing: Standing, group: Group | None) -> dict[str, Any]:
    """The tip that holds in place of this one: its number anybody may know, title and way who may read it."""
    found = standing.successor
    if found is None:
        return {"new": 0, "new_short": "", "new_title": ""}
    named = {"new": found.id, "new_title": found.title}
    if not await visible(turn, found, group):
        named = {"new": 0, "new_title": ""}
    begins = found.effective_from.isoformat() if found.effective_from else ""
    later = standing.since is not None
    return {"new_short": tip_words.beside(found, tip.year), "new_from": begins, "new_later": later, **named}


async def _after(
    turn: Turn, tip: WorkTip, standing: Standing, new: dict[str, Any]
) -> InlineKeyboardMarkup | None:
    if new["new"]:
        label = turn.words("tipchat.button.new", no=new["new_short"])
        return keyboards.rows([keyboards.button(label, tap(Op.TIP_TEXT, new["new"]))])
    asks = turn.contact.channel is Channel.TELEGRAM and await staff_chat.staff_of(turn) is not None
    if standing.state in tip_shelf.FALLEN or not asks:
        return None
    ask = keyboards.button(turn.words("tipchat.button.ask"), tap(Op.TIP_QUESTION, tip.id))
    return keyboards.rows([ask])


def _mark(turn: Turn, tip: WorkTip) -> str:
    return turn.words("tipchat.mark_expired") if tips.expired(tip, turn.now) else ""
