"""What askers are told before there is an answer: a reply, a later time, a hold, how it stands."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import datetime
from html import escape
from typing import Any

from aiogram.types import InlineKeyboardMarkup

from handlers import speech
from office.words import say

Built = tuple[str, InlineKeyboardMarkup | None]


def interim(facts: dict[str, Any], lang: str) -> Built:
    """An officer's reply that is no answer yet (仅回复，继续办理)."""
    return _about(facts, lang, say("told.interim", lang, text=escape(facts["text"]))), None


def extended(facts: dict[str, Any], lang: str) -> Built:
    """A later time, told before the old one has passed."""
    return _about(facts, lang, say("extended", lang, promise=_promise(facts, lang))), None


def held(facts: dict[str, Any], lang: str) -> Built:
    """A higher office is asked, or data are checked: told as a hold begins and once a day."""
    key = "told.held.needs_data" if facts["why"] == "needs_data" else "extended"
    return _about(facts, lang, say(key, lang, promise=_promise(facts, lang))), None


def status(facts: dict[str, Any], lang: str) -> Built:
    """How it stands a day after the question, whatever the state."""
    state = say(f"asker_state.{facts['state']}", lang)
    if facts["state"] == "offline":
        return _about(facts, lang, say("told.status_offline", lang, state=state)), None
    if facts["passed"]:
        return _about(facts, lang, say("told.status_late", lang, state=state)), None
    return _about(facts, lang, say("told.status", lang, state=state, promise=_promise(facts, lang))), None


def _about(facts: dict[str, Any], lang: str, words: str) -> str:
    return f"{say('told.about', lang, no=facts['no'])}\n{words}"


def _promise(facts: dict[str, Any], lang: str) -> str:
    return speech.spoken_time(datetime.fromisoformat(facts["promised"]), lang)


BUILDERS: Mapping[str, Callable[[dict[str, Any], str], Built]] = {
    "interim": interim,
    "extended": extended,
    "held": held,
    "status": status,
}
"""One for each kind of delivery that `ticketing.interim` lays into the outbox."""
