"""The accuracy report of the base in force, measured when somebody looks and kept until the base changes."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from datetime import date, datetime
from typing import Annotated, Any

from fastapi import APIRouter, Depends
from fastapi.responses import Response
from sqlalchemy import select

from admin import times, tried
from admin.pages import Desk, signed_in
from knowledge import base, calendar, golden, report, versions
from knowledge.live import lexicon
from knowledge.match import Index
from knowledge.model import Model
from knowledge.outcomes import Source
from knowledge.replay import Case, Figures
from knowledge.report import AccuracyReport, Fault, Row
from knowledge.versions import Entry, EntryVersion, topics
from office import units
from office.staff import Permission
from office.units import Unit, contains

router = APIRouter(prefix="/accuracy")
Reading = Annotated[Desk, Depends(signed_in(Permission.SEE_ENTRIES))]

MOST_FAULTS = 200
# What the order of probabilities tells, whatever the thresholds are.
# At most 1 % wrong is left out: on some hundred questions one confident mistake makes it nothing at all.
_ORDER = ("top1", "top3", "coverage_2", "coverage_5")
# As many rows of a long list stand open; the rest is folded.
_OPEN_ROWS = 5
_TONES = {"hit": "danger", "near": "info", "miss": "neutral"}


@router.get("")
async def show(desk: Reading) -> Response:
    """The report; the first to look after a change of base, model or questions waits for it some seconds."""
    live = desk.services.live
    await live.refresh(desk.session)
    revision = await versions.revision(desk.session)
    sources = await _in_force(desk, calendar.today(desk.now))
    cases = await golden.cases(desk.session)
    # No connection waits while all questions are asked.
    await desk.session.close()
    made = await measured(sources, cases, live.index.model, revision=revision, now=desk.now)
    halves = (made.open, made.sealed)
    return desk.render(
        "console/accuracy.html",
        stamp={
            "revision": made.release.base_revision,
            "entries": made.release.entries,
            "model": made.release.model_digest[:12],
            "at": times.moment(made.release.made_at, desk.frame.language),
        },
        halves=[
            _row(desk.t("accuracy.open"), made.open.figures),
            _row(desk.t("accuracy.sealed"), made.sealed.figures),
            _row(desk.t("accuracy.whole"), made.whole),
        ],
        order=[
            (desk.t(f"accuracy.{name}"), *(_share(getattr(half.measured, name)) for half in halves))
            for name in _ORDER
        ],
        topics=_rows(made.topics, _topic),
        kinds=_rows(made.kinds, lambda name: desk.t_or(f"accuracy.kind_{name}", name)),
        audiences=_rows(made.audiences, lambda name: desk.t(f"audience.{name}")),
        wrong=[_fault(desk, fault) for fault in made.wrong[:MOST_FAULTS]],
        missed=[_fault(desk, fault) for fault in made.missed[:MOST_FAULTS]],
        open_rows=_OPEN_ROWS,
        counts={"wrong": len(made.wrong), "missed": len(made.missed)},
    )


async def measured(
    sources: tuple[Source, ...], cases: tuple[Case, ...], model: Model, *, revision: int, now: datetime
) -> AccuracyReport:
    """The report on these entries: the kept one if nothing has changed, else made in a thread."""
    key = (sources, cases, model.digest, revision)
    async with _ALONE:
        if key not in _kept:
            made = await asyncio.to_thread(_measure, sources, cases, model, revision, now)
            _kept.clear()  # one base is in force at a time
            _kept[key] = made
        return _kept[key]


_ALONE = asyncio.Lock()
_kept: dict[tuple[tuple[Source, ...], tuple[Case, ...], str, int], AccuracyReport] = {}


def _measure(
    sources: tuple[Source, ...], cases: tuple[Case, ...], model: Model, revision: int, now: datetime
) -> AccuracyReport:
    index = Index(sources, lexicon(), model)
    return report.measure(index, cases, made_at=now, base_revision=revision)


async def _in_force(desk: Desk, today: date) -> tuple[Source, ...]:
    """What somebody of the election office's own district is answered with today."""
    here = (await units.election_office(desk.session)).path
    rows = await desk.session.execute(
        select(EntryVersion, Unit.path)
        .join(Entry, Entry.published_id == EntryVersion.id)
        .join(Unit, Unit.id == EntryVersion.scope_unit_id)
    )
    held = {version.entry_id for version, path in rows if version.covers(today) and contains(path, here)}
    return tuple(source for source in await base.sources(desk.session) if source.entry_id in held)


def _rows(listed: Sequence[Row], label: Callable[[str], str]) -> list[dict[str, Any]]:
    return [_row(label(row.name), row.figures) for row in listed]


def _row(label: str, figures: Figures) -> dict[str, Any]:
    outside = figures.asked - figures.in_scope
    inside = {
        name: _of(getattr(figures, name), figures.in_scope) for name in ("right", "offered", "unresolved")
    }
    return {
        "label": label,
        "asked": figures.asked,
        "in_scope": figures.in_scope,
        **inside,
        "wrong": _of(figures.wrong, figures.asked),
        "astray": _of(figures.astray, outside),
        "outside": outside,
        "bad": figures.wrong > 0,
    }


def _fault(desk: Desk, fault: Fault) -> dict[str, Any]:
    replaced = tried.said_and_meant(fault.question.q, lexicon())
    return {
        "q": fault.question.q,
        "staff": fault.question.audience == "staff",
        "topic": _topic(fault.question.topic) if fault.question.in_scope else desk.t("golden.none"),
        "how": desk.t(f"check.{fault.outcome}"),
        "tone": _TONES[fault.outcome],
        "closest": fault.outcome == "miss",
        "shown": [
            {
                "no": one.entry_no,
                "question": one.question,
                "probability": f"{one.probability:.1%}",
                "reasons": tried.reasons(desk, one.reasons, replaced),
            }
            for one in fault.shown
        ],
    }


def _topic(name: str) -> str:
    return topics()[name].meaning if name in topics() else name


def _of(count: int, whole: int) -> dict[str, str]:
    return {"n": str(count), "share": f"{count / whole:.1%}"} if whole else {"n": "—", "share": ""}


def _share(value: float) -> str:
    return f"{value:.1%}"
