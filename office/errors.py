"""The few errors that rooms raise; each names a wording key, so that every edge can say it in words."""

from __future__ import annotations

from typing import Any


class DeskError(Exception):
    """A refusal that a person can understand.

    `key` is a wording key of `office.words`; `facts` fill its placeholders. HTTP numbers and chat
    wording are chosen at the edges, never here.
    """

    def __init__(self, key: str, **facts: Any) -> None:
        super().__init__(key)
        self.key = key
        self.facts = facts


class NotFound(DeskError):
    """What was asked for does not exist, or the asker may not know that it does."""


class NotPermitted(DeskError):
    """The acting person lacks the permission, or the object lies outside their reach."""


class Conflict(DeskError):
    """The object moved on meanwhile, or its state does not allow the act."""


class Invalid(DeskError):
    """The input cannot be used as it is."""


class TooMany(DeskError):
    """A budget is used up; `facts["until"]` says when it opens again, where that is known."""
