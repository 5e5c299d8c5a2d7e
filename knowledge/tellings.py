"""A message cut into clauses in normalised words, each with whether it speaks of the asker."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any

import yaml

from knowledge.lexicon import Lexicon
from knowledge.places import LOADER
from knowledge.text import normalise

DATA = Path(__file__).parent.parent / "data"
_DATE_MARK = re.compile(r"(?<=\d)[./](?=\d)")
_ENDS = re.compile(r"[，。！？；,.!?;…~～\s]+")


@dataclass(frozen=True, slots=True)
class Clause:
    """Part of a message: of whom it is, and the words that state how things are now.

    `said` is the whole of it; `text` is without what was before and what may be.
    """

    said: str
    text: str
    own: bool


@dataclass(frozen=True, slots=True)
class Heard:
    """What a message tells: the slots it states, and what a summary says of them beyond that.

    `guessed` are slots that nobody stated (`guess` in `data/statements.yaml`), `words` the asker's own for
    what is `other`, `homes` the names of where the asker lives.
    """

    facts: Mapping[str, str]
    guessed: frozenset[str] = frozenset()
    words: Mapping[str, str] = field(default_factory=dict)
    homes: tuple[str, ...] = ()


@cache
def table() -> Mapping[str, Any]:
    """`data/statements.yaml`."""
    found: Mapping[str, Any] = _read("statements.yaml")
    return found


def clauses(message: str) -> Iterator[Clause]:
    """The clauses in their order. A clause that names nobody speaks of whom the one before spoke of.

    In a message on somebody's behalf nothing is the asker's own.
    """
    own = True
    words = [normalise(part, _lexicon()) for part in _ENDS.split(folded(message)) if part]
    behalf = any(_persons().search(text) and _on_behalf(text) for text in words)
    for text in words:
        for own_now, said in _by_person(text, own):
            own = own_now
            if said:
                yield Clause(said, _present(said), own and not behalf)


def corrected(message: str) -> list[str]:
    """The message in the pieces that correct each other, the last of which holds: 有证明，不对，没有证明."""
    return _corrections().split(message)


def rules_in(text: str) -> Iterator[tuple[Mapping[str, Any], str]]:
    """The rules of the table that hold in the text of a clause, each with the words it took."""
    for found in _scanner().finditer(text):
        yield table()["rules"][int(str(found.lastgroup)[1:])], found[0]


def folded(message: str) -> str:
    """Half width, and no stop inside a date."""
    return _DATE_MARK.sub("-", unicodedata.normalize("NFKC", message).replace(":", "是"))


def _by_person(text: str, own: bool) -> Iterator[tuple[bool, str]]:
    """The text cut where it begins to speak of another person, each piece with whether it is the asker."""
    begin = 0
    for found in _persons().finditer(text):
        if found["beside"] is not None:
            continue
        now = found["self"] is not None
        if now != own:
            if found.start() > begin:
                yield own, text[begin : found.start()]
            begin, own = found.start(), now
    yield own, text[begin:]


def _on_behalf(text: str) -> bool:
    return any(found["behalf"] is not None for found in _persons().finditer(text))


def _present(text: str) -> str:
    past, present, supposed = (_words(name) for name in ("past", "present", "supposed"))
    if before := past.search(text):
        after = present.search(text, before.end())
        text = text[: before.start()] + (text[after.start() :] if after else "")
    if "的话" in text:
        text = text.partition("的话")[2]
    if doubt := supposed.search(text):
        text = text[: doubt.start()]
    return text


@cache
def _corrections() -> re.Pattern[str]:
    said, stop = "|".join(sorted(table()["corrections"], key=len, reverse=True)), "[，。！；、,.!;\\s]"
    return re.compile(f"(?:^|{stop}+)(?:{said})(?:了|啊|哦)?(?:{stop}+|$|(?=我))")


@cache
def _scanner() -> re.Pattern[str]:
    return re.compile("|".join(_named(number, rule) for number, rule in enumerate(table()["rules"])))


def _named(number: int, rule: Mapping[str, Any]) -> str:
    return f"(?P<r{number}>{'|'.join(rule['says'])})"


@cache
def _words(name: str) -> re.Pattern[str]:
    return re.compile("|".join(sorted(table()[name], key=len, reverse=True)))


@cache
def _persons() -> re.Pattern[str]:
    """Persons as a clause speaks of them: on whose behalf, beside whom, another one, oneself."""
    data = table()
    others = [*_read("case.yaml")["others"], *data["others"]]
    # 他区 is a place, 其他 is nobody.
    other = "|".join(sorted((w for w in others if w not in ("他", "她")), key=len, reverse=True))
    other = f"(?:{other}|(?<!其)[他她](?![区市地处省乡]))"
    own = "|".join(data["self"])
    whose = f"(?:(?:{own})?(?:的|家里?的?|那个|一个|有个)?)"
    return re.compile(
        f"(?P<behalf>(?:{'|'.join(data['behalf'])}){whose}{other})"
        f"|(?P<beside>(?:{'|'.join(data['beside'])})(?:了|给)?{whose}{other}|是[^是]{{0,8}}?{other}$)"
        f"|(?P<other>{whose}{other})"
        f"|(?P<self>{own})"
    )


@cache
def _lexicon() -> Lexicon:
    """The office's lexicon without names of places, and without the words that are read as they stand."""
    data = _read("lexicon.yaml")
    keep = set(table()["keep"])
    groups = [
        {**group, "words": {said: meant for said, meant in group["words"].items() if said not in keep}}
        for group in data["groups"]
        if not group.get("narrow")
    ]
    # Polite words state nothing, and some of them begin or end a word that does: 亲 and 亲戚, 老师.
    return Lexicon.from_data({**data, "groups": groups, "fillers": {}})


@cache
def _read(name: str) -> Any:
    return yaml.load((DATA / name).read_text(encoding="utf-8"), Loader=LOADER)
