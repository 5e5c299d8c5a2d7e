"""A draft held against the approved text: every difference that matters is told, and nothing else."""

from __future__ import annotations

from datetime import date
from pathlib import Path
from typing import Any

import pytest
import yaml

from knowledge import calendar, elections, lint
from knowledge.conflicts import Difference, DifferenceKind, differences
from knowledge.election import Election
from tests.make import CALENDAR, DATA

PAIRS = yaml.safe_load((Path(__file__).parent / "conflict_pairs.yaml").read_text(encoding="utf-8"))
NAMES = ("东浦区", "临江街道", "北塘镇")
DATES = elections.dates_of(Election.from_content(CALENDAR))
TODAY = date(2026, 11, 20)


def test_there_are_enough_labelled_pairs_of_both_sorts() -> None:
    assert len(PAIRS["differ"]) >= 60
    assert len(PAIRS["agree"]) >= 30


@pytest.mark.parametrize("pair", PAIRS["differ"], ids=lambda pair: pair["draft"])
def test_what_differs_is_told(pair: dict[str, Any]) -> None:
    found = differences(pair["draft"], pair["approved"], names=NAMES)
    assert [one.kind.value for one in found] == pair["kinds"], found


@pytest.mark.parametrize("pair", PAIRS["agree"], ids=lambda pair: pair["draft"])
def test_what_agrees_raises_no_alarm(pair: dict[str, Any]) -> None:
    assert differences(pair["draft"], pair["approved"], names=NAMES) == ()


@pytest.mark.parametrize("pair", PAIRS["differ"] + PAIRS["agree"], ids=lambda pair: pair["approved"])
def test_a_text_never_differs_from_itself(pair: dict[str, Any]) -> None:
    for text in (pair["approved"], pair["draft"]):
        assert differences(text, text, names=NAMES) == ()


def test_a_difference_names_both_sides() -> None:
    (found,) = differences("请在15日内提出申诉。", "名单公布之日起5日内可以提出申诉，3年内有效。")
    assert found == Difference(DifferenceKind.NUMBER, "15日", "5日")
    (found,) = differences("12月6日截止", "居民登记到12月5日截止，名单12月9日公布")
    assert (found.yours, found.approved) == ("12月6日", "12月5日")
    (found,) = differences("不可以由家人代办。", "带上身份证。可以由家人代办。")
    assert (found.yours, found.approved) == ("不可以由家人代办", "可以由家人代办")


def test_what_the_approved_text_does_not_hold_at_all_has_no_other_side() -> None:
    (found,) = differences("办证要5元。", "请联系登记站。")
    assert found == Difference(DifferenceKind.NUMBER, "5元", "")


def test_the_same_difference_is_told_once() -> None:
    assert len(differences("15日内提出。记住，是15日内。", "5日内提出。")) == 1


def test_full_width_and_blanks_make_no_difference() -> None:
    assert differences("请在 １２ 月 ５ 日 前登记，带 ５ 元", "12月5日前登记，带5元") == ()


@pytest.mark.parametrize(
    ("draft", "kinds"),
    [
        ("居民登记到12月5日截止。", []),
        ("居民登记到12月6日截止。", ["date", "calendar"]),
        ("11月28日可以来登记。", []),
        ("登记最后一天是11月28日。", ["date", "calendar"]),
        ("投票日是12月29日。", []),
        ("投票日是12月5日。", ["date", "calendar"]),
        ("名单公布最迟12月9日。", []),
    ],
)
def test_a_day_of_the_calendar_needs_no_other_source(draft: str, kinds: list[str]) -> None:
    found = differences(draft, "请以公告为准。", dates=DATES)
    assert [one.kind.value for one in found] == kinds, found


def test_a_day_that_the_entry_gives_to_something_else_is_held_against_the_calendar() -> None:
    found = differences("投票日是12月5日。", "居民登记12月5日截止。", dates=DATES)
    assert found == (Difference(DifferenceKind.CALENDAR, "12月5日", "12月29日"),)


def values() -> dict[str, str]:
    found = {f"cal.{kind}": text for kind, text in calendar.variables(DATES, TODAY).items()}
    return found | {
        "office.name": "东浦区选举委员会办公室", "office.phone": "0000-12345678", "district": "东浦区",
        "office.address": "东浦区示例路1号", "office.hours": "工作日 8:30–11:30、13:30–17:30",
    }  # fmt: skip


@pytest.mark.parametrize("path", sorted((DATA / "entries").glob("*.yaml")), ids=lambda path: path.stem)
def test_no_entry_that_is_shipped_alarms_at_its_own_words(path: Path) -> None:
    filled = values()
    for row in yaml.safe_load(path.read_text(encoding="utf-8"))["entries"]:
        parts = [
            row["question"],
            row["short"],
            row.get("full", ""),
            *row.get("steps", []),
            *row.get("documents", []),
        ]
        question, short, full, *more = [lint.fill(text, filled) for text in parts]
        basis = [citation["law"] + citation.get("article", "") for citation in row.get("basis", [])]
        approved = "\n".join([question, short, full, *more, *basis, *filled.values()])
        for draft in (
            short,
            full,
            "\n".join([short, full, *more]),
            f"张女士您好！您11月20日来电问的事答复如下：{short}如有疑问请拨打0000-12345678，祝您生活愉快。",
            f"{full or short}以上依据{basis[0] if basis else '公告'}。",
        ):
            assert differences(draft, approved, names=NAMES, dates=DATES) == (), row["no"]
