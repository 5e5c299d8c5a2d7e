"""How the commands of `roll` speak: every line in every language, refusals in one line and with status 2."""

from __future__ import annotations

import signal
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import FrameType
from typing import Any, Final

from knowledge.pack_nodes import BadPack
from office.errors import DeskError
from office.words import LANGUAGES, say

UNUSABLE: Final = 2


def told(act: Callable[[], int]) -> int:
    """Run an act; whatever cannot be used is told in one line of each language."""
    try:
        with _ended_in_order():
            return act()
    except BadPack as error:
        for language in LANGUAGES:
            print(_line(error.said(language)), file=sys.stderr)
    except DeskError as error:
        refuse(error.key, **error.facts)
    except OSError as error:
        refuse("roll_build.folder", path=error.filename or "")
    return UNUSABLE


@contextmanager
def _ended_in_order() -> Iterator[None]:
    """Whoever ends the process leaves no part of a file behind: what was begun is taken away."""

    def ended(number: int, frame: FrameType | None) -> None:
        raise SystemExit(128 + number)

    before = signal.signal(signal.SIGTERM, ended)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before)


def say_all(key: str, **facts: Any) -> None:
    """Print a wording in every language."""
    for language in LANGUAGES:
        print(say(key, language, **facts))


def refuse(key: str, **facts: Any) -> None:
    """Print a refusal in every language, a line each."""
    for language in LANGUAGES:
        print(_line(say(key, language, **facts)), file=sys.stderr)


def _line(text: str) -> str:
    return " ".join(text.split())
