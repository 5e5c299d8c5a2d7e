"""Time per question of the matcher against RapidFuzz over the same phrasings, in the same run."""

import random
import statistics
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import yaml
from rapidfuzz import fuzz, process

from knowledge.match import Index, Source
from knowledge.text import Lexicon

DATA = Path(__file__).parent.parent / "data"
SIZES = (300, 3_000)
QUESTIONS = 150
ROUNDS = 3

_PLACES = ("临江街道", "北塘镇", "东浦区", "我们小区", "我们单位", "居委会", "登记站", "学校里")
_PEOPLE = ("我", "我爸爸", "我妈", "邻居", "我爱人", "老人", "同事", "孩子")
_ENDS = ("", "吗", "呢", "怎么办", "要多久", "找谁", "可以吗", "谢谢")


def figures() -> list[dict[str, Any]]:
    """One figure a size: milliseconds per question (median of rounds), ours and `fuzz.ratio` with limit 8."""
    lexicon = Lexicon.from_data(yaml.safe_load((DATA / "lexicon.yaml").read_text(encoding="utf-8")))
    base = _base()
    return [_figure(_grown(base, size), lexicon, size) for size in SIZES]


def _base() -> list[tuple[str, list[str]]]:
    entries: list[tuple[str, list[str]]] = []
    for path in sorted((DATA / "entries").glob("*.yaml")):
        for entry in yaml.safe_load(path.read_text(encoding="utf-8"))["entries"]:
            entries.append((entry["question"], list(entry["phrasings"])))
    return entries


def _grown(base: Sequence[tuple[str, list[str]]], size: int) -> list[Source]:
    """Entries with `size` phrasings in all: the base, then variations by place, person and ending."""
    dice = random.Random(size)
    sources: list[Source] = []
    left = size
    while left > 0:
        question, phrasings = base[len(sources) % len(base)]
        texts = [question, *phrasings]
        if len(sources) >= len(base):
            texts = [
                f"{dice.choice(_PEOPLE)}在{dice.choice(_PLACES)}，{text.rstrip('？?')}{dice.choice(_ENDS)}"
                for text in texts
            ]
        texts = texts[:left]
        left -= len(texts)
        number = len(sources) + 1
        sources.append(Source(number, f"K-{number:04d}", "bench", "voter", texts[0], tuple(texts[1:])))
    return sources


def _figure(sources: list[Source], lexicon: Lexicon, size: int) -> dict[str, Any]:
    phrasings = [text for source in sources for text in (source.question, *source.phrasings)]
    dice = random.Random(7)
    questions = [_asked(dice.choice(phrasings), dice) for _ in range(QUESTIONS)]
    index = Index(sources, lexicon)
    ours = _milliseconds(questions, index.rank)
    theirs = _milliseconds(
        questions, lambda question: process.extract(question, phrasings, scorer=fuzz.ratio, limit=8)
    )
    return {
        "name": "match",
        "what": f"per question, {size} phrasings, against rapidfuzz process.extract(fuzz.ratio, limit=8)",
        "ours": round(ours, 3),
        "reference": round(theirs, 3),
        "ratio": round(ours / theirs, 2),
        "goal": 3.0,
        "better": "less",
        "unit": "ms",
    }


def _asked(text: str, dice: random.Random) -> str:
    """A phrasing as somebody else would type it: a character missing, something polite around it."""
    cut = dice.randrange(len(text))
    return dice.choice(("", "请问", "你好，")) + text[:cut] + text[cut + 1 :] + dice.choice(_ENDS)


def _milliseconds(questions: Sequence[str], ask: Callable[[str], object]) -> float:
    for question in questions[:10]:
        ask(question)
    rounds = []
    for _ in range(ROUNDS):
        started = time.perf_counter()
        for question in questions:
            ask(question)
        rounds.append((time.perf_counter() - started) * 1000 / len(questions))
    return statistics.median(rounds)


if __name__ == "__main__":
    for figure in figures():
        print(figure)
