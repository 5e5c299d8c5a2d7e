"""Spoils a question the way people do when they type: wrong characters, gaps, pinyin, chatter around it."""

import random
from collections.abc import Callable, Sequence
from functools import lru_cache

from opencc import OpenCC

from knowledge.readings import reading

_BEFORE = (
    "你好，",
    "请问",
    "老师您好，",
    "打扰一下，",
    "我想问一下，",
    "不好意思，",
    "麻烦问下，",
    "那个，",
    "侬好，",
)
_AFTER = ("", "谢谢", "啊", "呢", "，谢谢啦", "，急", "，麻烦了")
# What people tell before they ask; none of it decides anything.
_STORIES = (
    "昨天邻居跟我说起这件事，",
    "我妈今年六十多了，一直在问，",
    "楼下贴了张通知我没看懂，",
    "家里老人让我来问问，",
    "打了两次电话都没人接，",
    "我平时上班忙，没空跑，",
    "去年好像不是这样的，",
    "群里大家说法不一样，",
    "我们小区的人都在讲，",
    "前几天有人来敲过门，我不在家，",
    "我刚搬来没多久，什么都不熟，",
    "孩子上学我要接送，时间不多，",
    "我和爱人商量了半天，",
    "同事说他那边已经弄好了，",
)
CHATTER = (
    *(
        "你是机器人吗",
        "你是真人还是电脑",
        "你叫什么名字",
        "你几岁了",
        "你是男的还是女的",
        "你住在哪里",
        "你会什么",
        "你能做什么",
    ),
    *(
        "你真聪明",
        "你答得真好",
        "你怎么这么慢",
        "你说的我听不懂",
        "你是不是在骗我",
        "不想跟你说了",
        "陪我聊聊天",
        "我好无聊",
    ),
    *(
        "今天心情不好",
        "你吃饭了吗",
        "晚饭吃什么好",
        "周末去哪里玩",
        "几点下班",
        "现在几点了",
        "今天星期几",
        "明天放假吗",
    ),
    *(
        "谁在后台回复我",
        "你们领导是谁",
        "你们工作人员态度不好",
        "你们几个人上班",
        "辛苦你们了",
        "知道了没事了",
        "算了不问了",
    ),
    *(
        "我随便看看",
        "测试一下",
        "收到请回复",
        "刚才发错了",
        "能发个表情吗",
        "你喜欢谁",
        "你结婚了吗",
        "给我唱首歌",
        "再见",
    ),
    *(
        "你觉得选谁好",
        "哪个候选人最好",
        "你支持哪一位",
        "谁最有可能选上",
        "这个人靠得住吗",
        "代表到底有没有用",
        "投票有什么意思",
    ),
    *(
        "是不是早就定好了",
        "都是走形式吧",
        "你怎么看这次选举",
        "我觉得选举没有用",
        "应该选年轻人还是老人",
        "谁当选都一样",
    ),
    *(
        "那个代表做得好不好",
        "你认为哪个人能力强",
        "听说他人品不好是真的吗",
        "换谁上去都一样吧",
        "你投的是谁",
        "你会选他吗",
    ),
    *(
        "为什么总是那几个人当代表",
        "能不能换个好一点的代表",
        "现在的代表真不行",
        "外国的选举是不是更好",
        "选举花了多少钱值得吗",
    ),
)
"""What is said to an enquiry desk without asking anything that it answers: small talk and opinions."""
_LIKE = (("zh", "z"), ("ch", "c"), ("sh", "s"), ("ng", "n"), ("l", "n"), ("h", "f"))
_S2T = OpenCC("s2t")


@lru_cache(maxsize=1)
def _homophones() -> dict[str, str]:
    """Common characters by reading: those of the level-one national standard come first in GB 2312."""
    found: dict[str, list[str]] = {}
    for high in range(0xB0, 0xD8):
        for low in range(0xA1, 0xFF):
            try:
                char = bytes((high, low)).decode("gb2312")
            except UnicodeDecodeError:
                continue
            found.setdefault(reading(char), []).append(char)
    return {syllable: "".join(chars) for syllable, chars in found.items()}


def _han(text: str) -> list[int]:
    return [place for place, char in enumerate(text) if "一" <= char <= "鿿"]


def _misheard(syllable: str, dice: random.Random) -> str:
    if dice.random() < 0.25:
        for one, other in _LIKE:
            for here, there in ((one, other), (other, one)):
                if here in syllable and syllable.replace(here, there) in _homophones():
                    return syllable.replace(here, there)
    return syllable


def _typed(text: str, dice: random.Random, count: int) -> str:
    chars = list(text)
    places = _han(text)
    for place in dice.sample(places, min(count, len(places))):
        syllable = _misheard(reading(chars[place]), dice)
        chars[place] = dice.choice(_homophones().get(syllable, chars[place]))
    return "".join(chars)


def spoil(text: str, dice: random.Random) -> str:
    """One or two kinds of noise; the same dice give the same noise. Short texts are only chatted around."""
    for _ in range(dice.choice((1, 1, 2))):
        text = _once(text, dice)
    return text


def _once(text: str, dice: random.Random) -> str:
    places: Sequence[int] = _han(text)
    kind = dice.choice(
        ("typed", "typed", "typed", "gap", "gap", "swap", "script", "pinyin", "polite", "story")
    )
    if kind == "story":
        return dice.choice(_STORIES) + text
    if len(places) < 5 or kind == "polite":
        return dice.choice(_BEFORE) + text + dice.choice(_AFTER)
    if kind == "typed":
        return _typed(text, dice, 1 + len(places) // 9)
    if kind == "script":
        return str(_S2T.convert(text))
    place = dice.choice(places[:-1])
    if kind == "gap":
        return text[:place] + text[place + 1 :]
    if kind == "swap":
        return text[:place] + text[place + 1] + text[place] + text[place + 2 :]
    return text[:place] + "".join(map(reading, text[place : place + 2])) + text[place + 2 :]


@lru_cache(maxsize=1)
def common_words() -> tuple[str, ...]:
    """Words of two common characters, from the phrases whose readings pypinyin knows."""
    from pypinyin.phrases_dict import phrases_dict  # 20 MB, which only lessons need

    common = {char for chars in _homophones().values() for char in chars}
    return tuple(sorted(word for word in phrases_dict if len(word) == 2 and common.issuperset(word)))


def misplace(
    text: str, matter: str, telling: Callable[[str], float], words: Sequence[str], dice: random.Random
) -> str | None:
    """The text with its most telling run of `matter` replaced by one of `words`; None when it has none."""
    runs = [
        (sum(map(telling, text[place : place + size])) * (0.6 + 0.4 * dice.random()), place, size)
        for place in range(len(text) - 1)
        for size in (2, 3, 4)
        if place + size <= len(text) and text[place : place + size] in matter
    ]
    if not runs:
        return None
    _, place, size = max(runs)
    return text[:place] + dice.choice(words) + text[place + size :]
