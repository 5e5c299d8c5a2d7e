"""What an entry must fulfil before it may be published."""

from __future__ import annotations

import re
from datetime import date
from typing import Any

import pytest
import yaml

from knowledge import station_cells
from knowledge.contradictions import contradictions
from knowledge.election import Election
from knowledge.lint import RULES, VARIABLES, Problem, check, fill, in_texts
from knowledge.station_cells import BadCell
from office.words import LANGUAGES, catalogue
from tests.make import DATA

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


@pytest.mark.parametrize(
    "text",
    [
        "12月9日公布", "12 月 9 号", "2026年12月起", "2026-12-09", "2026/12/9", "2026.12.9", "1月1日",
        "１２月９日", "十二月五日", "十一月二十五号截止", "二〇二六年十二月", "12.5截止", "12.05",
        "11.25–12.05", "11月底", "十二月上旬", "December 5", "Dec. 5th, 2026", "5 December",
    ],
)  # fmt: skip
def test_a_bare_date_blocks_wherever_it_stands(text: str) -> None:
    assert keys(short=text) == ["lint_date"]
    assert keys(texts=("", text)) == ["lint_date"]


@pytest.mark.parametrize(
    "text",
    [
        "选举日二十日以前公布", "满18周岁", "9:00–17:00", "第12-03组", "每年一次", "5日内申诉", "住满三个月",
        "3.14公里", "约12.5%", "1.5倍", "0000-12345678", "见第1.2节", "V2.10", "一、二、三月没有",
        "on May 5 people came", "four marches",
    ],
)  # fmt: skip
def test_terms_and_numbers_are_no_dates(text: str) -> None:
    assert keys(short=text) == []


CLAIMS = {
    "住满6个月才能登记": "居住时间长短不影响选举权",
    "居住一年以上才有选举权": "户口不在这里的，居住满一年也要先开选民资格证明",
    "候选人要电视辩论": "选举委员会组织候选人与选民见面",
    "选举日三十日以前公布选民名单": "选举日二十日以前公布选民名单",
    "选民登记看选举法第二十六条至第二十八条": "选民登记见选举法第二十七条至第二十九条",
    "选民登记的规定在选举法第二、三条": "选举法第二十七条规定按选区进行选民登记",
    "精神障碍患者一律不能投票": "精神病患者不能行使选举权利的，经选举委员会确认，不列入名单",
    "须没有精神病史": "有没有病史与选民资格无关",
    "委托投票是村委会组织法规定的，最多三人": "每一选民接受的委托不得超过三人",
    "只有外出才能委托别人投票": "外出或者有其他特殊原因的，经选举委员会同意，可以委托其他选民代投",
    "委托投票仅限外出的选民": "委托投票要书面委托，外出的可以提前办",
    "缓刑人员丧失选举权": "缓刑期间可以登记",
    "被拘留就没有选举权": "受拘留处罚的，准予行使选举权利",
    "投票日凭身份证就能领选票": "凭选民证领取选票",
    "资格证明到派出所开": "资格证明由户口所在地选举机构出具，一般不是派出所",
    "2021年的登记时间照用": "2021年的登记时间不能照用",
    "上届的电话还能用": "往届的电话和渠道一律不能用于本届",
    "登记时间按上届": "登记时间以本届公告为准",
    "治安管理处罚法第二十三条规定可以拘留": "破坏选举的，由公安机关依法给予治安管理处罚",
    "处五日以上十日以下行政拘留": "五日以内向选举委员会申诉",
    "由公安机关罚款五百元": "由公安机关依法处理",
}


@pytest.mark.parametrize("claim", CLAIMS)
def test_known_wrong_claims_block_and_say_what_is_right(claim: str) -> None:
    (problem,) = found(texts=(claim,))
    assert (problem.key, problem.blocks) == ("lint_wrong_claim", True)
    assert problem.facts["correct"]


@pytest.mark.parametrize("text", CLAIMS.values())
def test_right_sentences_near_the_wrong_ones_pass(text: str) -> None:
    assert keys(short=text) == []


