"""What the gate stops, and what it must let through: a question stopped in error is an answer withheld."""

from __future__ import annotations

from functools import cache

import pytest

from knowledge import base
from knowledge.gate import Gate, gate, in_our_field, is_question

OPINIONS = [
    "选谁好",
    "我该投谁",
    "到底选几号好呢",
    "你推荐我选谁",
    "推荐个靠谱的候选人吧",
    "哪个候选人比较靠谱",
    "三号候选人怎么样",
    "三号候选人怎么样？",
    "候选人张先生人品好不好",
    "这位候选人有没有本事",
    "张候选人是不是靠关系上来的",
    "谁会当选",
    "你猜这次谁能赢",
    "预测一下投票结果，谁会当选",
    "候选人李某能不能当选",
    "你支持哪位",
    "你怎么看这次选举",
    "你觉得人大代表有用吗",
    "您对政府怎么看，你怎么看",
    "哪个党更好",
    "选举就是走过场",
    "选举是不是都内定好了",
    "该選誰",
    "侬讲投啥人好",
]
REPORTS = [
    "我要举报",
    "我想举报有人贿选",
    "有人挨家挨户发油发米让投他",
    "村里有人发红包让大家投他",
    "收了他三百块钱红包，让我投他",
    "老板逼我们投二号",
    "他们在改选票，造假",
    "領導威脅我們投他",
    "实名检举候选人送礼",
]
OTHERS = [
    "帮我妈查一下登记了没有",
    "查一下邻居登记了吗",
    "帮老公看看他在不在名单",
    "我想查老婆有没有登记选民",
    "查一下张三登记没有",
    "幫我爸查一下登記",
    "想知道隔壁登记在哪个选区",
    "告诉我前夫登记在哪个选区",
]
DISTRESS = ["我不想活了", "活不下去了，想自杀", "想跳楼", "死了算了", "怎么自杀", "活著沒意思"]
ABUSE = ["你是傻逼吗", "滚蛋", "他妈的怎么登记", "一群饭桶"]
ENGLISH = [
    "How do I register to vote?",
    "Where can I vote",
    "hello, what is the election day",
    "ＷＨＥＲＥ is my polling station",
]
PROCEDURE = [
    "怎么提名候选人",
    "候选人怎么产生",
    "候选人怎么样产生的",
    "候选人是怎么样推荐出来的",
    "候选人需要什么条件",
    "候选人有哪几个",
    "在哪里看候选人的情况",
    "候选人名单什么时候公布",
    "候选人能不能自己拉票",
    "一个选民能推荐几个候选人",
    "选举委员会怎么确定正式候选人",
    "谁能当候选人",
    "谁可以当选民",
    "谁来选代表",
    "得多少票才能当选",
    "另外写的人得票多能不能当选",
    "我刚搬来没几个月能不能当选民",
    "能不能投反对票",
    "可以写别人的名字吗",
    "选几个人",
    "代表是怎么选的",
    "要选几个代表",
    "您看我这个选举登记能办吗",
    "你看我还要登记吗",
    "你们负责选举登记吗",
    "您认为我可以登记在哪里",
    "党员关系在单位，在哪登记",
]
REPORT_PROCEDURE = [
    "举报贿选打什么电话",
    "怎么举报贿选",
    "有人送礼拉票，向谁举报",
    "单位发钱叫大家投票算贿选吗",
    "候选人请客吃饭算不算贿选",
    "有人在群里拉票，允许吗",
    "单位可以拉票吗",
    "候选人可以拉票吗",
    "领导能指定我们选谁吗",
    "居委会指定候选人让我们投，合法吗",
    "买票会怎么处罚",
    "实名举报怕被报复",
    "收了国外机构的钱还能参选吗",
    "破坏选举要承担什么后果",
]
FOR_FAMILY = [
    "我妈走不动怎么投票",
    "帮老人登记要带什么",
    "我爸在外地怎么登记",
    "帮我妈登记可以吗",
    "我老婆是外地户口，能登记吗",
    "孩子在外地读书怎么投票",
    "儿子明年十八岁，能登记吗",
    "爷爷看不见怎么填选票",
    "我想帮邻居代投，要什么手续",
    "能替我爸投票吗",
    "看看我登记了没有",
    "查一下我登记了吗",
]
PLAIN = [
    "选民登记要带什么",
    "投票那天不在上海怎么办",
    "xuanmin dengji zai nali",
    "wo yao dengji xuanmin",
    "xuanju ri shi na tian",
    "vote 在哪",
    "OK",
    "K-0540",
    "我快死了还能委托投票吗",
    "名单上没有我的名字",
    "死去的父亲还在名单上",
    "打12345有人理吗",
    "",
]


@pytest.mark.parametrize("words", OPINIONS)
def test_an_opinion_is_not_answered(words: str) -> None:
    assert gate(words) is Gate.OPINION


@pytest.mark.parametrize("words", REPORTS)
def test_a_report_goes_to_people(words: str) -> None:
    assert gate(words) is Gate.REPORT


@pytest.mark.parametrize("words", OTHERS)
def test_nobody_is_looked_up_for_somebody_else(words: str) -> None:
    assert gate(words) is Gate.OTHER_PERSON


@pytest.mark.parametrize("words", DISTRESS)
def test_distress_stops_whatever_else_is_asked(words: str) -> None:
    assert gate(words) is Gate.DISTRESS


@pytest.mark.parametrize("words", ABUSE)
def test_abuse_is_answered_calmly(words: str) -> None:
    assert gate(words) is Gate.ABUSE


@pytest.mark.parametrize("words", ENGLISH)
def test_english_is_told_the_phone_number(words: str) -> None:
    assert gate(words) is Gate.OTHER_LANGUAGE


@pytest.mark.parametrize("words", PROCEDURE + REPORT_PROCEDURE + FOR_FAMILY + PLAIN)
def test_a_question_of_procedure_passes(words: str) -> None:
    assert gate(words) is None


def test_distress_goes_before_everything() -> None:
    assert gate("他妈的，我不想活了，我要举报") is Gate.DISTRESS


@cache
def _voters_questions() -> dict[str, list[str]]:
    found: dict[str, list[str]] = {}
    for source in base.shipped():
        if source.audience == "voter":
            found[source.entry_no] = [source.question, *source.phrasings, *source.aliases]
    return found


def test_what_the_base_answers_is_not_stopped() -> None:
    """But for words that ask for a person's state, that report an act, or that cry for help."""
    meant = (Gate.OTHER_PERSON, Gate.REPORT)
    for entry_no, texts in _voters_questions().items():
        stopped = [text for text in texts if gate(text) is not None]
        assert all(gate(text) in meant for text in stopped), (entry_no, stopped)
        assert gate(texts[0]) in (None, Gate.OTHER_PERSON), (entry_no, texts[0])


def test_what_belongs_to_our_field_is_known() -> None:
    for words in ("空挂户怎么办", "我是軍人在哪登記", "12345转来的选举问题"):
        assert in_our_field(words)
    for words in ("明天下雨吗", "给我讲个笑话", "公积金怎么提取"):
        assert not in_our_field(words)


def test_a_question_is_told_from_a_statement() -> None:
    for words in ("怎么登记", "要带身份证伐", "登记了没", "能登記嗎", "几号"):
        assert is_question(words)
    for words in ("我是外地户口", "住在临江街道", "谢谢"):
        assert not is_question(words)
