"""The accuracy report: counts by topic, kind and audience, and silence about sealed words."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from knowledge import report
from knowledge.evaluate import Detail, Question
from knowledge.evaluate import run as evaluated
from knowledge.match import Index, Source
from knowledge.replay import Case, Figures
from knowledge.text import Lexicon

NOW = datetime(2026, 11, 20, 8, 30, tzinfo=UTC)
SOURCES = [
    Source(1, "K-0540", "voter_card", "voter", "选民证丢了怎么办", ("选民证不见了", "补办选民证")),
    Source(2, "K-0400", "vote_day", "voter", "哪一天投票选举", ("选举日是什么时候",)),
    Source(3, "K-1100", "st_import", "staff", "批量导入失败怎么处理", ()),
]
CASES = (
    Case("选民证丢了怎么办", "voter_card", kind="plain"),  # right
    Case("哪一天投票选举", "elsewhere", ("vote_day",), kind="plain"),  # right, by a further topic
    Case("选举日是什么时候", "voter_card", kind="typo"),  # answered wrongly
    Case("批量导入失败怎么处理", "st_import", audience="staff", kind="plain"),  # right
    Case("批量导入失败怎么处理", "st_import", kind="short"),  # hidden from voters: no help
    Case("补办选民证", "none", kind="near"),  # answered although out of scope
    Case("zzz", "none"),  # rightly silent
    Case("选民证不见了", "vote_day", kind="typo", sealed=True),  # answered wrongly, and sealed
    Case("密封的一句话", "voter_card", sealed=True),  # no help, and sealed
)


@pytest.fixture(scope="module")
def index() -> Index:
    return Index(SOURCES, Lexicon.from_data({}))


@pytest.fixture(scope="module")
def made(index: Index) -> report.AccuracyReport:
    return report.measure(index, CASES, made_at=NOW, base_revision=7)


def detail(outcome: str, right: bool) -> Detail:
    return Detail("", outcome, None, None, 0.0, (), right, right)


def test_both_halves_and_the_whole_are_counted(made: report.AccuracyReport) -> None:
    assert made.open.figures == Figures(asked=7, in_scope=5, right=3, unresolved=1, wrong=2, astray=1)
    assert made.sealed.figures == Figures(asked=2, in_scope=2, unresolved=1, wrong=1)
    assert made.whole == Figures(asked=9, in_scope=7, right=3, unresolved=2, wrong=3, astray=1)
    assert made.open.measured.n == 7
    assert made.sealed.measured.out_of_scope == 0
    assert made.release == report.Release(NOW, 3, made.release.model_digest, 7)
    assert len(made.release.model_digest) == 64


def test_topics_are_in_scope_and_the_worst_lead(made: report.AccuracyReport) -> None:
    assert [(row.name, row.figures.asked) for row in made.topics] == [
        ("vote_day", 1), ("voter_card", 3), ("st_import", 2), ("elsewhere", 1),
    ]  # fmt: skip
    assert made.topics[1].figures == Figures(asked=3, in_scope=3, right=1, unresolved=1, wrong=1)


def test_kinds_hold_the_questions_out_of_scope_too(made: report.AccuracyReport) -> None:
    kinds = {row.name: row.figures for row in made.kinds}
    assert kinds["near"] == Figures(asked=1, in_scope=0, wrong=1, astray=1)
    assert kinds["other"] == Figures(asked=2, in_scope=1, unresolved=1)
    assert sum(figures.asked for figures in kinds.values()) == len(CASES)
    assert {row.name: row.figures.asked for row in made.audiences} == {"voter": 8, "staff": 1}


def test_open_faults_are_told_with_what_was_shown_and_why(made: report.AccuracyReport) -> None:
    assert [fault.question.q for fault in made.wrong] == ["选举日是什么时候", "补办选民证"]
    (shown,) = made.wrong[0].shown
    assert (shown.entry_no, shown.question, shown.reasons) == ("K-0400", "哪一天投票选举", ("一字不差",))
    assert shown.probability == 0.99
    assert [(fault.question.q, fault.outcome) for fault in made.missed] == [("批量导入失败怎么处理", "miss")]
    assert "K-1100" not in {one.entry_no for one in made.missed[0].shown}


def test_sealed_words_are_nowhere(made: report.AccuracyReport) -> None:
    told = repr(made) + made.as_markdown()
    for case in CASES:
        if case.sealed:
            assert case.q not in told, case.q
    assert "补办选民证" in told


@pytest.mark.parametrize(
    ("topic", "outcome", "right", "counted"),
    [
        ("voter_card", "hit", True, Figures(1, 1, right=1)),
        ("voter_card", "hit", False, Figures(1, 1, wrong=1)),
        ("voter_card", "near", True, Figures(1, 1, offered=1)),
        ("voter_card", "near", False, Figures(1, 1, unresolved=1)),
        ("voter_card", "miss", False, Figures(1, 1, unresolved=1)),
        ("none", "hit", False, Figures(1, 0, wrong=1, astray=1)),
        ("none", "near", False, Figures(1, 0)),
        ("none", "miss", True, Figures(1, 0)),
    ],
)
def test_every_question_is_counted_once(topic: str, outcome: str, right: bool, counted: Figures) -> None:
    assert report.tally([Question("", topic)], [detail(outcome, right)]) == counted


def test_of_rows_equally_bad_the_wrong_answer_leads_then_the_name() -> None:
    questions = [Question("", topic) for topic in ("c", "b", "a", "d")]
    details = [detail("miss", False), detail("hit", False), detail("miss", False), detail("hit", True)]
    assert [row.name for row in report.rows(questions, details, lambda q: q.topic)] == ["b", "a", "c", "d"]
    assert report.badly(Figures()) == 0.0


def test_counts_agree_with_what_the_evaluation_says(index: Index, made: report.AccuracyReport) -> None:
    asked = [Question(c.q, c.topic, c.also, c.audience) for c in CASES if not c.sealed]
    figures, measured = made.open.figures, evaluated(asked, index)[0]
    assert measured.answered_right == figures.right / figures.in_scope
    assert measured.answered_wrong == round(figures.wrong / figures.asked, 4)
    assert measured.out_of_scope_answered == figures.astray / (figures.asked - figures.in_scope)


def test_page_says_what_was_measured_and_every_table(made: report.AccuracyReport) -> None:
    page = made.as_markdown({"voter_card": "选民证"})
    assert page.startswith("# Accuracy report\n")
    assert "Base: revision 7, 3 entries." in page
    assert "Measured: 2026-11-20 08:30 UTC." in page
    assert "| open | 7 | 5 | 3 (60.0%) | 0 (0.0%) | 1 (20.0%) | 2 (28.6%) | 2 | 1 (50.0%) |" in page
    assert "| sealed | 2 | 2 | 0 (0.0%) | 0 (0.0%) | 1 (50.0%) | 1 (50.0%) | 0 | — |" in page
    assert "| voter_card 选民证 | 3 | 3 | 1 (33.3%) | 0 (0.0%) | 1 (33.3%) | 1 (33.3%) | 0 | — |" in page
    assert "- 选举日是什么时候 (voter_card) → answered: K-0400 哪一天投票选举 (0.99: 一字不差)" in page
    assert all(line.count("|") in (0, 4, 10) for line in page.splitlines())


def test_base_of_the_files_has_no_revision_and_no_questions_make_an_empty_report(index: Index) -> None:
    empty = report.measure(index, (), made_at=NOW)
    assert empty.whole == Figures()
    page = empty.as_markdown()
    assert "Base: the shipped files, 3 entries." in page
    assert page.count("None.") == 2


def test_line_breaks_and_bars_in_a_question_do_not_break_the_page(index: Index) -> None:
    asked = report.measure(index, [Case("补办|\n选民证", "none")], made_at=NOW)
    assert "- 补办/ 选民证 (none) → answered: K-0540" in asked.as_markdown()
