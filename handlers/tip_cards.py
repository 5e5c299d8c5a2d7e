"""A work tip in a group: its card, how that looks once it holds no more, the 更正, the reminder."""

from __future__ import annotations

from datetime import datetime
from html import escape
from typing import Any

from aiogram.enums import ButtonStyle
from aiogram.methods import EditMessageText, SendMessage, TelegramMethod
from aiogram.types import InlineKeyboardButton, InlineKeyboardMarkup, ReplyParameters

from handlers import keyboards
from handlers.callbacks import Op, tap
from knowledge import tip_numbers, tip_words
from office.words import say

Methods = list[TelegramMethod[Any]]
# With every character escaped to six, all of them together stay below the 4,096 of a message.
TITLE, OLD_TITLE, BULLET, BASIS, REASON, NUMBER = 200, 60, 60, 100, 300, 40


def post(facts: dict[str, Any], chat_id: int, lang: str) -> Methods:
    """The card as it goes out, into the group's topic for tips where it has one."""
    return [
        SendMessage(
            chat_id=chat_id, text=text(facts, lang), reply_markup=keyboard(facts, lang),
            message_thread_id=facts["thread"], protect_content=True if facts["internal"] else None,
        )
    ]  # fmt: skip


def edit(facts: dict[str, Any], chat_id: int, lang: str) -> Methods:
    """The card in the place of what stands there."""
    return [
        EditMessageText(
            chat_id=chat_id, message_id=facts["message"], text=text(facts, lang),
            reply_markup=keyboard(facts, lang),
        )
    ]  # fmt: skip


def correction(facts: dict[str, Any], chat_id: int, lang: str) -> Methods:
    """更正, where a message cannot be edited: below it, naming it."""
    named = {"number": facts["number"], "title": _clipped(facts["title"], TITLE)}
    if facts["state"] == "superseded":
        lines = [_replaced(facts, lang, "tipchat.correction_", **named), *_new(facts, lang)]
    else:
        lines = [say("tipchat.correction_withdrawn", lang, **named), *_reason(facts, lang)]
    return [_below(facts, chat_id, "\n".join(lines), keyboard(facts, lang))]


def chase(facts: dict[str, Any], chat_id: int, lang: str) -> Methods:
    """催阅, for a unit that has not signed."""
    lines = [
        say("tipchat.chase", lang, number=facts["number"], title=_clipped(facts["title"], TITLE)),
        say("tipchat.chase_unit", lang, unit=escape(facts["unit"]), **_counts(facts)),
    ]
    if facts["due"]:
        lines.append(say("tipchat.chase_due", lang, due=_moment(facts, "due", lang, ends=True)))
    if facts["buttons"]:
        lines.append(say("tipchat.chase_how", lang))
    return [_below(facts, chat_id, "\n".join(lines), keyboard(facts, lang))]


def text(facts: dict[str, Any], lang: str) -> str:
    """The card's words: what holds no more keeps its name only, so that nobody follows the rest."""
    head, state = heading(facts, lang), facts["state"]
    if state == "superseded":
        return "\n".join([_replaced(facts, lang, "tipchat."), *head, *_new(facts, lang)])
    if state == "withdrawn":
        return "\n".join([say("tipchat.withdrawn", lang), *head, *_reason(facts, lang)])
    lines = [say("tipchat.expired", lang), *head] if state == "expired" else head
    lines = [*lines, *replaces(facts, lang)]
    lines += [f"• {_clipped(bullet, BULLET)}" for bullet in facts["bullets"]]
    if facts["basis"]:
        lines.append(say("tipchat.basis", lang, basis=_clipped(facts["basis"], BASIS)))
    if span := validity(facts, lang):
        lines.append(span)
    if state == "current" and facts.get("wanted"):
        lines.append(_counted(facts, lang))
    return "\n".join(lines)


def heading(facts: dict[str, Any], lang: str) -> list[str]:
    """What it is cited by, number and 发文字号 where it has one, and its title."""
    kind, own = say(f"tipchat.type.{facts['type']}", lang), _clipped(facts.get("document_no", ""), NUMBER)
    number = say("tipchat.numbers", lang, number=facts["number"], document_no=own) if own else facts["number"]
    return [
        say("tipchat.head", lang, number=number, type=kind),
        f"<b>{_clipped(facts['title'], TITLE)}</b>",
    ]


def replaces(facts: dict[str, Any], lang: str) -> list[str]:
    """Which tip it takes the place of, if any; what was laid out before this was said lacks the facts."""
    if not facts.get("old"):
        return []
    if not facts["old_title"]:
        return [say("tipchat.replaces_number", lang, number=facts["old"])]
    title = _clipped(facts["old_title"], OLD_TITLE)
    return [say("tipchat.replaces", lang, number=facts["old"], title=title)]


