"""What a voter's own words say of the case."""

from __future__ import annotations

from datetime import date
from functools import cache
from pathlib import Path
from typing import Any

import pytest
import yaml

from knowledge import packs
from knowledge.statements import answer_to, read, states_case

LOCAL = ("东浦区", "临江街道", "和兴街道", "北塘镇")
NEIGHBOURS = ("西岸区",)
AGE_LINE = date(2008, 12, 29)
GOLDEN = "我户口在嘉善，老公是朱泾人，我没工作，住罗星居民区，想在这里选。"


@cache
def examples(half: str) -> tuple[dict[str, Any], ...]:
    path = Path(__file__).parent / "statement_examples.yaml"
    return tuple(yaml.safe_load(path.read_text(encoding="utf-8"))[half])


def stated(row: dict[str, Any]) -> dict[str, str]:
    pack = packs.load(row.get("pack", "shanghai"))
    return read(pack, row["text"], local=LOCAL, neighbours=NEIGHBOURS, age_line=AGE_LINE)


@pytest.mark.parametrize("row", [*examples("learned"), *examples("fresh")], ids=lambda row: row["text"])
def test_what_the_words_say_and_no_more(row: dict[str, Any]) -> None:
    found = stated(row)
    may = row.get("or", {})
    assert {slot: option for slot, option in found.items() if may.get(slot) != option} == row["is"]


def test_there_are_enough_examples_to_go_by() -> None:
    assert len(examples("learned")) >= 60
    assert len(examples("fresh")) >= 60


def test_the_golden_case_in_words() -> None:
    found = read(packs.load("shanghai"), GOLDEN)
    assert found == {
        "hukou": "elsewhere", "status": "none", "live": "apart", "cert": "no", "relax": "married_in",
    }  # fmt: skip
    assert states_case(found, GOLDEN)


@pytest.mark.parametrize("text", ["", " ", "。", "？？", "\U0001f600", "户口", "户口在", "我", "x" * 4000])
def test_words_that_say_nothing_state_nothing(text: str) -> None:
    assert read(packs.load("shanghai"), text) == {}


def test_a_birth_date_needs_the_day_by_which_one_must_be_born() -> None:
    pack = packs.load("shanghai")
    assert read(pack, "我2008年12月30日生") == {}
    assert read(pack, "我2008年12月30日生", age_line=date(2008, 12, 30)) == {"age": "ok"}
    assert read(pack, "我二〇〇八年十二月三十日生", age_line=date(2008, 12, 29)) == {"age": "under"}
    assert read(pack, "2008年出生", age_line=AGE_LINE) == {"age": "unsure"}
    assert read(pack, "2007年出生", age_line=AGE_LINE) == {"age": "ok"}


def test_own_names_decide_what_is_here() -> None:
    pack = packs.load("shanghai")
    assert read(pack, "户口在黄浦区") == {"hukou": "same_city"}
    assert read(pack, "户口在黄浦区", local=["黄浦区"]) == {"hukou": "local"}
    assert read(pack, "户口在上海黄浦", local=["黄浦区"]) == {"hukou": "local"}
    assert read(pack, "户口在西岸区") == {}
    assert read(pack, "户口在西岸区", neighbours=["西岸区"]) == {"hukou": "same_city"}


@pytest.mark.parametrize(
    ("text", "opens"),
    [
        (GOLDEN, True),
        ("我外地户口，在这里上班，该去哪里登记", True),
        ("外地户口，退休了，能在上海登记吗", True),
        ("我外地户口，在这里上班", False),
        ("我外地户口，该去哪里登记", False),
        ("退休了在哪里登记", False),
        ("华侨能登记吗", False),
        ("帮我妈问，她外地户口，退休了，在哪登记", False),
    ],
)
def test_a_case_that_is_told_with_its_question_opens_the_wizard(text: str, opens: bool) -> None:
    assert states_case(read(packs.load("shanghai"), text), text) is opens


@pytest.mark.parametrize(
    ("slot", "text", "option"),
    [
        ("hukou", "外省市", "elsewhere"),
        ("hukou", "外省市。", "elsewhere"),
        ("hukou", "Another province", "elsewhere"),
        ("hukou", "3", "elsewhere"),
        ("hukou", "３", "elsewhere"),
        ("hukou", "嘉善", "elsewhere"),
        ("hukou", "在安徽", "elsewhere"),
        ("hukou", "老家的", "elsewhere"),
        ("hukou", "我户口在临江街道", "local"),
        ("hukou", "东浦区", "local"),
        ("hukou", "徐汇", "same_city"),
        ("hukou", "西岸区", "same_city"),
        ("hukou", "集体户口", "other"),
        ("hukou", "都不是", "other"),
        ("hukou", "不知道", "unsure"),
        ("hukou", "勿晓得", "unsure"),
        ("hukou", "上海", None),
        ("hukou", "几点开门？", None),
        ("hukou", "9", None),
        ("status", "上班的", "work"),
        ("status", "没工作", "none"),
        ("status", "呒没工作", "none"),
        ("status", "早就退休了", "retired"),
        ("unit", "在农业银行支行上班", "branch"),
        ("unit", "民营企业", "plain"),
        ("unit", "说不清", "unsure"),
        ("live", "不住那里", "apart"),
        ("cert", "有", "yes"),
        ("cert", "没有", "no"),
        ("cert", "不知道怎么开", "how"),
        ("cert", "不知道", "unsure"),
        ("relax", "都没有", "no"),
        ("relax", "我老公是上海人", "married_in"),
        ("relax", "居住证有六年了", "permit5"),
        ("nat", "我是台湾人", "hkmt"),
        ("organised", "单位不组织", "no"),
        ("age", "2008年12月30日生", None),
    ],
)
def test_what_a_reply_means(slot: str, text: str, option: str | None) -> None:
    pack = packs.load("shanghai")
    assert answer_to(pack, slot, text, local=LOCAL, neighbours=NEIGHBOURS) == option


def test_every_label_answers_its_own_question() -> None:
    for pack_id in packs.names():
        pack = packs.load(pack_id)
        for slot in pack.slots:
            for option in slot.options:
                assert answer_to(pack, slot.code, option.label) == option.code
                assert answer_to(pack, slot.code, option.label_en) == option.code


def test_a_question_the_pack_does_not_ask_has_no_answers() -> None:
    with pytest.raises(KeyError):
        answer_to(packs.load("beijing"), "permit", "有")
