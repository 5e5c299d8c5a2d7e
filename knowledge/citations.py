"""A place in a law, written short as officers write it and long as a citation reads."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass

_NUMERALS = "零一二三四五六七八九"
_ARTICLE = re.compile(r"(\d+)((?:\([一二三四五六七八九十]+\))?)")


@dataclass(frozen=True, slots=True)
class Citation:
    """A law by its short name and where in it: `Citation("细则", "20(三)、末款", title)`.

    `article` is empty where a whole document is cited; `title` is the law's full name.
    """

    law: str
    article: str
    title: str

    @property
    def short(self) -> str:
        """细则20(十)."""
        return f"{self.law}{self.article}"

    @property
    def long(self) -> str:
        """《上海市区和乡镇人民代表大会代表直接选举实施细则》第二十条第（十）项."""
        return f"《{self.title}》{_places(self.article)}"


def cited(text: str, laws: Mapping[str, str]) -> Citation | None:
    """A short form as a citation, by a table of short law names and titles; None for a law not in it.

    The longest short name that begins the text is taken: 选举法27, 细则20(三)、末款.
    """
    text = text.strip()
    law = max((name for name in laws if text.startswith(name)), key=len, default="")
    return Citation(law, text[len(law) :].strip(), laws[law]) if law else None


def _places(article: str) -> str:
    return "、".join(_place(part) for part in article.split("、") if part)


def _place(part: str) -> str:
    found = _ARTICLE.fullmatch(part)
    if found is None:  # 末款, or a place in a document that has no articles
        return part
    item = found[2].strip("()")
    return f"第{_chinese(int(found[1]))}条" + (f"第（{item}）项" if item else "")


def _chinese(number: int) -> str:
    """一百八十五 for 185; laws here have fewer than a thousand articles."""
    hundreds, rest = divmod(number, 100)
    tens, ones = divmod(rest, 10)
    text = f"{_NUMERALS[hundreds]}百" if hundreds else ""
    if tens:
        text += "十" if tens == 1 and not hundreds else f"{_NUMERALS[tens]}十"
    elif hundreds and ones:
        text += "零"
    return text + (_NUMERALS[ones] if ones else "")
