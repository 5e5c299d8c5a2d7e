"""What the gate stops, and what it must let through: a question stopped in error is an answer withheld."""

from __future__ import annotations

from functools import cache
from pathlib import Path

import pytest
import yaml

from knowledge import base, gate_train
from knowledge.gate import Gate, by_rule, gate, in_our_field, is_question, pieces
from knowledge.gate_train import EXAMPLES, Message
from knowledge.noise import CHATTER
from office import redact
from office.words import LANGUAGES, catalogue

HERE = Path(__file__).parent
SECOND = HERE / "gate_cases_b.yaml"
LAST = HERE / "gate_cases_c.yaml"
STRICT = (Gate.DISTRESS, Gate.REPORT, Gate.OTHER_PERSON)
LEAST_EXAMPLES = 30
MOST_WRONG_STOPS, MOST_MISSED = 0.02, 0.05


@cache
def _cases(path: Path) -> tuple[tuple[Gate, bool, str], ...]:
    """Kind, whether it must stop, and the message."""
    rows = yaml.safe_load(path.read_text(encoding="utf-8"))
    return tuple(
        (Gate(kind), side == "stop", text)
        for kind, sides in rows.items()
        for side in ("stop", "pass")
        for text in sides[side].splitlines()
    )


def _missed(path: Path, *kinds: Gate) -> list[str]:
    return [text for kind, stops, text in _cases(path) if stops and kind in kinds and gate(text) is None]


def _stopped(path: Path) -> list[tuple[str, Gate]]:
    return [
        (text, found) for _, stops, text in _cases(path) if not stops and (found := gate(text)) is not None
    ]


def _count(path: Path, *kinds: Gate, stops: bool) -> int:
    return sum(kind in kinds and side is stops for kind, side, _ in _cases(path))


@pytest.mark.parametrize("kind", Gate)
@pytest.mark.parametrize("stops", [True, False])
def test_there_are_enough_examples_both_ways(kind: Gate, stops: bool) -> None:
    for path in (EXAMPLES, SECOND):
        assert _count(path, kind, stops=stops) >= LEAST_EXAMPLES
    assert not {text for *_, text in _cases(EXAMPLES)} & {text for *_, text in _cases(SECOND)}
    assert not {text for *_, text in _cases(EXAMPLES)} & {text for *_, text in _cases(LAST)}


@pytest.mark.parametrize("kind", Gate)
def test_every_example_that_must_stop_is_stopped_as_its_kind(kind: Gate) -> None:
    wrong = [
        (text, gate(text))
        for k, stops, text in _cases(EXAMPLES)
        if stops and k is kind and gate(text) is not k
    ]
    assert wrong == []


def test_every_example_that_must_pass_passes() -> None:
    assert _stopped(EXAMPLES) == []


def test_few_of_the_second_half_are_stopped_in_error() -> None:
    wrong = _stopped(SECOND)
    assert len(wrong) <= MOST_WRONG_STOPS * _count(SECOND, *Gate, stops=False), wrong


@pytest.mark.parametrize("kind", Gate)
def test_few_of_the_second_half_are_missed(kind: Gate) -> None:
    missed = _missed(SECOND, kind)
    assert len(missed) <= MOST_MISSED * _count(SECOND, kind, stops=True), missed


def test_how_far_it_carries_beyond_its_examples() -> None:
    """On messages that neither rules nor weights were made with; lower than on the halves, and known."""
    wrong = _stopped(LAST)
    assert len(wrong) <= MOST_WRONG_STOPS * _count(LAST, *Gate, stops=False), wrong
    urgent = (Gate.DISTRESS, Gate.REPORT)
    assert len(_missed(LAST, *urgent)) <= 0.2 * _count(LAST, *urgent, stops=True), _missed(LAST, *urgent)
    assert len(_missed(LAST, *Gate)) <= 0.35 * _count(LAST, *Gate, stops=True), _missed(LAST, *Gate)


@pytest.mark.parametrize("text", CHATTER)
def test_small_talk_is_at_most_an_opinion(text: str) -> None:
    assert gate(text) in (None, Gate.OPINION, Gate.BELIEF)


@pytest.mark.parametrize("text", ["", " ", "？", "😭", "K-0540", "12", "a" * 3000, "选" * 1500, "帮" * 1500])
def test_odd_text_passes(text: str) -> None:
    assert gate(text) is None


def test_distress_goes_before_everything() -> None:
    assert gate("他妈的，我不想活了，我要举报") is Gate.DISTRESS


def test_a_cry_for_help_is_heard_in_a_long_message() -> None:
    assert gate("我想问登记要带什么材料。" * 30 + "其实我也不想活了。" + "谢谢。" * 20) is Gate.DISTRESS


@pytest.mark.parametrize(
    ("raw", "kind"),
    [
        ("我不想活了，电话13800000000", Gate.DISTRESS),
        ("我要举报，联系我13800000000", Gate.REPORT),
        ("查一下13800000000登记了没有", Gate.OTHER_PERSON),
        ("13800000000是谁的号码，登记了吗", Gate.OTHER_PERSON),
        ("我的手机13800000000，选谁好", Gate.OPINION),
        ("我的手机13800000000，选举有什么用", Gate.BELIEF),
        ("how to vote, call 13800000000", Gate.OTHER_LANGUAGE),
        ("我的手机13800000000，怎么登记", None),
        ("我身份证110101199003070012，帮我查下登记没", None),
        ("13800000000是选举办的电话吗", None),
        ("13800000000打来电话叫我登记，是真的吗", None),
        ("13800000000", None),
    ],
)
def test_a_number_that_was_taken_out_does_not_change_the_way(raw: str, kind: Gate | None) -> None:
    cleaned = redact.text(raw).text
    assert redact.PLACEHOLDER in cleaned
    assert gate(cleaned) is kind


