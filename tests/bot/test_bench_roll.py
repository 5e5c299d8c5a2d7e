"""The benches of the roll: ours and the reference are given the same rows, and figures are ratios."""

from __future__ import annotations

from pathlib import Path

import pytest

from benchmarks import bench, roll
from knowledge.roll import keys

KEY = keys.make("东浦区2026").digest


def test_the_reference_digests_the_names_and_numbers_of_the_file(tmp_path: Path) -> None:
    roll.write(tmp_path / "roll.csv", 200)
    lines = (tmp_path / "roll.csv").read_text(encoding="utf-8").splitlines()[1:]
    expected = [KEY.prefix("identity") + "\x1f".join(line.split(",")[1:3]).encode() for line in lines]
    assert list(roll.messages(tmp_path / "roll.csv", KEY)) == expected
    assert len(expected) == 200


def test_building_is_a_ratio_with_the_memory_it_takes_in_a_table(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    for name, value in {"ROWS": 600, "ROUNDS": 1, "SIZES": (300,)}.items():
        monkeypatch.setattr(roll, name, value)
    figures = roll.figures()
    monkeypatch.setitem(bench.BENCHES, "roll_build", lambda: figures)
    assert bench.main(["roll_build"], as_json=False) == 0
    printed = capsys.readouterr().out
    assert "| rows | workers | parent_mb | worker_mb | growth | seconds |" in printed
    for figure, name in zip(figures, ("roll_build", "roll_build_processor"), strict=False):
        assert (figure["name"], figure["better"], figure["goal"]) == (name, "more", 0.6)
        assert figure["ratio"] == pytest.approx(figure["ours"] / figure["reference"], abs=0.001)
    assert [row["rows"] for row in figures[2:]] == [300]
    assert figures[2]["growth"] == 1.0
