"""The bench of the post room: everything is really sent, and figures are ratios within one run."""

from __future__ import annotations

from pathlib import Path

import pytest
from sqlalchemy import select

from benchmarks import bench, deliveries
from office.outbox import Delivery, DeliveryState


async def test_both_loops_send_everything(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(deliveries, "GROUPS", 45)
    async with deliveries.post("sqlite", tmp_path, 45) as store:
        assert await deliveries.sent_by_us(store, 45) > 0
        await deliveries._again(store)
        async with store.reading() as session:
            assert set(await session.scalars(select(Delivery.state))) == {DeliveryState.DUE}
        assert await deliveries.sent_bare(store, 45) > 0
        with pytest.raises(RuntimeError, match="0 of 45 left"):
            await deliveries.sent_bare(store, 45)
        assert await deliveries._claim_one(store, 1) > 0


def test_figures_are_ratios(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    for name, small in {"GROUPS": 10, "COUNT": 30, "ROUNDS": 2, "PENDING": 30, "CLAIMS": 4}.items():
        monkeypatch.setattr(deliveries, name, small)
    urgent = deliveries.urgent_figures(("sqlite",))
    monkeypatch.setattr(deliveries, "urgent_figures", lambda: urgent)
    assert bench.main(["deliveries_sqlite", "deliveries_urgent"], as_json=False) == 0
    printed = capsys.readouterr().out
    assert [line.split()[1] for line in printed.splitlines()[:2]] == [
        "deliveries_sqlite",
        "deliveries_urgent",
    ]
    assert "| database | ms_with_many | ms_with_none | ratio |" in printed
    (rate,) = deliveries.figures("sqlite")
    assert (rate["better"], rate["goal"], rate["unit"]) == ("more", 0.5, "deliveries/s")
    assert (urgent[0]["better"], urgent[0]["goal"], urgent[0]["unit"]) == ("less", 2.0, "ms")
    assert urgent[0]["ratio"] == pytest.approx(urgent[0]["ours"] / urgent[0]["reference"], rel=0.02)
