"""The bench of the matcher: its figures are computed as its documents say, and its peers stay outside."""

from __future__ import annotations

import json
import math
import re
import sys
from importlib.util import find_spec
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest

from benchmarks import bench, grown, match, memory, peers, quality
from knowledge.evaluate import Question
from knowledge.match import Index, Source
from tests.servers.cache import ROOT

WRONG, RIGHT, UNANSWERED = False, True, -math.inf
OUTSIDE = ("bm25s", "rjieba", "sklearn", "tantivy")

SOURCES = [
    Source(1, "K-0001", "lost", "voter", "选民证丢了怎么办", ("选民证不见了怎么补", "找不到选民证了")),
    Source(2, "K-0002", "day", "voter", "选举日是哪一天", ("什么时候投票", "哪天去投票")),
    Source(3, "K-0003", "import", "staff", "批量导入失败怎么办", ("导入模板报错怎么处理",)),
]
ASKED = [
    Question("选民证不见了怎么办", "lost"),
    Question("哪一天去投票", "day"),
    Question("批量导入失败怎么处理", "import", audience="staff"),
    Question("批量导入失败怎么处理", "none"),
    Question("你好", "none"),
]


# --- coverage and AUROC ---------------------------------------------------------------------------


def test_coverage_is_the_best_threshold_that_keeps_the_share_of_wrong_answers() -> None:
    scores = [0.9, 0.8, 0.7, 0.6, 0.5]
    right = [RIGHT, RIGHT, WRONG, RIGHT, WRONG]
    assert quality.coverage(scores, right, 5, 0.0) == 2 / 5
    assert quality.coverage(scores, right, 5, 0.24) == 2 / 5
    # One wrong in four: the threshold after the third right one.
    assert quality.coverage(scores, right, 5, 0.25) == 3 / 5
    assert quality.coverage(scores, right, 10, 0.25) == 3 / 10


def test_a_wrong_first_answer_does_not_forbid_a_lower_threshold() -> None:
    right = [WRONG, *[RIGHT] * 99]
    assert quality.coverage(range(100, 0, -1), right, 99, 0.01) == 1.0
    assert quality.coverage(range(100, 0, -1), right, 99, 0.009) == 0.0


def test_equal_scores_are_answered_together() -> None:
    assert quality.coverage([1.0, 1.0, 0.5], [RIGHT, WRONG, RIGHT], 3, 0.0) == 0.0
    assert quality.coverage([1.0, 0.5, 0.5], [RIGHT, WRONG, RIGHT], 3, 0.0) == 1 / 3


def test_what_found_nothing_is_never_answered() -> None:
    assert quality.coverage([0.5, UNANSWERED], [RIGHT, WRONG], 1, 0.0) == 1.0
    assert quality.coverage([UNANSWERED], [RIGHT], 1, 1.0) == 0.0
    assert quality.coverage([], [], 0, 0.0) == 0.0


def test_auroc() -> None:
    assert quality.auroc([0.9, 0.8, 0.1], [True, True, False]) == 1.0
    assert quality.auroc([0.1, 0.9], [True, False]) == 0.0
    assert quality.auroc([0.5, 0.5], [True, False]) == 0.5
    assert quality.auroc([0.9, 0.3, 0.5, UNANSWERED], [True, True, False, False]) == 0.75
    assert quality.auroc([0.9], [True]) is None


# --- methods --------------------------------------------------------------------------------------


def test_our_ranking_and_a_peers_see_what_the_asker_may_see() -> None:
    ours = quality.measure(ASKED, quality.ours(Index(SOURCES, grown.lexicon())))
    asked = peers.PEERS["RapidFuzz ratio"](grown.texts(SOURCES)[0])
    theirs = quality.measure(ASKED, quality.theirs(asked, SOURCES))
    for measured in (ours, theirs):
        assert measured.n == 5
        assert measured.top1 == measured.top3 == 1.0
        assert 0 < measured.p50_ms <= measured.p99_ms
    voter = quality.theirs(asked, SOURCES)(ASKED[3])
    assert {source.entry_no for source, _ in voter} == {"K-0001", "K-0002"}


