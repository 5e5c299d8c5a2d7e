"""The texts that every method of one run is built from and asked."""

import random
from collections.abc import Sequence
from pathlib import Path

import yaml

from knowledge import base
from knowledge.match import Source
from knowledge.text import Lexicon

DATA = Path(__file__).parent.parent / "data"

_PLACES = ("临江街道", "北塘镇", "东浦区", "我们小区", "我们单位", "居委会", "登记站", "学校里")
_PEOPLE = ("我", "我爸爸", "我妈", "邻居", "我爱人", "老人", "同事", "孩子")
_ENDS = ("", "吗", "呢", "怎么办", "要多久", "找谁", "可以吗", "谢谢")


def lexicon() -> Lexicon:
    """The shipped lexicon."""
    return Lexicon.from_data(yaml.safe_load((DATA / "lexicon.yaml").read_text(encoding="utf-8")))


def texts(sources: Sequence[Source]) -> tuple[list[str], list[int]]:
    """All phrasings with the question first, and the place of each one's entry in `sources`."""
    pairs = [
        (text, place)
        for place, source in enumerate(sources)
        for text in dict.fromkeys((source.question, *source.phrasings))
    ]
    return [text for text, _ in pairs], [place for _, place in pairs]


def sources(size: int) -> list[Source]:
    """Entries with `size` phrasings in all: the shipped ones, then variations by place, person and ending.

    The same size gives the same texts. Variations share their characters with what they were made from, so
    every question meets far more phrasings like it than in a base of this size written by people.
    """
    shipped = base.shipped()
    dice = random.Random(size)
    made: list[Source] = []
    left = size
    while left > 0:
        original = shipped[len(made) % len(shipped)]
        wordings = list(dict.fromkeys((original.question, *original.phrasings)))
        if len(made) >= len(shipped):
            wordings = list(dict.fromkeys(_varied(text, dice) for text in wordings))
        wordings = wordings[:left]
        left -= len(wordings)
        number = len(made) + 1
        made.append(Source(number, f"K-{number:05d}", "bench", "voter", wordings[0], tuple(wordings[1:])))
    return made


def _varied(text: str, dice: random.Random) -> str:
    return f"{dice.choice(_PEOPLE)}在{dice.choice(_PLACES)}，{text.rstrip('？?')}{dice.choice(_ENDS)}"


def questions(phrasings: Sequence[str], count: int, seed: int = 7) -> list[str]:
    """Phrasings as somebody else would type them: a character missing, something polite around it."""
    dice = random.Random(seed)
    return [_asked(dice.choice(phrasings), dice) for _ in range(count)]


def _asked(text: str, dice: random.Random) -> str:
    cut = dice.randrange(len(text))
    return dice.choice(("", "请问", "你好，")) + text[:cut] + text[cut + 1 :] + dice.choice(_ENDS)
