"""One form for a question however it is written: width, script, fillers, dialect, typos, readings."""

import re
import unicodedata

from opencc import OpenCC

from knowledge.lexicon import Lexicon as Lexicon
from knowledge.lexicon import longest_first
from knowledge.readings import pinyin as pinyin

MAX_QUESTIONS = 5
"""More questions than this in one message are not split further: the rest stays with the last."""

_T2S = OpenCC("t2s")
_DIGITS = {c: i for i, c in enumerate("零一二三四五六七八九")} | {"两": 2, "〇": 0}
_NUMERAL = re.compile(
    r"([零〇一二三四五六七八九十百两]+)(?=(?:周岁|岁|年|个|天|日|号|月|周|票|张|人|次|处|届|条|小时|分钟|趟|份))"
)
_HAN = re.compile(r"[㐀-䶿一-鿿豈-﫿\U00020000-\U0003ffff]")
_LATIN = re.compile(r"[a-z]+")
_CLAUSE_MARKS = re.compile(r"[，。！？；：、,.!?;:\n…~～]")
_NO_WORDS = re.compile(r"[\W_]+")


def normalise(text: str, lexicon: Lexicon) -> str:
    """The form in which questions and phrasings are compared; empty when nothing is said.

    Simplified script, half width, lower case, no punctuation, polite words at both ends dropped,
    lexicon words replaced, small Chinese numerals before a unit as digits. Accepts any `str`.
    """
    clauses = _clauses(text)
    for index, clause in enumerate(clauses):
        for _ in range(2):  # a typo inside a dialect word: the second pass sees the corrected word
            replaced = _replace(clause, lexicon)
            if replaced == clause:
                break
            clause = replaced
        clauses[index] = _particle(clause, lexicon)
    clauses = _strip_ends([clause for clause in clauses if clause], lexicon)
    return _NUMERAL.sub(lambda found: _number(found[1]), _join(clauses))


def plain(text: str) -> str:
    """`normalise` without any lexicon: only letters and digits in one script, width and case."""
    return _join(_clauses(text))


def _clauses(text: str) -> list[str]:
    clean = text
    if not text.isprintable():  # rare, and dear: of the signs below none is printable
        clean = "".join(" " if c in "\t\r\x0b\x0c\u3000" else c for c in text if _kept(c))
    clean = unicodedata.normalize("NFKC", _T2S.convert(unicodedata.normalize("NFKC", clean))).casefold()
    clauses = (_NO_WORDS.sub(" ", clause) for clause in _CLAUSE_MARKS.split(clean))
    return [joined for clause in clauses if (joined := _join([clause]))]


def _kept(char: str) -> bool:
    # Surrogates cannot be encoded for the script converter; format characters hide inside words.
    return char in "\n\t\r" or unicodedata.category(char) not in ("Cc", "Cf", "Cs", "Co", "Cn")


def _join(clauses: list[str]) -> str:
    joined = " ".join(clauses)
    if " " not in joined:
        return joined
    # A space means something between two Latin words only.
    return re.sub(r"(?<![a-z0-9]) +| +(?![a-z0-9])", "", joined).strip()


def _replace(text: str, lexicon: Lexicon) -> str:
    out: list[str] = []
    begin = 0  # of what is not in `out` yet
    for at, char in enumerate(text):
        if at < begin or char not in lexicon.by_first:
            continue
        for word in lexicon.by_first[char]:
            if text.startswith(word, at):
                out += (text[begin:at], lexicon.words[word])
                begin = at + len(word)
                break
    return "".join(out) + text[begin:]


def _particle(clause: str, lexicon: Lexicon) -> str:
    if (
        len(clause) > 2
        and clause[-1] in lexicon.particles
        and clause[-2:] not in ("什么", "怎么", "这么", "那么")
    ):
        return clause[:-1] + lexicon.particles[clause[-1]]
    return clause


def _strip_ends(clauses: list[str], lexicon: Lexicon) -> list[str]:
    while clauses:
        # Asked for all at once first: most texts have neither, and each phrasing of the base comes by here.
        head = tail = None
        if clauses[0].startswith(lexicon.start):
            head = next(w for w in lexicon.start if clauses[0].startswith(w))
        if clauses[-1].endswith(lexicon.end):
            tail = next(w for w in lexicon.end if clauses[-1].endswith(w))
        if head is not None and not (
            head.isascii() and clauses[0][len(head) :][:1].isascii() and clauses[0] != head
        ):
            clauses = [clauses[0][len(head) :].strip(), *clauses[1:]]
        elif tail is not None:
            clauses = [*clauses[:-1], clauses[-1][: -len(tail)].strip()]
        else:
            break
        clauses = [clause for clause in clauses if clause]
    return clauses


