"""What an entry must fulfil before it may be published."""

from __future__ import annotations

from typing import Any

import pytest

from knowledge.lint import VARIABLES, Problem, check, fill

SOUND: dict[str, Any] = {
    "topic_known": True,
    "question": "选民证丢了怎么办？",
    "phrasings": ("选民证掉了咋办", "我把选民证弄丢了", "选民证遗失到哪里补"),
    "aliases": ("补证",),
    "short": "请联系登记站。",
    "texts": ("带身份证。",),
    "basis": ({"law": "细则", "article": "第二十七条"},),
    "plain": True,
}


def found(**changes: Any) -> list[Problem]:
    return check(**(SOUND | changes))


def keys(**changes: Any) -> list[str]:
    return [problem.key for problem in found(**changes)]


def test_a_sound_entry_has_no_problem() -> None:
    assert found() == []


@pytest.mark.parametrize(
    ("changes", "key"),
    [
        ({"topic_known": False}, "lint_topic"),
        ({"question": " "}, "lint_question"),
        ({"phrasings": ("一", "二")}, "lint_phrasings"),
        ({"aliases": ("选民证补办",)}, "lint_alias"),
        ({"short": ""}, "lint_short"),
        ({"short": "好" * 121}, "lint_short"),
        ({"basis": ()}, "lint_basis"),
        ({"basis": ({"law": " ", "article": "第一条"},)}, "lint_basis"),
        ({"short": "选举日是{{ cal.tomorrow }}。"}, "lint_variable"),
        ({"short": "{{ cal.day"}, "lint_variable"),
        ({"texts": ("{% if x %}",)}, "lint_variable"),
        ({"texts": ("{{ ''.__class__ }}",)}, "lint_variable"),
    ],
)
def test_each_fault_is_named_and_blocks(changes: dict[str, Any], key: str) -> None:
    assert keys(**changes) == [key]
    assert all(problem.blocks for problem in found(**changes))


@pytest.mark.parametrize("text", ["12月9日公布", "12 月 9 号", "2026年12月起", "2026-12-09", "1月1日"])
def test_a_bare_date_blocks_wherever_it_stands(text: str) -> None:
    assert keys(short=text) == ["lint_date"]
    assert keys(texts=("", text)) == ["lint_date"]


@pytest.mark.parametrize(
    "text", ["选举日二十日以前公布", "满18周岁", "9:00–17:00", "第12-03组", "每年一次", "5日内申诉"]
)
def test_terms_and_numbers_are_no_dates(text: str) -> None:
    assert keys(short=text) == []


@pytest.mark.parametrize(
    "claim",
    [
        "住满6个月才能登记",
        "居住一年以上才有选举权",
        "候选人要电视辩论",
        "选举日三十日以前公布选民名单",
        "精神障碍患者一律不能投票",
        "须没有精神病史",
        "缓刑人员丧失选举权",
        "投票日凭身份证就能领选票",
        "资格证明到派出所开",
    ],
)
def test_known_wrong_claims_block_and_say_what_is_right(claim: str) -> None:
    (problem,) = found(texts=(claim,))
    assert (problem.key, problem.blocks) == ("lint_wrong_claim", True)
    assert problem.facts["correct"]


@pytest.mark.parametrize(
    "text",
    [
        "选举日二十日以前公布选民名单",
        "居住时间长短不影响选举权",
        "缓刑期间可以登记",
        "资格证明由户口所在地选举机构出具",
        "凭选民证领取选票",
    ],
)
def test_right_sentences_near_the_wrong_ones_pass(text: str) -> None:
    assert keys(short=text) == []


def test_office_words_warn_for_voters_and_stand_behind_what_blocks() -> None:
    problems = found(short="人户分离的届时另行通知。", basis=())
    assert [(p.key, p.blocks) for p in problems] == [
        ("lint_basis", True), ("lint_plain_word", False), ("lint_plain_word", False),
    ]  # fmt: skip
    assert keys(short="人户分离的届时另行通知。", plain=False) == []


def test_every_variable_is_filled_and_nothing_else_is_interpreted() -> None:
    values = dict.fromkeys(VARIABLES, "·")
    for name in VARIABLES:
        assert fill(f"甲{{{{ {name} }}}}乙", values) == "甲·乙"
    assert fill("{{cal.day}}和{{ cal.day }}", values) == "·和·"
    assert fill("{cal.day} {% x %} %s {0}", values) == "{cal.day} {% x %} %s {0}"
    assert fill("{{ cal.day }}", {"cal.day": "{{ office.phone }}"}) == "{{ office.phone }}"
    with pytest.raises(KeyError):
        fill("{{ cal.tomorrow }}", values)
