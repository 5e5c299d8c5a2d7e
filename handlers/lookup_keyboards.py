"""The buttons of the lookup: the ways to ask, and the ways to help under a result."""

from __future__ import annotations

from collections.abc import Sequence

from aiogram.types import InlineKeyboardButton, InlineKeyboardMarkup

from handlers.callbacks import Op, Tap, tap
from handlers.keyboards import button, person_or_menu, rows
from knowledge.roll.records import LookupResult
from office.words import say
from ticketing.records import RollIssue, TicketKind

TOPIC = "reg_status"
_RESULTS = tuple(LookupResult)


def ways(lang: str) -> InlineKeyboardMarkup:
    """By receipt code, on the secure page, or at the station."""
    return rows([_code(lang)], [_page(lang)], [_station(lang, "lookupchat.button.at_station")])


def without_page(lang: str) -> InlineKeyboardMarkup:
    """The same where there is no page to be opened, or not for whom is asked about."""
    return rows([_code(lang)], [_station(lang, "lookupchat.button.at_station")])


def at_station(lang: str) -> InlineKeyboardMarkup:
    """While nothing can be looked up: the station, which always can."""
    return rows([_station(lang, "lookupchat.button.at_station")])


def page(lang: str, url: str) -> InlineKeyboardMarkup:
    """The link to the secure page itself."""
    return rows([InlineKeyboardButton(text=say("lookupchat.button.open", lang), url=url)])


def in_english(url: str) -> InlineKeyboardMarkup:
    """The ways to ask for who wrote in English: the page itself, in English, where it can be reached."""
    if not url:
        return ways("en")
    link = InlineKeyboardButton(text=say("lookupchat.button.page", "en"), url=url)
    return rows([_code("en")], [link], [_station("en", "lookupchat.button.at_station")])


def under_result(lang: str, result: LookupResult) -> InlineKeyboardMarkup:
    """Help after a result: the same for all three, and each knows which of them it stands under."""
    stamp = _RESULTS.index(result) + 1
    verify = button(say("lookupchat.button.verify", lang), tap(Op.VERIFY, stamp=stamp))
    wrong = button(say("lookupchat.button.wrong", lang), tap(Op.WRONG, stamp=stamp))
    appeal = button(say("lookupchat.button.appeal", lang), tap(Op.OBJECT, stamp=stamp))
    return rows([verify, wrong], [appeal, _station(lang, "lookupchat.button.station")])


def result_of(tapped: Tap) -> LookupResult | None:
    """Under which result a button stood; None for one that stood under none."""
    number = int(tapped.stamp, 36)
    return _RESULTS[number - 1] if 0 < number <= len(_RESULTS) else None


def issues(lang: str, choices: Sequence[RollIssue], result: LookupResult | None) -> InlineKeyboardMarkup:
    """What is wrong with the list, one line each."""
    stamp = _RESULTS.index(result) + 1 if result else 0

    def one(issue: RollIssue) -> InlineKeyboardButton:
        label = say(f"lookupchat.issue.{issue.value}", lang)
        return button(label, tap(Op.WRONG, stamp=stamp, arg=issue.value))

    return rows(*[[one(issue)] for issue in choices])


def after_case(lang: str, kind: TicketKind) -> InlineKeyboardMarkup:
    """After a case was opened: what to bring, where, and how far it is."""
    mine = button(say("menu.mine", lang), tap(Op.MINE))
    return rows([documents(lang, kind)], [_station(lang, "lookupchat.button.station"), mine])


def instead(lang: str) -> InlineKeyboardMarkup:
    """Outside the term for appeals: what to have ready, and somebody to ask."""
    return rows([documents(lang, TicketKind.APPEAL)], *person_or_menu(lang).inline_keyboard)


def documents(lang: str, kind: TicketKind) -> InlineKeyboardButton:
    """What to bring for a case of this kind."""
    return button(say(f"lookupchat.button.documents_{kind.value}", lang), tap(Op.DOCUMENTS, arg=kind.value))


def status(lang: str) -> InlineKeyboardButton:
    """Under an answer about being registered: the lookup itself."""
    return button(say("lookupchat.button.status", lang), tap(Op.STATUS))


def under(keyboard: InlineKeyboardMarkup, topic: str, lang: str) -> InlineKeyboardMarkup:
    """The buttons under an answer: the lookup before them where it is about being registered, and beside the
    way to object to the list what to bring for it."""
    if topic == TOPIC:
        return rows([status(lang)], *keyboard.inline_keyboard)
    objects = f"|{Op.APPEAL}|"
    return rows(
        *[
            [documents(lang, TicketKind.APPEAL), *line] if objects in (line[0].callback_data or "") else line
            for line in keyboard.inline_keyboard
        ]
    )


def _code(lang: str) -> InlineKeyboardButton:
    return button(say("lookupchat.button.code", lang), tap(Op.CODE))


def _page(lang: str) -> InlineKeyboardButton:
    return button(say("lookupchat.button.page", lang), tap(Op.SECURE))


def _station(lang: str, key: str) -> InlineKeyboardButton:
    return button(say(key, lang), tap(Op.STATION, arg="s0"))
