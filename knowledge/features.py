"""A normalised text and everything about it that is compared, and the words for what differs."""

import re
from collections.abc import Mapping
from dataclasses import dataclass

from rapidfuzz.distance import Indel

from knowledge.grams import grams, sound
from knowledge.parts import classes, parts
from knowledge.text import Lexicon, is_latin

_NUMBER = re.compile(r"\d+")
_CHOICE = re.compile(r"(.{1,2})[不没]\1|有没有|是不是|能不能")
_NEGATION = re.compile(r"没有|不|没|未|无|非|别")
# Words that carry no matter of their own: what remains is what the question is about.
_FUNCTION = re.compile(
    r"什么时候|多长时间|为什么|怎么办|怎么样|怎么|什么|哪里|哪些|哪个|多少|能不能|有没有|是不是|要不要|可以|应该|如果|因为|所以|但是|而且"
    r"|或者|还是|一下|[的地得了着过吗呢吧啊呀么嘛是在有我你您他她它们这那个一要会能都也还就和与及跟或把被给让对从到去来呀请想]"
)
_KINDS = {
    "when": re.compile(r"什么时候|多长时间|几点|截止|期限|到期"),
    "where": re.compile(r"哪里|哪边|地址|地点"),
    "who": re.compile(r"谁|哪些人|什么人"),
    "how": re.compile(r"怎么"),
    "why": re.compile(r"为什么|原因|理由"),
    "count": re.compile(r"多少|几[个张次人票天岁]|多大"),
    "what": re.compile(r"什么(?!时候|人)|哪些(?!人)|啥"),
    "whether": re.compile(r"吗|[能会要是该]不[能会要是该]|有没有|可以|还是"),
}


@dataclass(frozen=True, slots=True)
class Form:
    """A normalised text and everything about it that is compared.

    What can be had from the text in microseconds is not kept: there are as many forms as phrasings.
    """

    text: str
    spoken: str
    matter: str
    """What is left without the words of function: what the text is about."""
    numbers: frozenset[str]
    negations: int
    denied: frozenset[str]
    stances: Mapping[int, frozenset[int]]
    kinds: int
    """One bit a kind of question (when, where, how …)."""
    facts: frozenset[str]
    foreign: frozenset[str]
    latin: bool

    @property
    def sets(self) -> tuple[frozenset[str], frozenset[str], frozenset[str]]:
        """Its grams, one set a channel."""
        return grams(self.text, self.spoken)

    @property
    def matters(self) -> frozenset[str]:
        """The characters of its matter."""
        return frozenset(self.matter)

    @property
    def words(self) -> tuple[tuple[str, int], ...]:
        """Its words of two characters and more, each with its part of speech."""
        return tuple(held for held in parts(self.text) if len(held[0]) > 1)

    @property
    def classes(self) -> Mapping[str, int]:
        """The part of speech that each character belongs to."""
        return classes(parts(self.text))


def form(text: str, lexicon: Lexicon) -> Form:
    """Prepare a normalised text."""
    spoken = sound(text)
    bare = _CHOICE.sub("■", text)
    for word in lexicon.neutral:
        if word in bare:
            bare = bare.replace(word, "■")
    matter = _FUNCTION.sub("", text)
    return Form(
        text=text,
        spoken=spoken,
        matter=matter,
        numbers=frozenset(_NUMBER.findall(text)),
        negations=len(_NEGATION.findall(bare)),
        denied=frozenset(
            bare[m.end() : m.end() + 2] for m in _NEGATION.finditer(bare) if bare[m.end() : m.end() + 2]
        ),
        stances=_stances(text, lexicon),
        kinds=sum(1 << place for place, pattern in enumerate(_KINDS.values()) if pattern.search(text)),
        facts=frozenset(fact for fact in lexicon.facts if fact in text),
        foreign=frozenset(
            word
            for place, char in enumerate(text)
            for word in lexicon.foreign.get(char, ())
            if text.startswith(word, place)
        ),
        latin=is_latin(text),
    )


def _stances(text: str, lexicon: Lexicon) -> dict[int, frozenset[int]]:
    found: dict[int, frozenset[int]] = {}
    for number, sides in enumerate(lexicon.opposites):
        rest = text
        held: set[int] = set()
        for word, place in sides:  # longest first and consumed: 「没有单位」 is not also 「有单位」
            if word in rest:
                held.add(place)
                rest = rest.replace(word, "■")
        if held:
            found[number] = frozenset(held)
    return found


def opposed(one: Mapping[int, frozenset[int]], other: Mapping[int, frozenset[int]]) -> bool:
    """Whether stances lie on different sides of a word pair that decides a case (本市 / 外省市)."""
    return any(pair in other and not held & other[pair] for pair, held in one.items())


def clashes(one: Form, other: Form) -> bool:
    """Whether one denies what the other takes for granted (「没有单位」 / 「有单位」)."""
    if not one.denied and not other.denied:
        return False
    return any(_takes(other, word) for word in one.denied) or any(_takes(one, word) for word in other.denied)


def numbers_differ(one: Form, other: Form) -> bool:
    """Whether both texts name numbers, and not the same ones."""
    return bool(one.numbers and other.numbers and one.numbers != other.numbers)


def _takes(side: Form, word: str) -> bool:
    return len(word) == 2 and word not in side.denied and word in side.text


def reasons(question: Form, phrasing: Form) -> tuple[str, ...]:
    """Why a phrasing came up, for staff: what agrees, what is left over on either side, what contradicts."""
    if question.text == phrasing.text:
        return ("一字不差",)
    same, extra, lacking = [], [], []
    for step in Indel.opcodes(question.text, phrasing.text):
        if step.tag == "equal":
            same.append(question.text[step.src_start : step.src_end])
        elif step.tag == "delete":
            extra.append(question.text[step.src_start : step.src_end])
        else:
            lacking.append(phrasing.text[step.dest_start : step.dest_end])
    lines = []
    for label, found in (("一致", same), ("多出", extra), ("缺少", lacking)):
        words = list(dict.fromkeys(part for part in found if len(part) > 1))[:4]
        if words:
            lines.append(f"{label}：{'、'.join(words)}")
    if question.spoken == phrasing.spoken:
        lines.append("读音相同")
    if opposed(question.stances, phrasing.stances):
        lines.append("情况相反")
    if clashes(question, phrasing):
        lines.append("一个说有、一个说没有")
    if numbers_differ(question, phrasing):
        lines.append("数字不同")
    return tuple(lines)
