"""Scoring labelled questions."""

import json
from pathlib import Path

import pytest

from knowledge.evaluate import BadLine, Question, build, read_entries, read_questions, render, run
from knowledge.match import Source
from knowledge.text import Lexicon

LEXICON = Lexicon.from_data({})
KEYS = [
    *("n", "in_scope", "out_of_scope", "top1", "top3", "answered", "answered_right", "answered_wrong"),
    *("offered_right", "missed", "out_of_scope_answered", "auroc", "p50_ms", "p99_ms", "build_s"),
]
ENTRIES = [
    {"id": "a", "topic": "card", "question": "选民证丢了怎么办", "phrasings": ["选民证不见了", "补办选民证"]},
    {"id": "b", "topic": "day", "question": "哪一天投票选举", "phrasings": ["选举日是什么时候"]},
    {"id": "c", "topic": "import", "audience": "staff", "question": "批量导入失败怎么处理", "phrasings": []},
]


def write(path: Path, rows: list[object]) -> Path:
    path.write_text("\n".join(json.dumps(row, ensure_ascii=False) for row in rows) + "\n\n", encoding="utf-8")
    return path


def test_figures_are_counted_as_they_are_defined(tmp_path: Path) -> None:
    sources = read_entries(write(tmp_path / "e.jsonl", list(ENTRIES)))
    questions = read_questions(
        write(
            tmp_path / "q.jsonl",
            [
                {"q": "选民证丢了怎么办", "topic": "card", "also": [], "audience": "voter"},  # right
                {"q": "哪一天投票选举", "topic": "elsewhere", "also": ["day"]},  # right by `also`
                {"q": "选举日是什么时候", "topic": "card"},  # answered wrongly
                {"q": "批量导入失败怎么处理", "topic": "import", "audience": "staff"},  # right, staff only
                {"q": "批量导入失败怎么处理", "topic": "import", "audience": "voter"},  # hidden: missed
                {"q": "补办选民证", "topic": "none"},  # answered although out of scope
                {"q": "zzz", "topic": "none"},  # rightly missed
            ],
        )
    )
    index, seconds = build(sources, LEXICON)
    report, details = run(questions, index, seconds)
    assert (report.n, report.in_scope, report.out_of_scope) == (7, 5, 2)
    assert report.answered == round(5 / 7, 4)
    assert report.answered_right == 3 / 5
    assert report.answered_wrong == round(2 / 7, 4)
    assert report.missed == 1 / 5
    assert report.offered_right == 0
    assert report.out_of_scope_answered == 1 / 2
    assert report.top1 == 3 / 5
    assert [detail.outcome for detail in details] == ["hit"] * 4 + ["miss", "hit", "miss"]
    assert [detail.right for detail in details] == [True, True, False, True, False, False, True]
    assert details[0].best == "a"
    assert details[0].best_topic == "card"
    assert report.build_s == round(seconds, 3)


def test_a_right_choice_counts_as_offered(tmp_path: Path) -> None:
    sources = [
        Source(1, "a", "one", "voter", "选民证丢了怎么办", ("一样的问法在这里",)),
        Source(2, "b", "two", "voter", "身份证丢了怎么办", ("一样的问法在这里",)),
    ]
    report, details = run([Question("一样的问法在这里", "two")], build(sources, LEXICON)[0])
    assert report.offered_right == 1
    assert report.answered == report.missed == report.top1 == 0
    assert report.top3 == 1
    assert set(details[0].offered) == {"a", "b"}
    assert details[0].right


def test_auroc_tells_inside_from_outside() -> None:
    index = build([Source(1, "a", "card", "voter", "选民证丢了怎么办")], LEXICON)[0]
    inside, outside = Question("选民证丢了怎么办", "card"), Question("zzz", "none")
    assert run([inside, outside], index)[0].auroc == 1.0
    assert run([Question(inside.q, "none"), Question(outside.q, "card")], index)[0].auroc == 0.0
    assert run([inside, Question(inside.q, "none")], index)[0].auroc == 0.5
    assert run([inside], index)[0].auroc is None


def test_json_has_exactly_the_agreed_keys(tmp_path: Path) -> None:
    report, details = run([], build([], LEXICON)[0])
    assert list(json.loads(report.as_json())) == KEYS
    report, details = run([Question("选民证丢了怎么办", "card")], build([], LEXICON)[0])
    assert json.loads(details[0].as_json()) == {
        "q": "选民证丢了怎么办",
        "outcome": "miss",
        "best": None,
        "best_topic": None,
        "probability": 0.0,
        "offered": [],
        "right": False,
    }


def test_the_table_shows_every_figure() -> None:
    report, _ = run([Question("选民证丢了怎么办", "card")], build([], LEXICON)[0])
    lines = render(report).splitlines()
    assert len(lines) == len(KEYS) + 5
    assert any("未命中" in line and line.endswith("100.0%") for line in lines)


@pytest.mark.parametrize(
    ("line", "reason"),
    [
        ("{", "not JSON"),
        ("[]", "not a JSON object"),
        ('{"topic": "card"}', "'q'"),
        ('{"q": " ", "topic": "card"}', "'q'"),
        ('{"q": "什么", "topic": 3}', "'topic'"),
        ('{"q": "什么", "topic": "card", "also": "day"}', "'also'"),
        ('{"q": "什么", "topic": "card", "audience": "public"}', "audience"),
    ],
)
def test_a_bad_line_is_named(tmp_path: Path, line: str, reason: str) -> None:
    path = tmp_path / "questions.jsonl"
    path.write_text('{"q": "什么时候投票", "topic": "day"}\n\n' + line + "\n", encoding="utf-8")
    with pytest.raises(BadLine) as error:
        read_questions(path)
    assert f"{path}:3:" in str(error.value)
    assert reason in str(error.value)


def test_an_entry_twice_is_refused(tmp_path: Path) -> None:
    path = write(tmp_path / "e.jsonl", [ENTRIES[0], ENTRIES[0]])
    with pytest.raises(BadLine, match="twice"):
        read_entries(path)


def test_bytes_that_are_not_text_are_a_bad_line(tmp_path: Path) -> None:
    path = tmp_path / "q.jsonl"
    path.write_bytes(b'{"q": "\xff", "topic": "card"}\n')
    with pytest.raises(BadLine, match=":1:"):
        read_questions(path)
