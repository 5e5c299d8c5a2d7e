"""The bench of the stations: index and scan are asked the same, and give the same."""

from __future__ import annotations

from typing import Any

import pytest

from benchmarks import bench, stations
from knowledge.station_index import StationIndex


def test_the_same_size_gives_the_same_stations() -> None:
    assert stations.places(50) == stations.places(50)
    assert len({place.code for place in stations.places(3_000)}) == 3_000


def test_the_scan_of_distances_finds_what_the_index_finds() -> None:
    places = stations.places(400)
    index, scan = StationIndex(places), stations.scan_distance(places)
    for latitude, longitude in ((31.0, 121.9), (31.2, 121.7), (40.0, 100.0)):
        scanned: Any = scan((latitude, longitude))
        nearest = [place.id for place, _ in index.near(latitude, longitude)]
        assert [places[number].id for number in scanned.tolist()] == nearest


def test_most_questions_lead_to_the_station_they_were_made_from() -> None:
    places = stations.places(400)
    index = StationIndex(places)
    asked = stations.questions(places, 120)
    right = [place in [found for found, _ in index.by_words(query, limit=20)] for query, place in asked]
    # A misspelt estate may be another one's name.
    assert sum(right) > 0.75 * len(right)


def test_figures_are_ratios_against_scans_with_all_ways_in_a_table(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    for name, value in {"SIZE": 300, "SMALLER": 60, "QUERIES": 40, "ROUNDS": 1, "_BLOCK": 20}.items():
        monkeypatch.setattr(stations, name, value)
    assert bench.main(["stations"], as_json=False) == 0
    printed = capsys.readouterr().out
    assert [line.split()[1] for line in printed.splitlines()[:2]] == ["stations_words", "stations_distance"]
    assert "| distance |" in printed
    figures = stations.figures()
    for figure in figures[:2]:
        assert figure["ratio"] == pytest.approx(figure["ours"] / figure["reference"], rel=0.02)
        assert (figure["better"], figure["goal"]) == ("less", stations.GOALS[figure["name"]])
    rows = figures[2:]
    assert [row["way"] for row in rows][:2] == ["code", "code, as typed"]
    assert rows[0]["to_by_code"] == 1.0
    assert {row["table"] for row in rows} == {"stations"}
