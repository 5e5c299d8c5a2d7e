"""The bench of the helpdesk: both desks are asked for the same pages, and figures are ratios of these."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from benchmarks import bench, desk, desk_rows
from office.staff import Staff
from ticketing import queue
from ticketing.filters import ALL_STATES, Filter


@pytest.fixture
def small(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    sizes = {"MANY": 60, "FEW": 20, "OPEN_OF_MANY": 12, "OPEN_OF_FEW": 6, "ROUNDS": 1, "PAGES": 2}
    for name, value in sizes.items():
        monkeypatch.setattr(desk, name, value)
    figures = desk.figures
    figures.cache_clear()
    yield
    figures.cache_clear()


async def test_a_filled_desk_can_be_worked_on_and_searched(tmp_path: Path) -> None:
    async with desk.desk("sqlite", tmp_path, 30, 10) as found:
        store = found.app.state.services.store
        officer: Staff = found.filled.officer
        async with store.reading() as session:
            rows, total = await queue.listed(session, officer, Filter(), now=desk.NOW)
            assert (len(rows), total) == (10, 10)
            assert {ticket.id for ticket, _ in rows} == set(found.filled.open)
            for words, expected in (
                (found.filled.only, 1),
                (found.filled.number, 1),
                ("登记", 1),
                ("没有的话", 0),
            ):
                wanted = Filter(states=ALL_STATES, search=words)
                _, total = await queue.listed(session, officer, wanted, now=desk.NOW)
                assert total >= expected, words
                assert bool(total) is bool(expected)
        for kinds in desk.addresses(found.filled).values():
            for pages in kinds.values():
                assert await found.get(pages[0]) > 0
        with pytest.raises(RuntimeError, match="404"):
            await found.get("/admin/tickets/404")


def test_the_same_number_is_the_same_estate() -> None:
    assert desk_rows.estate(3) == desk_rows.estate(3)
    assert len({desk_rows.estate(number) for number in range(200)}) > 150


def test_figures_are_ratios_with_every_kind_of_page_in_a_table(
    small: None, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    figures = desk.figures(("sqlite",))
    monkeypatch.setattr(desk, "figures", lambda: figures)
    names = ["tickets_queue", "tickets_search", "tickets_page"]
    assert bench.main(names, as_json=False) == 0
    printed = capsys.readouterr().out
    assert [line.split()[1] for line in printed.splitlines()[:3]] == names
    assert "| figure | database | page | ms_at_many | ms_at_few | ratio |" in printed
    for figure in figures[:3]:
        assert (figure["better"], figure["goal"], figure["unit"]) == ("less", 2.0, "ms")
        assert figure["ratio"] == pytest.approx(figure["ours"] / figure["reference"], rel=0.02)
    assert {row["page"] for row in figures[3:]} == {*desk.VIEWS, *desk.SEARCHES, "a ticket"}
