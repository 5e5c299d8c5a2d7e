"""What the audit's page says about acts, facts and states is said in words, whoever adds a new one."""

from __future__ import annotations

import ast
import importlib
import pkgutil
from collections.abc import Awaitable, Callable, Iterator
from datetime import timedelta
from typing import cast as cast_to

import pytest
from sqlalchemy import Enum

from admin.audit import STATES
from knowledge.versions import Entry
from office import audit, words
from office.staff import Staff, speak
from office.store import Base, Store
from tests.admin.conftest import Browser, Clock
from tests.make import Cast, a_ticket, an_entry
from tests.shape.tree import ROOT
from tests.ticketing.tip_world import released, submitted

ROOMS = ("office", "knowledge", "ticketing", "handlers", "admin", "bot")
NOT_FACTS = {"actor", "now", "by", "table", "from", "to", "version"}


def calls() -> Iterator[tuple[ast.Call, str]]:
    """Every call of `audit.record` and `audit.move`, and which of both it is."""
    for room in ROOMS:
        for path in sorted((ROOT / room).rglob("*.py")):
            for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
                called = ast.unparse(node.func) if isinstance(node, ast.Call) else ""
                if isinstance(node, ast.Call) and called in ("audit.record", "audit.move"):
                    yield node, called


def said(key: str) -> bool:
    return all(key in words.catalogue(language) for language in ("zh_CN", "en"))


def test_every_act_and_every_fact_has_words() -> None:
    acts = {
        str(node.args[1].value)
        for node, called in calls()
        if called == "audit.record" and isinstance(node.args[1], ast.Constant)
    }
    facts = {key.arg for node, _ in calls() for key in node.keywords if key.arg} - NOT_FACTS
    assert len(acts) > 60
    assert sorted(act for act in acts if not said(f"act.{act}")) == []
    assert sorted(fact for fact in facts if not said(f"fact.{fact}")) == []


def test_every_state_of_every_table_has_words() -> None:
    for room in ROOMS[:3]:
        for module in pkgutil.walk_packages(importlib.import_module(room).__path__, f"{room}."):
            importlib.import_module(module.name)
    missing = []
    for mapper in Base.registry.mappers:
        kind = mapper.local_table.description
        column = mapper.columns.get("state")
        if column is None or kind in (
            "contact",
            "delivery",
        ):  # set, not moved: no line of the audit names them
            continue
        prefix = STATES.get(kind, f"audit.state.{kind}")
        states = cast_to(Enum, column.type).enums
        missing += [f"{prefix}.{state}" for state in states if not said(f"{prefix}.{state}")]
    assert missing == []


@pytest.mark.parametrize("language", ["zh_CN", "en"])
async def test_a_tip_on_its_way_is_told_in_words(
    store: Store, cast: Cast, clock: Clock, signed_in: Callable[[Staff], Awaitable[Browser]], language: str
) -> None:
    tip = await submitted(store, cast, clock())
    async with store.transaction() as session:
        await speak(session, cast.wang_fang.id, language)
    desk = await signed_in(cast.wang_fang)
    page = (await desk.get("/admin/audit?action=work_tip.")).text
    assert ("起草 → 送审" if language == "zh_CN" else "draft → in review") in page
    assert f'href="/admin/tips/{tip.id}"' in page
    assert f"{tip.title[:24]}</a>" in page
    assert "None" not in page
    assert "in_review" not in page
    assert f">{tip.title[:24]}</a>" in (await desk.get(f"/admin/audit?q=work_tip:{tip.id}")).text


async def test_lines_are_found_by_the_numbers_that_people_know(
    store: Store, cast: Cast, clock: Clock, signed_in: Callable[[Staff], Awaitable[Browser]]
) -> None:
    """And those of a draft that is gone are not taken for the tip that got its row number."""
    async with store.transaction() as session:
        ticket = await a_ticket(session, cast, clock())
        entry = await session.get_one(Entry, (await an_entry(session, cast, clock())).entry_id)
        await audit.record(session, "work_tip.discard", "work_tip:1", actor=audit.SYSTEM, now=clock())
    clock.pass_by(timedelta(hours=1))
    await released(store, cast, clock())
    desk = await signed_in(cast.wang_fang)
    for asked in (ticket.ticket_no, ticket.ticket_no.lower(), f"ticket:{ticket.id}"):
        assert f">{ticket.ticket_no}</a>" in (await desk.get(f"/admin/audit?q={asked}")).text
    assert "发布口径" in (await desk.get(f"/admin/audit?q={entry.entry_no}")).text
    page = (await desk.get("/admin/audit?q=2026年第1期")).text
    assert "签发工作提示" in page
    assert page.count(">2026年第1期</a>") == 4
    assert '<span class="code" title="work_tip:1">work_tip:1</span>' in page
    assert "没有记录" in (await desk.get("/admin/audit?q=K-9999")).text