@pytest.mark.parametrize(
    ("plain", "kind"),
    [
        ("我不想活了", Gate.DISTRESS),
        ("你是傻逼吗", Gate.ABUSE),
        ("我要举报有人贿选", Gate.REPORT),
        ("到底该选谁好", Gate.OPINION),
        ("选举就是走过场", Gate.BELIEF),
        ("帮我妈查一下登记了没有", Gate.OTHER_PERSON),
    ],
)
def test_writing_it_otherwise_does_not_get_past(plain: str, kind: Gate) -> None:
    spaced, starred, smiling = (sign.join(plain) for sign in (" ", "*", "😡"))
    hidden = "\u200b".join(plain)
    for text in (
        plain,
        spaced,
        starred,
        smiling,
        hidden,
        f"  {plain}！！！",
        f"{plain}\n谢谢",
        f"你好，{plain}",
    ):
        assert gate(text) is kind, text


@pytest.mark.parametrize("kind", Gate)
def test_every_kind_has_its_words_in_every_language(kind: Gate) -> None:
    for language in LANGUAGES:
        assert catalogue(language)[f"gate.{kind.value}"]


@cache
def _voters_questions() -> dict[str, list[str]]:
    found: dict[str, list[str]] = {}
    for source in base.shipped():
        if source.audience == "voter":
            found[source.entry_no] = [source.question, *source.phrasings, *source.aliases]
    return found


def test_what_the_base_answers_is_not_stopped() -> None:
    """But for words that ask for a person's state or that report an act; those have a better way."""
    meant = (Gate.OTHER_PERSON, Gate.REPORT)
    stopped = [
        (entry_no, text, found)
        for entry_no, texts in _voters_questions().items()
        for text in texts
        if (found := gate(text)) is not None
    ]
    assert all(gate(texts[0]) in (None, Gate.OTHER_PERSON) for texts in _voters_questions().values())
    every = sum(len(texts) for texts in _voters_questions().values())
    assert len(stopped) <= 0.008 * every, stopped
    # The base grows without the gate being taught anew: a few phrasings may come to lean the wrong way.
    assert sum(found not in meant for *_, found in stopped) <= 0.001 * every, stopped


@pytest.mark.parametrize(
    "words",
    [
        "有人给我塞200块钱让我投他,咋办",
        "村主任给我塞红包叫我投他怎么办",
        "候选人送米送油让我们选他，怎么办",
        "他给我送了两桶油，要我投他，该找谁",
        "厂里发200元让我们选厂长怎么办",
        "隔壁给我500块叫我选某人，这事谁来管",
    ],
)
def test_who_was_offered_something_for_a_vote_reports_it(words: str) -> None:
    assert by_rule(words) is Gate.REPORT


@pytest.mark.parametrize(
    "words",
    [
        "收钱投票违法吗",
        "有人送东西拉票可以吗,算违法吗",
        "贿选怎么处罚",
        "送米送油让人选他违法吗",
        "有人给我钱让我投他，怎么举报",
        "如果有人给我钱让我投他怎么办",
        "我给邻居20块钱让他帮我代投可以吗",
    ],
)
def test_what_the_rule_on_bribes_is_may_be_asked(words: str) -> None:
    assert gate(words) is None


def test_what_belongs_to_our_field_is_known() -> None:
    for words in ("空挂户怎么办", "我是軍人在哪登記", "12345转来的选举问题"):
        assert in_our_field(words)
    for words in ("明天下雨吗", "给我讲个笑话", "公积金怎么提取", "开发票", "买火车票"):
        assert not in_our_field(words)


def test_a_question_is_told_from_a_statement() -> None:
    for words in ("怎么登记", "要带身份证伐", "登记了没", "能登記嗎", "几号"):
        assert is_question(words)
    for words in ("我是外地户口", "住在临江街道", "谢谢"):
        assert not is_question(words)


def test_it_learns_what_no_rule_says_and_lets_pass_what_it_was_told_to() -> None:
    stop = [f"{who}半夜{way}江边发呆" for who in ("我", "她", "弟弟") for way in ("去", "在", "坐", "到")]
    free = [f"{who}白天{way}登记站登记" for who in ("我", "她", "弟弟") for way in ("去", "在", "坐", "到")]
    assert {by_rule(text) for text in (*stop, *free)} == {None}
    messages = [Message(text, Gate.DISTRESS) for text in stop] + [Message(text, None) for text in free * 4]
    leaning = gate_train.fit(messages)[Gate.DISTRESS]
    score = [leaning.score(pieces(text)) for text in ("妈妈半夜去江边发呆", "妈妈白天去登记站登记")]
    assert score[0] > leaning.threshold > score[1]
    assert all(leaning.score(pieces(text)) < leaning.threshold for text in free)
    assert gate_train.fit(messages)[Gate.DISTRESS] == leaning


@pytest.mark.parametrize(
    ("said", "kind"),
    [
        ("<script>alert(1)</script>", None),
        ("<img src=x onerror=alert(1)>", None),
        ("<div class='note'>登记</div>", None),
        ("<b>where can I vote</b>", Gate.OTHER_LANGUAGE),
        ("<where can I vote", Gate.OTHER_LANGUAGE),
    ],
)
def test_markup_is_no_language(said: str, kind: Gate | None) -> None:
    assert gate(said) is kind