def keyboard(facts: dict[str, Any], lang: str) -> InlineKeyboardMarkup | None:
    """全文, 已阅, 有疑问; the way to the tip that holds; a link where nobody can tap."""
    if not facts["buttons"]:
        if not facts["link"]:
            return None
        key = "tipchat.button.link" if facts["state"] == "current" else "tipchat.button.look"
        return keyboards.rows([InlineKeyboardButton(text=say(key, lang), url=facts["link"])])
    if facts["state"] == "superseded" and facts["new"]:
        label = say("tipchat.button.new", lang, no=facts["new_short"])
        return keyboards.rows([keyboards.button(label, tap(Op.TIP_TEXT, facts["new"]))])
    if facts["state"] in ("superseded", "withdrawn"):
        return None
    return under(facts["tip"], lang, read=bool(facts.get("wanted")) and facts["state"] == "current")


def under(tip_id: int, lang: str, *, read: bool, whole: bool = True) -> InlineKeyboardMarkup:
    """The buttons of a tip that stands; `read`: a receipt is wanted here, `whole`: more than is shown."""
    found = []
    if whole:
        found.append(keyboards.button(say("tipchat.button.text", lang), tap(Op.TIP_TEXT, tip_id)))
    if read:
        label = say("tipchat.button.read", lang)
        found.append(keyboards.button(label, tap(Op.TIP_READ, tip_id), ButtonStyle.SUCCESS))
    found.append(keyboards.button(say("tipchat.button.ask", lang), tap(Op.TIP_QUESTION, tip_id)))
    return keyboards.rows(found)


def validity(facts: dict[str, Any], lang: str) -> str:
    """From when and until when it holds; empty where neither is said."""
    parts = []
    if facts["from"]:
        parts.append(say("tipchat.from", lang, day=_moment(facts, "from", lang)))
    if facts["until"]:
        parts.append(say("tipchat.until", lang, day=_moment(facts, "until", lang, ends=True)))
    return " · ".join(parts)


def _below(
    facts: dict[str, Any], chat_id: int, words: str, buttons: InlineKeyboardMarkup | None
) -> SendMessage:
    """In the same place: a reply to the card, or in its topic where the card is gone or has no number."""
    number = facts["message"] if facts["buttons"] else None
    card = ReplyParameters(message_id=number, allow_sending_without_reply=True) if number else None
    return SendMessage(
        chat_id=chat_id, text=words, reply_markup=buttons, message_thread_id=facts["thread"],
        reply_parameters=card,
    )  # fmt: skip


def _counted(facts: dict[str, Any], lang: str) -> str:
    counter = say("tipchat.counter", lang, **_counts(facts))
    if not facts["due"]:
        return counter
    return f"{counter} · {say('tipchat.due', lang, due=_moment(facts, 'due', lang, ends=True))}"


def _counts(facts: dict[str, Any]) -> dict[str, int]:
    return {"read": facts["read"], "addressed": facts["addressed"]}


def _replaced(facts: dict[str, Any], lang: str, beginning: str, **named: str) -> str:
    """That a tip is replaced, or from when; what was laid out before this was said lacks the fact."""
    if facts.get("new_later"):
        day = _moment(facts, "new_from", lang)
        return say(f"{beginning}superseding", lang, no=facts["new_short"], day=day, **named)
    return say(f"{beginning}superseded", lang, no=facts["new_short"], **named)


def _new(facts: dict[str, Any], lang: str) -> list[str]:
    title = _clipped(facts["new_title"], TITLE)
    found = [say("tipchat.new_title", lang, title=title)] if title else []
    if facts.get("new_from") and not facts.get("new_later"):
        day = _moment(facts, "new_from", lang)
        found.append(say("tipchat.new_from", lang, no=facts["new_short"], day=day))
    return found


def _reason(facts: dict[str, Any], lang: str) -> list[str]:
    return [say("tipchat.reason", lang, why=_clipped(facts["why"], REASON))] if facts["why"] else []


def _moment(facts: dict[str, Any], name: str, lang: str, *, ends: bool = False) -> str:
    """A moment beside the number of the tip, whose year says that of its days."""
    own = tip_numbers.find(facts["number"])
    return tip_words.moment(datetime.fromisoformat(facts[name]), own[0] if own else None, lang, ends=ends)


def _clipped(words: str, most: int) -> str:
    plain = " ".join(words.split())
    return escape(plain if len(plain) <= most else plain[: most - 1] + "…")