def test_every_known_claim_is_caught_by_a_sentence_and_says_itself_nothing_wrong() -> None:
    rules = yaml.safe_load(RULES.read_text(encoding="utf-8"))["wrong_claims"]
    for rule in rules:
        assert [claim for claim in CLAIMS if re.search(rule["pattern"], claim)], rule["correct"]
    words = [rule["correct"] for rule in rules]
    assert [p.key for p in in_texts(words) if p.key != "lint_date"] == []


def test_a_claim_wrong_in_one_region_is_looked_for_there() -> None:
    assert [p.key for p in in_texts(["凭身份证可以领选票"])] == ["lint_wrong_claim"]
    assert in_texts(["凭身份证可以领选票"], region="zhejiang") == []
    assert [p.key for p in in_texts(["居住半年才有选举权"], region="zhejiang")] == ["lint_wrong_claim"]


def test_where_nothing_is_filled_in_every_variable_is_unknown() -> None:
    note = "下雨天到{{ cal.day }}也开"
    assert in_texts([note]) == []
    assert [p.facts["name"] for p in in_texts([note], variables=())] == ["cal.day"]


@pytest.mark.parametrize("note", ["12月5日起搬到二楼", "凭身份证可以领选票", "到{{ cal.day }}都开"])
def test_notes_of_stations_and_of_days_are_held_to_the_same(note: str) -> None:
    with pytest.raises(BadCell, match="lint_"):
        station_cells.text("note", note)
    assert station_cells.text("note", "双休日只开一个窗口，9:00起") == "双休日只开一个窗口，9:00起"

    days = {"from": "2026-11-16", "to": "2026-12-05"}
    election = Election.from_content({"name": "示例选举", "windows": [{**days, "note": note}]})
    (finding,) = contradictions(election, (), date(2026, 11, 1))
    assert (finding.field, finding.key[:5], finding.blocks) == ("windows[0].note", "lint_", True)


@pytest.mark.parametrize("name", sorted(path.stem for path in (DATA / "packs").glob("*.yaml")))
def test_rule_packs_hold_nothing_that_must_not_stand_in_an_answer(name: str) -> None:
    rows = yaml.safe_load((DATA / "packs" / f"{name}.yaml").read_text(encoding="utf-8"))["leaves"]
    said = [text for row in rows for text in every_text(row)]
    assert said
    assert in_texts(said, region=name) == []


def every_text(value: Any) -> list[str]:
    if isinstance(value, str):
        return [value]
    if isinstance(value, dict):
        return [
            text for key, inner in value.items() if key not in ("basis", "when") for text in every_text(inner)
        ]
    return [text for inner in value for text in every_text(inner)] if isinstance(value, list) else []


def test_office_words_warn_for_voters_and_stand_behind_what_blocks() -> None:
    problems = found(short="人户分离的届时另行通知。", basis=())
    assert [(p.key, p.blocks) for p in problems] == [
        ("lint_basis", True), ("lint_plain_word", False), ("lint_plain_word", False),
    ]  # fmt: skip
    assert keys(short="人户分离的届时另行通知。", plain=False) == []


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_variable_has_a_name_for_editors(language: str) -> None:
    assert [name for name in VARIABLES if f"variable.{name}" not in catalogue(language)] == []


def test_every_variable_is_filled_and_nothing_else_is_interpreted() -> None:
    values = dict.fromkeys(VARIABLES, "·")
    for name in VARIABLES:
        assert fill(f"甲{{{{ {name} }}}}乙", values) == "甲·乙"
    assert fill("{{cal.day}}和{{ cal.day }}", values) == "·和·"
    assert fill("{cal.day} {% x %} %s {0}", values) == "{cal.day} {% x %} %s {0}"
    assert fill("{{ cal.day }}", {"cal.day": "{{ office.phone }}"}) == "{{ office.phone }}"
    with pytest.raises(KeyError):
        fill("{{ cal.tomorrow }}", values)
