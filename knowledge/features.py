"""What speaks for and against a phrasing answering a question: the features of the pair, and the words."""

import math
import re
from collections.abc import Mapping
from dataclasses import dataclass

from rapidfuzz import fuzz
from rapidfuzz.distance import Indel

from knowledge.grams import Postings, grams, sound
from knowledge.text import Lexicon, is_latin

FEATURES = (
    "bias",
    "cosine_characters",
    "cosine_bigrams",
    "cosine_sounds",
    "ratio",
    "ratio_sounds",
    "question_covered",
    "question_covered_bigrams",
    "phrasing_covered",
    "phrasing_covered_bigrams",
    "entry_covers",
    "entry_covers_bigrams",
    "heaviest_left_over",
    "heaviest_missing",
    "unknown",
    "numbers_differ",
    "negation_differs",
    "clash",
    "opposite",
    "kind_agrees",
    "kind_differs",
    "facts_extra",
    "facts_missing",
    "length_question",
    "length_phrasing",
    "length_ratio",
    "entry_support",
    "entry_second",
    "lead",
    "substring",
    "content_ratio",
    "content_left",
    "content_missing",
    "content_swapped",
    "content_equal",
    "content_unknown",
    "content_jaccard",
    "phrasings",
    "unheard",
)

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
    """A normalised text and everything about it that is compared."""

    text: str
    spoken: str
    content: str
    sets: tuple[frozenset[str], frozenset[str], frozenset[str]]
    numbers: frozenset[str]
    negations: int
    denied: frozenset[str]
    stances: Mapping[int, frozenset[int]]
    kinds: frozenset[str]
    facts: frozenset[str]
    latin: bool


def form(text: str, lexicon: Lexicon) -> Form:
    """Prepare a normalised text."""
    spoken = sound(text)
    bare = _CHOICE.sub("■", text)
    for word in lexicon.neutral:
        if word in bare:
            bare = bare.replace(word, "■")
    return Form(
        text=text,
        spoken=spoken,
        content=_FUNCTION.sub("", text),
        sets=grams(text, spoken),
        numbers=frozenset(_NUMBER.findall(text)),
        negations=len(_NEGATION.findall(bare)),
        denied=frozenset(
            bare[m.end() : m.end() + 2] for m in _NEGATION.finditer(bare) if bare[m.end() : m.end() + 2]
        ),
        stances=_stances(text, lexicon),
        kinds=frozenset(name for name, pattern in _KINDS.items() if pattern.search(text)),
        facts=frozenset(fact for fact in lexicon.facts if fact in text),
        latin=is_latin(text),
    )


def _stances(text: str, lexicon: Lexicon) -> dict[int, frozenset[int]]:
    found: dict[int, frozenset[int]] = {}
    for number, classes in enumerate(lexicon.opposites):
        rest = text
        held: set[int] = set()
        for word, place in classes:  # longest first and consumed: 「没有单位」 is not also 「有单位」
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
    return any(_takes(other, word) for word in one.denied) or any(_takes(one, word) for word in other.denied)


def numbers_differ(one: Form, other: Form) -> bool:
    """Whether both texts name numbers, and not the same ones."""
    return bool(one.numbers and other.numbers and one.numbers != other.numbers)


def _takes(side: Form, word: str) -> bool:
    return len(word) == 2 and word not in side.denied and word in side.text


def unheard(question: Form, known: frozenset[str]) -> int:
    """The longest run of the question's own matter of which the entry has not a single character."""
    longest = run = 0
    for char in question.content:
        run = run + 1 if char not in known else 0
        longest = max(longest, run)
    return longest


@dataclass(frozen=True, slots=True)
class Standing:
    """What the first stage knows of an entry: how often it came up, its second-best phrasing, its lead."""

    support: float
    second: float
    lead: float
    phrasings: int
    entry_sets: tuple[frozenset[str], frozenset[str], frozenset[str]]


def features(
    question: Form,
    phrasing: Form,
    cosines: tuple[float, float, float],
    standing: Standing,
    postings: Postings,
) -> list[float]:
    """The pair's features in the order of `FEATURES`."""
    left_over = question.sets[0] - standing.entry_sets[0]
    missing = phrasing.sets[0] - question.sets[0]
    unknown = [gram for gram in question.sets[1] if not postings.seen(1, gram)]
    length_q, length_p = max(len(question.text), 1), max(len(phrasing.text), 1)
    matter, other = question.content, phrasing.content
    matter_left = sum(char not in phrasing.sets[0] for char in matter)
    matter_missing = sum(char not in question.sets[0] for char in other)
    both_kinds = bool(question.kinds and phrasing.kinds)
    return [
        1.0,
        *cosines,
        fuzz.ratio(question.text, phrasing.text) / 100,
        fuzz.ratio(question.spoken, phrasing.spoken) / 100,
        _share(question.sets[0], phrasing.sets[0], postings, 0),
        _share(question.sets[1], phrasing.sets[1], postings, 1),
        _share(phrasing.sets[0], question.sets[0], postings, 0),
        _share(phrasing.sets[1], question.sets[1], postings, 1),
        _share(question.sets[0], standing.entry_sets[0], postings, 0),
        _share(question.sets[1], standing.entry_sets[1], postings, 1),
        max((postings.idf(0, gram) for gram in left_over), default=0.0) / 5,
        max((postings.idf(0, gram) for gram in missing), default=0.0) / 5,
        len(unknown) / max(len(question.sets[1]), 1),
        float(numbers_differ(question, phrasing)),
        float((question.negations > 0) != (phrasing.negations > 0)),
        float(clashes(question, phrasing)),
        float(opposed(question.stances, phrasing.stances)),
        float(both_kinds and question.kinds == phrasing.kinds),
        float(both_kinds and not question.kinds & phrasing.kinds),
        min(len(question.facts - phrasing.facts), 3) / 3,
        min(len(phrasing.facts - question.facts), 3) / 3,
        math.log(length_q) / 3,
        math.log(length_p) / 3,
        abs(math.log(length_q / length_p)),
        standing.support,
        standing.second,
        standing.lead,
        fuzz.partial_ratio(question.text, phrasing.text) / 100 if length_q >= length_p else 0.0,
        fuzz.ratio(matter, other) / 100,
        min(matter_left, 6) / 6,
        min(matter_missing, 6) / 6,
        min(matter_left, matter_missing, 3) / 3,
        float(set(matter) == set(other)),
        sum(not postings.seen(0, char) for char in matter) / max(len(matter), 1),
        len(set(matter) & set(other)) / max(len(set(matter) | set(other)), 1),
        math.log(standing.phrasings) / 3,
        min(unheard(question, standing.entry_sets[0]), 4) / 4,
    ]


def _share(of: frozenset[str], within: frozenset[str], postings: Postings, channel: int) -> float:
    total = postings.weight(channel, of)
    return postings.weight(channel, of & within) / total if total else 0.0


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
    for label, parts in (("一致", same), ("多出", extra), ("缺少", lacking)):
        words = list(dict.fromkeys(part for part in parts if len(part) > 1))[:4]
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