def _number(numeral: str) -> str:
    total = current = 0
    for char in numeral:
        if char in "十百":
            total += (current or 1) * (10 if char == "十" else 100)
            current = 0
        else:
            current = current * 10 + _DIGITS[char]
    return str(total + current)


def is_latin(text: str) -> bool:
    """True when a text holds letters but no Chinese character: wholly pinyin, or another language."""
    return bool(_LATIN.search(text.casefold())) and not _HAN.search(text)


# --- several questions in one message -------------------------------------------------------------

_SENTENCE = re.compile(r"[^。！？!?；;\n]+[。！？!?；;\n]*|[。！？!?；;\n]+")
_ENUMERATED = re.compile(
    r"(?:(?<=[。！？!?；;\n，, ])|^)\s*(?:[1-9][.、．)）](?!\d)|[（(][1-9一二三四五][)）]|[一二三四五]、)"
)
_AND_ALSO = re.compile(r"[，,、 ](?=(?:还有|另外|还想问|再问|再请问|顺便问|顺便再问|以及))")
_ASKS = re.compile(
    r"[?？]|吗|呢|怎么|咋|啥|什么|哪|几|多少|多久|如何|为何|是否|能否|可否|谁|伐\s*$|(.)[不没勿]\1|有没有|还是"
)
_LEANS = frozenset(
    [
        "怎么办",
        "咋办",
        "哪能办",
        "怎么弄",
        "怎么处理",
        "对吗",
        "是吗",
        "行吗",
        "可以吗",
        "好吗",
        "对不对",
        "是不是",
        "行不行",
        "可不可以",
        "好不好",
        "是伐",
        "对伐",
        "好伐",
        "为什么",
        "为啥",
        "有人吗",
        "在吗",
        "谢谢",
        "有没有人",
        "有没有人知道",
        "知道吗",
        "能吗",
        "会吗",
        "真的吗",
        "是真的吗",
        "能告诉我吗",
        "可以告诉我吗",
    ]
)


def split_questions(text: str) -> list[str]:
    """The questions of one message in order, each with the statements told before it; at most five.

    A message that tells a story and asks once comes back whole. Empty when nothing is written.
    """
    parts = [
        piece.strip()
        for line in _ENUMERATED.split(text)
        for sentence in _SENTENCE.findall(line)
        for piece in _AND_ALSO.split(sentence)
        if any(c.isalnum() for c in piece)
    ]
    questions: list[str] = []
    told: list[str] = []
    for part in parts:
        if not _ASKS.search(part):
            told.append(part)
        elif questions and not told and plain(part) in _LEANS:
            questions[-1] += part
        else:
            questions.append("".join(_stop(p) for p in told) + part)
            told = []
    if told:
        rest = "".join(_stop(p) for p in told)
        if questions:
            questions[-1] = _stop(questions[-1]) + rest
        else:
            questions = [rest]
    if len(questions) <= 1:
        return [text.strip()] if questions else []
    return (
        [*questions[: MAX_QUESTIONS - 1], "".join(_stop(q) for q in questions[MAX_QUESTIONS - 1 :])][
            :MAX_QUESTIONS
        ]
        if len(questions) > MAX_QUESTIONS
        else questions
    )


def _stop(part: str) -> str:
    return part if not part[-1].isalnum() else part + "，"


# --- greetings ------------------------------------------------------------------------------------

_GREETINGS = longest_first(
    [
        "在吗",
        "在么",
        "在不在",
        "在嘛",
        "在伐",
        "有人吗",
        "有人么",
        "有人在吗",
        "有人伐",
        "人呢",
        "你好",
        "您好",
        "侬好",
        "你们好",
        "大家好",
        "早",
        "早上好",
        "上午好",
        "中午好",
        "下午好",
        "晚上好",
        "喂",
        "喂喂",
        "哈喽",
        "哈罗",
        "嗨",
        "hi",
        "hello",
        "hey",
        "老师",
        "同志",
        "客服",
        "请问",
        "打扰了",
        "打扰一下",
        "不好意思",
        "师傅",
        "在",
        "您在吗",
        "你在吗",
        "有客服吗",
        "啊",
        "呀",
        "哦",
        "嗯",
        "亲",
        "nihao",
        "zaima",
    ]
)


def is_greeting(text: str) -> bool:
    """True for a message that only greets or knocks (「在吗」「你好」「？」) and asks nothing yet."""
    said = plain(text).replace(" ", "")
    if not said:
        return bool(text.strip())
    while said:
        word = next((w for w in _GREETINGS if said.startswith(w)), None)
        if word is None:
            return False
        said = said[len(word) :]
    return True
