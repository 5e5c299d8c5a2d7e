"""What a text allows, forbids, demands or spares: every clause with its sign, double negations solved."""

from __future__ import annotations

import re
from dataclasses import dataclass
from enum import StrEnum, auto

from knowledge.figures import plain


class Mood(StrEnum):
    """What a clause says of its matter; `IS` and `IS_NOT` where no such word stands in it."""

    CAN = auto()
    CANNOT = auto()
    MUST = auto()
    SHOULD = auto()
    NEED_NOT = auto()
    IS = auto()
    IS_NOT = auto()


NEGATIVE = frozenset({Mood.CANNOT, Mood.NEED_NOT, Mood.IS_NOT})


@dataclass(frozen=True, slots=True)
class Said:
    """One statement: `words` as it stands there, `matter` without its mood's word, `context` before it."""

    mood: Mood
    words: str
    matter: str
    context: str


# Words that contain a syllable of a mood and have none; questions are none either.
_NEUTRAL = re.compile(
    "能不能|可不可以|可以不可以|是不是|有没有|要不要|会不会|需不需要|行不行|用不用|该不该|能否|是否|可否|与否"
    "|不同|不过|不久|不仅|不但|不论|不管|不少(?!于)|不便|不动产|不足|不满|不超过|不少于|不多于|不低于|不晚于|不迟于|不早于|不客气|不好意思"
    "|不断|不然|不到|差不多|对不起|未满|未来|未成年|未婚|非常|非农|无锡|无论|无障碍|没关系|没问题|没收|分别|特别|区别|类别|性别|个别|差别|级别|别的|别人"
    "|重要|主要|要是|要么|只要|必要|要点|要件|要素|概要|摘要|纪要|需求|急需|所需|须知|功能|职能|智能|性能|能力|技能|可能|可靠|可是|许可|认可|可见"
    "|应急|应对|相应|对应|反应|响应|适应|供应|应选|应到|应登|会议|社会|机会|委员会|居委会|村委会|大会|协会|晚会|一会|(?<!不)要求|材料需要"
)
_MOODS: tuple[tuple[Mood, str], ...] = (
    (Mood.MUST, "不能不|不得不|不可不|不可以不|不应不"),
    (
        Mood.CAN,
        "不是不(?:可以|能|允许)|并非不(?:可以|能)|没有不(?:可以|能|允许|准)|未尝不可|不是说不(?:可以|能)"
        "|没说不(?:可以|能)|不会不(?:可以|能|让)",
    ),
    (
        Mood.NEED_NOT,
        "可以不|可不|能不(?=[带办交用来去填])|不是必须|并非必须|不必|不用|无需|无须|毋需|毋须|不需要|不需|不须"
        "|用不着|不要求|不一定要|不是一定要|不强制|没必要|免(?!费|得|除)|没有必要",
    ),
    (
        Mood.CANNOT,
        "不可以|不能够|不能|不得|不准|不许|不允许|不予|不可|禁止|严禁|无法|无权|没有权利|不行|不宜|不应当"
        "|不应该|不应|不该|请勿|切勿|不要|不让|没办法|没法",
    ),
    (Mood.MUST, "必须|应当|务必|一定要|只能|须(?!知)"),
    (Mood.SHOULD, "应该|需要|需|要|应(?!届)"),
    (Mood.CAN, "可以|能够|能|允许|准许|有权|可|行(?=[。！!；;，,]|$)"),
)
_MOOD = re.compile("|".join(f"(?P<m{place}>{words})" for place, (_, words) in enumerate(_MOODS)))
_NOT = re.compile("不|没|未|无|并非")
# 非本人来不可, 不带身份证不行: the second word takes the first one back.
_ONLY_SO = re.compile("(?:非要?|不)(?P<what>[^，,。；;！？!?\n]{1,10}?)(?:不可(?!以)|不行|不成)")
_CLAUSE = re.compile(r"[^。！？!?；;\n，,：:]+[？?]?")
_QUESTION = re.compile("[？?]$|吗$|呢$")
_FILLING = re.compile(r"[的了啊呀吧呢吗您你请也都就还再才会是在到\s、（）()“”\"'《》·\-–—~…\0]")
_LONGEST_LEFT = 12


def statements(text: str) -> tuple[Said, ...]:
    """The statements of a text in their order; questions state nothing."""
    found: list[Said] = []
    before = ""
    for clause in _CLAUSE.findall(plain(text)):
        words = clause.strip()
        if not words:
            continue
        if not _QUESTION.search(words):
            found += _of_clause(words, before)
        before = words
    return tuple(found)


def pairs(words: str) -> frozenset[str]:
    """What of a text is compared: its pairs of characters, filling words left out."""
    bare = _FILLING.sub("", words)
    return frozenset(bare[at : at + 2] for at in range(len(bare) - 1)) or frozenset(bare)


def likeness(one: frozenset[str], other: frozenset[str]) -> float:
    """How much of the smaller of the two stands in the other one, from 0 to 1."""
    least = min(len(one), len(other))
    return len(one & other) / least if least else 0.0


def _of_clause(clause: str, before: str) -> list[Said]:
    context = before
    masked = _NEUTRAL.sub(lambda found: "\1" * len(found[0]), clause)
    if only := _ONLY_SO.search(masked):
        matter = clause[: only.start()] + clause[only.start("what") : only.end("what")] + clause[only.end() :]
        return [Said(Mood.MUST, clause, matter, context)]
    moods = list(_MOOD.finditer(masked))
    if not moods:
        denied = len(_NOT.findall(masked)) % 2 == 1
        return [Said(Mood.IS_NOT if denied else Mood.IS, clause, _bare(clause, masked), context)]
    found = []
    for place, match in enumerate(moods):
        mood = next(_MOODS[int(name[1:])][0] for name, value in match.groupdict().items() if value)
        end = moods[place + 1].start() if place + 1 < len(moods) else len(clause)
        start = moods[place - 1].end() if place else 0
        # A further 不 behind the word turns it round: 可以…不… is spared, 必须不… forbidden.
        right = _bare(clause[match.end() : end], masked[match.end() : end])
        if len(_NOT.findall(masked[match.end() : min(end, match.end() + 4)])) % 2 == 1:
            mood = {Mood.MUST: Mood.CANNOT, Mood.SHOULD: Mood.CANNOT, Mood.CAN: Mood.NEED_NOT}.get(mood, mood)
        left = _bare(clause[start : match.start()], masked[start : match.start()])[-_LONGEST_LEFT:]
        # What is said with 行 or 不行 stands before it; else the matter follows and the rest is context.
        matter = right if len(_FILLING.sub("", right)) > 1 else left
        found.append(Said(mood, clause, matter, f"{context}\0{left}"))
    return found


def _bare(clause: str, masked: str) -> str:
    """The clause without its negations; what `_NEUTRAL` covers is kept."""
    spans = [match.span() for match in _NOT.finditer(masked)]
    for start, end in reversed(spans):
        clause = clause[:start] + clause[end:]
    return clause