def test_an_entry_scores_as_its_best_phrasing() -> None:
    rank = quality.theirs(lambda question, limit: [(4, 9.0), (0, 7.0), (1, 5.0), (2, 3.0)], SOURCES)
    assert [(source.entry_no, score) for source, score in rank(ASKED[0])] == [
        ("K-0002", 9.0),
        ("K-0001", 7.0),
    ]


def test_another_topic_may_answer_as_well() -> None:
    found = [(SOURCES[1], 1.0)]
    assert quality.answers(Question("何时", "other", ("day",)), found)
    assert not quality.answers(Question("何时", "other"), found)
    assert not quality.answers(Question("何时", "none", ("day",)), found)


@pytest.mark.parametrize("name", peers.PEERS)
def test_a_peer_ranks_phrasings(name: str) -> None:
    try:
        ask = peers.PEERS[name](["选民登记要带什么", "投票那天在外地", "选举日是哪一天"])
    except ImportError:
        # Right in the tests' environment; `manage.py bench` has them all.
        assert name not in ("RapidFuzz ratio", "RapidFuzz WRatio", "SQLite FTS5, bigrams")
        return
    for question, place in (("登记要带什么东西", 0), ("投票的时候我在外地", 1), ("哪一天是选举日", 2)):
        found = ask(question, 2)
        assert found[0][0] == place
        assert len(found) <= 2
        assert all(one[1] >= two[1] for one, two in pairwise(found))
    for odd in ("", "？", '" OR *', "🙂", "qq"):
        assert all(score >= 0 for _, score in ask(odd, 2))


def test_bigrams() -> None:
    assert peers.bigrams("Ａb，c") == ["ab", "bc"]
    assert peers.bigrams("证") == ["证"]
    assert peers.bigrams("？") == []


# --- data -----------------------------------------------------------------------------------------


@pytest.mark.parametrize("size", [300, 3_000])
def test_a_grown_base_has_its_size_and_is_the_same_each_time(size: int) -> None:
    made = grown.sources(size)
    phrasings, owners = grown.texts(made)
    assert len(phrasings) == len(owners) == size
    assert made == grown.sources(size)
    assert made[owners[-1]] == made[-1]
    assert len(set(phrasings)) > size * 0.95
    asked = grown.questions(phrasings, 20)
    assert asked == grown.questions(phrasings, 20)
    assert len(set(asked)) > 15


@pytest.mark.skipif(sys.platform != "linux", reason="reads what Linux tells of a process")
def test_memory_is_measured_in_a_process_of_its_own() -> None:
    found = memory.measure("SQLite FTS5, bigrams", 300)
    assert set(found) == {"index_mb", "peak_mb", "build_s"}
    assert 0 < found["index_mb"] < 50
    assert found["peak_mb"] >= found["index_mb"] - 1


# --- the command ----------------------------------------------------------------------------------


@pytest.fixture
def files(tmp_path: Path) -> tuple[Path, Path]:
    """Entries and questions in the format of `manage.py evaluate`."""
    entries, questions = tmp_path / "entries.jsonl", tmp_path / "questions.jsonl"
    entries.write_text(
        "\n".join(
            json.dumps({"id": s.entry_no, "topic": s.topic, "question": s.question, "phrasings": s.phrasings})
            for s in SOURCES
        ),
        encoding="utf-8",
    )
    questions.write_text("\n".join(json.dumps({"q": q.q, "topic": q.topic}) for q in ASKED), encoding="utf-8")
    return entries, questions


def test_quality_on_other_data(files: tuple[Path, Path], capsys: pytest.CaptureFixture[str]) -> None:
    entries, questions = files
    assert bench.main(["match"], as_json=True, entries=entries, questions=questions) == 0
    rows: list[dict[str, Any]] = json.loads(capsys.readouterr().out)
    table = [row for row in rows if row["table"] == "quality"]
    assert [row["method"] for row in table][:3] == [memory.OURS, match.TRAINED, peers.REFERENCE]
    assert all(row["n"] == 5 for row in table)
    assert {"coverage_1%", "coverage_2%", "coverage_5%", "auroc"} <= set(table[0])
    assert [row["n"] for row in rows if row["table"] == "own thresholds"] == [5, 5]
    assert bench.main(["match"], as_json=False, entries=entries, questions=questions) == 0
    assert re.search(r"^\| One Window \| 5 \| 1\.0 \|", capsys.readouterr().out, re.MULTILINE)


