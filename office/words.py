"""Wording of chat and console in every language: gettext catalogues, keyed by name.

Chinese is the source; a missing translation falls back to it, a missing key is an error at once.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Any

from babel.messages.pofile import read_po

LOCALES = Path(__file__).parent.parent / "locales"
CHINESE = "zh_CN"
LANGUAGES = (CHINESE, "en")


@cache
def catalogue(language: str) -> Mapping[str, str]:
    """All wording of one language by key; every `.po` file of the language's folder together."""
    found: dict[str, str] = {}
    for path in sorted((LOCALES / language / "LC_MESSAGES").glob("*.po")):
        with path.open("rb") as file:
            for message in read_po(file):
                if message.id and isinstance(message.id, str):
                    found[message.id] = str(message.string)
    return found


def say(key: str, language: str = CHINESE, /, **facts: Any) -> str:
    """The wording of `key` with its placeholders filled; raises `KeyError` for an unknown key."""
    text = catalogue(language).get(key) or catalogue(CHINESE)[key]
    return text.format(**facts) if facts else text
