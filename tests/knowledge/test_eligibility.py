"""Every described case ends in exactly one row of its region's table, and no needless question is asked."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from typing import Any

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from knowledge import packs
from knowledge.eligibility import BadFacts, BadRow, adapted, applying, check, decide, next_slot, path

Facts = dict[str, str]
PACKS = packs.names()


# --- a slow oracle: the same file read by other code ----------------------------------------------


def plain(pack_id: str) -> dict[str, Any]:
    return yaml.safe_load((packs.FOLDER / f"{pack_id}.yaml").read_text(encoding="utf-8"))


PLAIN = {pack_id: plain(pack_id) for pack_id in PACKS}


def fits(when: Any, facts: Facts) -> bool:
    rows = when if isinstance(when, list) else [when]
    return any(
        all(facts.get(slot) in (code if isinstance(code, list) else [code]) for slot, code in row.items())
        for row in rows
    )


def cleaned(pack_id: str, facts: Facts) -> Facts:
    """Without answers to questions that do not arise, with defaults."""
    found: Facts = {}
    for code, slot in PLAIN[pack_id]["slots"].items():
        if "when" in slot and not fits(slot["when"], found):
            continue
        if value := facts.get(code, slot.get("default")):
            found[code] = value
    return found


def oracle(pack_id: str, facts: Facts) -> int:
    """The number of the first row that fits, by trying them one after another."""
    found = cleaned(pack_id, facts)
    return next(number for number, row in enumerate(PLAIN[pack_id]["leaves"]) if fits(row["when"], found))


def codes(pack_id: str, slot: str) -> list[str]:
    return list(PLAIN[pack_id]["slots"][slot]["options"])


def sure(pack_id: str, slot: str) -> list[str]:
    return [code for code in codes(pack_id, slot) if code != "unsure"]


def cases(pack_id: str, facts: Facts | None = None) -> Iterator[Facts]:
    """Every combination of answers to the questions that arise, `other` and `unsure` to each included."""
    facts = facts or {}
    for slot, row in PLAIN[pack_id]["slots"].items():
        if slot in facts or ("when" in row and not fits(row["when"], cleaned(pack_id, facts))):
            continue
        # Not asked: what somebody may have written about it besides.
        more = () if "default" in row else ("other", "unsure")
        for code in dict.fromkeys((*codes(pack_id, slot), *more)):
            yield from cases(pack_id, {**facts, slot: code})
        return
    yield facts


def row_of(pack_id: str, facts: Facts) -> int:
    verdict = decide(packs.load(pack_id), facts)
    assert verdict is not None
    return packs.load(pack_id).leaves.index(verdict.leaf)


# --- completeness ---------------------------------------------------------------------------------


@pytest.mark.parametrize("pack_id", PACKS)
def test_every_case_ends_in_the_row_a_plain_reading_finds(pack_id: str) -> None:
    reached = set()
    for facts in cases(pack_id):
        number = row_of(pack_id, facts)
        assert number == oracle(pack_id, facts), facts
        reached.add(number)
    assert reached == set(range(len(packs.load(pack_id).leaves)))


@pytest.mark.parametrize("pack_id", PACKS)
def test_every_row_has_an_answer_with_its_basis_or_a_person(pack_id: str) -> None:
    for leaf in packs.load(pack_id).leaves:
        assert leaf.answer
        assert leaf.answer_en
        assert leaf.basis or leaf.ticket
        assert "你" not in leaf.answer
        assert leaf.group == "登记组"


# --- the design table by hand ---------------------------------------------------------------------


# What is told | the row, with * where a person answers | topic | basis
TABLE = """
age=under hukou=local | A0 | age | 细则19；选举法27
hukou=abroad nat=cn | A12 | overseas | 细则20(十二)；选举法7；华侨权益保护条例23
hukou=abroad nat=foreign | XF | foreign_hkmt | 选举法4；国籍法3、9
hukou=abroad nat=hkmt | XH* | foreign_hkmt |
hukou=abroad nat=unsure | XH* | foreign_hkmt |
hukou=unsure | XU* | reg_other | 细则20(十三)
hukou=local status=work unit=unsure | XU* | reg_other | 细则20(十三)
hukou=unsettled status=work unit=unsure | XU* | reg_other | 细则20(十三)
hukou=unsettled | A11 | reg_no_hukou | 细则20(十一)
hukou=elsewhere status=work unit=wujing | A8 | military | 细则20(八)；军队办法40
hukou=elsewhere status=work unit=foreign_org | A9 | reg_where_work | 细则20(九)
hukou=local status=work unit=rep | A6 | reg_where_work | 细则20(六)
hukou=elsewhere status=none cert=yes | A10a | reg_migrant | 细则20(十)
hukou=elsewhere status=student cert=yes | A10a | reg_migrant | 细则20(十)
hukou=elsewhere status=retired cert=how relax=no | A10b | reg_migrant | 细则20(十)；若干规定9
hukou=elsewhere status=work unit=branch cert=no relax=permit5 | B1* | migrant_relaxed | 细则20(十)
hukou=same_city status=work unit=branch | A7 | reg_where_work | 细则20(七)
hukou=local status=work unit=plain | A1 | reg_where_work | 细则20(一)、4
hukou=local status=student | A1 | reg_where_student | 细则20(一)、4
hukou=local status=work unit=plain organised=no | A1n* | reg_where_work |
hukou=local status=student organised=no | A1n* | reg_where_student |
hukou=same_city status=farmer | A2 | reg_where_hukou | 细则20(二)
hukou=local status=cadre | A4 | reg_where_retired | 细则20(四)
hukou=same_city status=retired | A5 | reg_where_retired | 细则20(五)
hukou=local status=none live=at_hukou | A3 | reg_where_hukou | 细则20(三)
hukou=same_city status=none live=apart | A3b | reg_separation | 细则20(三)、末款
hukou=other status=none | A13* | reg_other | 细则20(十三)
hukou=local status=work unit=other | A13* | reg_other | 细则20(十三)
hukou=elsewhere status=none cert=no relax=other | A13* | reg_other | 细则20(十三)
"""


@pytest.mark.parametrize("line", TABLE.strip().splitlines())
def test_the_table_of_shanghai(line: str) -> None:
    told, row, topic, basis = (part.strip() for part in line.split("|"))
    facts = dict(pair.split("=") for pair in told.split())
    verdict = decide(packs.load("shanghai"), facts)
    assert verdict is not None
    found = verdict.leaf
    assert (found.code + "*" * found.ticket, found.topic) == (row, topic)
    assert "；".join(citation.short for citation in found.basis) == basis


@pytest.mark.parametrize(
    ("pack_id", "facts", "leaf", "ticket", "basis"),
    [
        ("beijing", {"hukou": "local", "status": "retired"}, "J7", False, "北京细则30(三)"),
        ("beijing", {"hukou": "same_city", "status": "none", "live": "apart"}, "J9", False, "北京细则30(一)"),
        ("beijing", {"hukou": "elsewhere", "status": "none", "cert": "yes"}, "J11", False, "北京细则31"),
        ("beijing", {"hukou": "unsettled"}, "J13", True, ""),
        ("zhejiang", {"hukou": "local", "status": "work", "unit": "plain"}, "Z4", False, "浙江细则27(一)"),
        ("zhejiang", {"hukou": "elsewhere", "cert": "yes", "permit": "yes"}, "Z5", False, "浙江细则27(五)"),
        ("zhejiang", {"hukou": "elsewhere", "cert": "yes", "permit": "no"}, "Z6", False, "浙江细则27(五)"),
        ("zhejiang", {"hukou": "local", "status": "retired"}, "Z7", True, ""),
    ],
)
def test_other_regions_have_their_own_tables(
    pack_id: str, facts: Facts, leaf: str, ticket: bool, basis: str
) -> None:
    verdict = decide(packs.load(pack_id), facts)
    assert verdict is not None
    found = verdict.leaf
    assert (found.code, found.ticket) == (leaf, ticket)
    assert "；".join(citation.short for citation in found.basis) == basis


# --- questions ------------------------------------------------------------------------------------


def asked(facts: Facts) -> list[str]:
    """The questions somebody with these facts is asked, in their order."""
    pack, told, order = packs.load("shanghai"), dict[str, str](), []
    while slot := next_slot(pack, told):
        order.append(slot.code)
        told[slot.code] = facts[slot.code]
    return order


def test_only_what_decides_is_asked() -> None:
    local = {"hukou": "local", "live": "apart"}
    assert asked({"hukou": "unsettled"}) == ["hukou"]
    assert asked({"hukou": "abroad", "nat": "cn"}) == ["hukou", "nat"]
    assert asked(local | {"status": "farmer"}) == ["hukou", "status"]
    assert asked(local | {"status": "none"}) == ["hukou", "status", "live"]
    assert asked(local | {"status": "work", "unit": "plain"}) == ["hukou", "status", "unit"]
    migrant = {"hukou": "elsewhere", "status": "work", "unit": "plain", "cert": "no", "relax": "no"}
    assert asked(migrant) == ["hukou", "status", "unit", "cert", "relax"]
    assert asked(migrant | {"cert": "yes"}) == ["hukou", "status", "unit", "cert"]


def test_nothing_is_decided_while_a_question_is_open() -> None:
    pack = packs.load("shanghai")
    assert decide(pack, {"hukou": "local"}) is None
    assert decide(pack, {"hukou": "local", "status": "none"}) is None


def completions(pack_id: str, facts: Facts) -> Iterator[Facts]:
    """All ways in which somebody who knows the answers could complete the facts."""
    open_slots = [
        slot for slot, row in PLAIN[pack_id]["slots"].items() if slot not in facts and "default" not in row
    ]
    for answers in itertools.product(*(sure(pack_id, slot) for slot in open_slots)):
        yield facts | dict(zip(open_slots, answers, strict=True))


def conversations(pack_id: str, facts: Facts) -> Iterator[Facts]:
    """Every course of the questions from these facts on to a verdict."""
    slot = next_slot(packs.load(pack_id), facts)
    if slot is None:
        yield facts
        return
    for code in sure(pack_id, slot.code):
        yield from conversations(pack_id, facts | {slot.code: code})


@pytest.mark.parametrize("pack_id", PACKS)
def test_a_question_that_was_skipped_could_not_have_changed_the_answer(pack_id: str) -> None:
    for facts in conversations(pack_id, {}):
        number = row_of(pack_id, facts)
        assert {oracle(pack_id, whole) for whole in completions(pack_id, facts)} == {number}, facts


@pytest.mark.parametrize("pack_id", PACKS)
def test_a_question_that_is_asked_can_change_the_answer(pack_id: str) -> None:
    def looked(facts: Facts) -> None:
        slot = next_slot(packs.load(pack_id), facts)
        if slot is None:
            return
        by_the_rest: dict[tuple[tuple[str, str], ...], set[int]] = {}
        for whole in completions(pack_id, facts):
            rest = tuple(sorted((code, value) for code, value in whole.items() if code != slot.code))
            by_the_rest.setdefault(rest, set()).add(oracle(pack_id, whole))
        assert any(len(found) > 1 for found in by_the_rest.values()), (facts, slot.code)
        for code in sure(pack_id, slot.code):
            looked(facts | {slot.code: code})

    looked({})


@st.composite
def some_facts(draw: st.DrawFn) -> tuple[str, Facts]:
    """A pack, and any part of its slots with any option, `other` and `unsure` included."""
    pack_id = draw(st.sampled_from(PACKS))
    facts = {
        slot: draw(st.sampled_from([*codes(pack_id, slot), "other", "unsure"]))
        for slot in draw(st.sets(st.sampled_from(list(PLAIN[pack_id]["slots"]))))
    }
    return pack_id, facts


@given(some_facts(), st.randoms(use_true_random=False))
def test_whatever_was_stated_the_verdict_holds_for_every_completion(
    given_facts: tuple[str, Facts], chance: Any
) -> None:
    pack_id, facts = given_facts
    while slot := next_slot(packs.load(pack_id), facts):
        assert slot.code not in facts
        facts = facts | {slot.code: chance.choice(sure(pack_id, slot.code))}
    number = row_of(pack_id, facts)
    open_slots = [slot for slot in PLAIN[pack_id]["slots"] if slot not in facts]
    whole = facts | {
        slot: PLAIN[pack_id]["slots"][slot].get("default") or chance.choice(sure(pack_id, slot))
        for slot in open_slots
    }
    assert oracle(pack_id, whole) == number


@given(some_facts())
def test_answers_to_questions_that_do_not_arise_count_for_nothing(given_facts: tuple[str, Facts]) -> None:
    pack_id, facts = given_facts
    pack = packs.load(pack_id)
    if decide(pack, facts) is not None:
        assert set(applying(pack, facts)) <= set(cleaned(pack_id, facts))
        assert row_of(pack_id, facts) == oracle_of_known(pack_id, facts)


def oracle_of_known(pack_id: str, facts: Facts) -> int:
    """The row of the stated facts completed in one way: by the first sure option of each open slot."""
    whole = dict(facts)
    for slot, row in PLAIN[pack_id]["slots"].items():
        whole.setdefault(slot, row.get("default") or sure(pack_id, slot)[0])
    return oracle(pack_id, whole)


# --- refusals and reasons -------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("facts", "key", "slot", "option"),
    [
        ({"hukuo": "local"}, "facts_slot_unknown", "hukuo", ""),
        ({"hukou": "mars"}, "facts_option_unknown", "hukou", "mars"),
        ({"hukou": 3}, "facts_option_unknown", "hukou", "3"),
        ({"hukou": None}, "facts_option_unknown", "hukou", "None"),
    ],
)
def test_unknown_facts_are_refused_by_name(facts: Any, key: str, slot: str, option: str) -> None:
    with pytest.raises(BadFacts) as refused:
        check(packs.load("shanghai"), facts)
    assert (refused.value.key, refused.value.slot, refused.value.option) == (key, slot, option)


def test_the_path_says_why_each_row_did_not_hold() -> None:
    steps = path(packs.load("shanghai"), {"hukou": "elsewhere", "status": "none", "cert": "yes"})
    assert [(step.leaf.code, step.slot, step.value) for step in steps[:3]] == [
        ("A0", "age", "ok"),
        ("A12", "hukou", "elsewhere"),
        ("XF", "nat", ""),
    ]
    assert [step.leaf.code for step in steps] == [
        "A0", "A12", "XF", "XH", "XU", "A11", "A8", "A9", "A6", "A10a", "A10a",
    ]  # fmt: skip
    assert [step.holds for step in steps] == [False] * 10 + [True]
    assert (steps[9].slot, steps[9].value) == ("status", "none")


def test_the_path_stops_where_a_question_is_open() -> None:
    steps = path(packs.load("shanghai"), {"hukou": "local", "status": "none"})
    assert steps[-1].leaf.code == "A3"
    assert not steps[-1].holds
    assert (steps[-1].slot, steps[-1].value) == ("live", "")


# --- the golden case ------------------------------------------------------------------------------

GOLDEN = {"hukou": "elsewhere", "status": "none", "live": "apart", "cert": "no", "relax": "married_in"}
WORDING_2021: dict[str, Any] = {
    "leaf": "A10b",
    "answer": "想在这里参加的，由您自己决定，只登记一处。先取得选民资格证明，再到居住地登记站登记。",
    "steps": [
        "回户籍地向选举机构开选民资格证明（可先电话联系，看能否代办、寄送）",
        "带证明和身份证到居住地登记站",
        "在居住地参选",
    ],
    "ticket": False,
    "basis": [{"law": "细则", "article": "20(十)"}],
}


def test_the_golden_case_goes_to_a_person_while_the_district_has_no_wording() -> None:
    verdict = decide(packs.load("shanghai"), GOLDEN)
    assert verdict is not None
    assert (verdict.leaf.code, verdict.leaf.ticket, verdict.leaf.group) == ("B1", True, "登记组")
    assert verdict.facts == GOLDEN
    assert "由您自己决定" in verdict.leaf.answer
    assert "细则20(十)" in [citation.short for citation in verdict.leaf.basis]


def test_the_golden_case_is_answered_with_the_wording_the_district_signed() -> None:
    pack = adapted(packs.load("shanghai"), {"B1": WORDING_2021}, {"B1": 4})
    verdict = decide(pack, GOLDEN)
    assert verdict is not None
    leaf = verdict.leaf
    assert (leaf.code, leaf.row, leaf.ticket, leaf.edition) == ("A10b", "B1", False, 4)
    assert leaf.topic == "reg_migrant"
    assert list(leaf.steps) == WORDING_2021["steps"]
    assert leaf.steps_in("en") == leaf.steps
    assert leaf.bring == ("选民资格证明", "身份证")
    assert [citation.short for citation in leaf.basis] == ["细则20(十)"]
    assert "由您自己决定" in leaf.answer
    again = decide(pack, GOLDEN | {"cert": "yes"})
    assert again is not None
    assert (again.leaf.code, again.leaf.row, again.leaf.edition) == ("A10a", "A10a", 0)


def test_a_row_answered_as_another_one_says_what_that_one_says() -> None:
    verdict = decide(adapted(packs.load("shanghai"), {"B1": {"leaf": "A10b"}}), GOLDEN)
    as_it_is = packs.load("shanghai").rows("A10b")[0]
    assert verdict is not None
    assert (verdict.leaf.answer, verdict.leaf.answer_en) == (as_it_is.answer, as_it_is.answer_en)
    assert verdict.leaf.steps == as_it_is.steps
    assert not verdict.leaf.ticket


@pytest.mark.parametrize("language", ["zh_CN", "en"])
def test_marriage_alone_is_never_said_to_be_enough(language: str) -> None:
    for leaf in packs.load("shanghai").leaves:
        said = leaf.answer_in(language) + "".join(leaf.steps_in(language))
        assert "结婚" not in said
        assert "marri" not in said.lower()


def test_a_documents_own_title_may_be_the_basis() -> None:
    notice = {"law": "《东浦区选举委员会公告》", "article": "第3号"}
    (leaf,) = adapted(packs.load("shanghai"), {"XH": {"answer": "请先来电。", "basis": [notice]}}).rows("XH")
    assert [citation.long for citation in leaf.basis] == ["《东浦区选举委员会公告》第3号"]
    assert leaf.answer_in("en") == "请先来电。"


@pytest.mark.parametrize(
    ("row", "content", "key", "field"),
    [
        ("B9", {}, "row_unknown", "leaf"),
        ("B1", {"leaf": "B9"}, "row_unknown", "leaf"),
        ("B1", {"ansver": "好"}, "pack_field_unknown", "ansver"),
        ("B1", {"answer": " "}, "pack_no_text", "answer"),
        ("B1", {"answer": "12月9日前登记。"}, "lint_date", "answer"),
        ("B1", {"answer": "到{{ cal.someday }}为止。"}, "lint_variable", "answer"),
        ("B1", {"answer_en": "Register by 9 December."}, "lint_date", "answer_en"),
        ("B1", {"steps": ["打电话", "住满6个月才能登记"]}, "lint_wrong_claim", "steps[1]"),
        ("B1", {"steps": "打电话"}, "pack_no_list", "steps"),
        ("B1", {"bring": [3]}, "pack_no_text", "bring[0]"),
        ("B1", {"ticket": "no"}, "pack_no_flag", "ticket"),
        ("B1", {"basis": ["细则20"]}, "row_basis", "basis[0]"),
        ("B1", {"basis": [{"law": "细责", "article": "20"}]}, "pack_law_unknown", "basis[0].law"),
        ("B1", {"ticket": False, "basis": []}, "pack_no_basis", "basis"),
        ("A3", {"basis": []}, "pack_no_basis", "basis"),
    ],
)
def test_a_change_that_does_not_fit_names_its_field(row: str, content: Any, key: str, field: str) -> None:
    with pytest.raises(BadRow) as refused:
        adapted(packs.load("shanghai"), {row: content})
    assert (refused.value.key, refused.value.field) == (key, field)