@pytest.mark.parametrize("names", [["match"], ["questions"], []])
def test_files_that_do_not_fit_are_refused(
    names: list[str], files: tuple[Path, Path], capsys: pytest.CaptureFixture[str]
) -> None:
    entries, questions = files
    lone = questions if names != ["match"] else None
    assert bench.main(names, as_json=True, entries=entries, questions=lone) == 2
    assert "belong together" in capsys.readouterr().err
    broken = questions.with_name("broken.jsonl")
    broken.write_text("{", encoding="utf-8")
    assert bench.main(["match"], as_json=True, entries=entries, questions=broken) == 2
    assert "broken.jsonl:1" in capsys.readouterr().err


def test_ratios_and_tables_are_shown() -> None:
    figure = match._time_figure(3_000, {"One Window": {"p50_ms": 0.9}, "RapidFuzz ratio": {"p50_ms": 0.3}})
    slow = match._time_figure(30_000, {"One Window": {"p50_ms": 3.0}, "RapidFuzz ratio": {"p50_ms": 2.9}})
    free = match._time_figure(300, {"One Window": {"p50_ms": 1.0}, "RapidFuzz ratio": {"p50_ms": 0.1}})
    text = bench.render([figure, slow, free, {"table": "time", "method": "One Window", "auroc": None}])
    assert figure["ratio"] == 3.0
    assert text.splitlines()[0].startswith("✓ match ")
    assert text.splitlines()[1].startswith("✗ match ")
    assert "· match" in text.splitlines()[2]
    assert "ratio 10 (no goal)" in text.splitlines()[2]
    assert text.endswith("time:\n\n| method | auroc |\n|---|---|\n| One Window | — |")


# --- peers stay outside ---------------------------------------------------------------------------


def test_neither_the_service_nor_its_tests_need_a_peer() -> None:
    for file in ("requirements.txt", "requirements-dev.txt"):
        pinned = re.findall(r"^([a-z0-9-]+)==", (ROOT / file).read_text(encoding="utf-8"), re.MULTILINE)
        assert "rapidfuzz" in pinned
        assert not {"bm25s", "scikit-learn", "tantivy"} & set(pinned)
    importing = [
        path.name
        for path in (ROOT / "benchmarks").glob("*.py")
        if re.search(rf"^\s*(?:import|from) (?:{'|'.join(OUTSIDE)})\b", path.read_text("utf-8"), re.MULTILINE)
    ]
    assert not importing, "a peer is imported by name, only when it is built"


def test_the_bench_s_requirements_are_pinned_by_hash_and_agree_with_the_others() -> None:
    files = {
        name: (ROOT / name).read_text(encoding="utf-8")
        for name in ("requirements-bench.txt", "requirements-dev.txt")
    }
    pinned = {
        name: dict(re.findall(r"^([a-z0-9-]+)==(\S+) *(?:;[^\\]*)?\\$", text, re.MULTILINE))
        for name, text in files.items()
    }
    bench_pins, dev_pins = pinned.values()
    assert {"bm25s", "mutmut", "rjieba", "scikit-learn", "tantivy"} <= set(bench_pins)
    assert not {name for name, version in bench_pins.items() if dev_pins.get(name, version) != version}
    assert "://" not in re.sub(r"^\s*#.*$", "", files["requirements-bench.txt"], flags=re.MULTILINE)
    assert "index-url" not in files["requirements-bench.txt"]
    assert files["requirements-bench.txt"].count("--hash=sha256:") > len(bench_pins)


def test_what_is_missing_is_left_out(monkeypatch: pytest.MonkeyPatch) -> None:
    def missing(phrasings: object) -> peers.Ask:
        raise ImportError

    monkeypatch.setitem(peers.PEERS, "BM25, jieba words (bm25s)", missing)
    rows = match._quality_rows(SOURCES, ASKED)
    assert "BM25, jieba words (bm25s)" not in [row.get("method") for row in rows]
    assert "RapidFuzz ratio" in [row.get("method") for row in rows]
    assert find_spec("rapidfuzz") is not None
