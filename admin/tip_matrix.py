"""Units beside the last work tips: who has read which, as a page and as a file; and whom to remind."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from typing import Annotated, Any

from fastapi import APIRouter, Depends
from fastapi.responses import Response
from sqlalchemy import or_, select

from admin import tip_readers
from admin.downloads import attached
from admin.pages import Desk, Refusal, signed_in
from admin.replay import Aside
from knowledge import tip_receipts, tip_words, tips
from knowledge.tip_receipts import Board
from knowledge.tips import TipState, WorkTip
from office import staff
from office.staff import Permission
from office.units import Unit, contains
from ticketing import export_rows, exports, tip_coverage
from ticketing.export_rows import Form, Sheet
from ticketing.tip_coverage import WITHOUT, Cover

router = APIRouter(prefix="/tips/board")
Reading = Annotated[Desk, Depends(signed_in(Permission.SEE_ENTRIES))]
Exporting = Annotated[Desk, Depends(Aside(Permission.EXPORT_TICKETS))]
Covers = Mapping[tuple[int, int], Cover]
MOST = 10
WHAT = "tip_board"


@router.get("")
async def show(desk: Reading) -> Response:
    """The last ten tips; of the units those within the reader's reach."""
    return await _page(desk)


@router.post("/export")
async def export(desk: Exporting) -> Response:
    """The same as a CSV file, noted and marked as every export."""
    desk.on_refusal(_page)
    board, within, covers = await _found(desk)
    sheet = _sheet(desk, board, within, covers)
    person, now, numbers = desk.person, desk.now, [tip.id for tip in board.tips]
    await desk.session.close()
    async with desk.services.store.transaction() as session:
        snapshot = await exports.make(
            session, WHAT, sheet, form=Form.CSV, filters={"tips": numbers}, purpose="", actor=person, now=now
        )
    content = await asyncio.to_thread(exports.file, snapshot, Form.CSV)
    title = f"{sheet.title} {snapshot.marks.snapshot}"
    return attached(content, exports.file_name(WHAT, snapshot, Form.CSV), title)


async def _page(desk: Desk, refusal: Refusal | None = None) -> Response:
    board, within, covers = await _found(desk)
    return desk.render(
        "console/tip_matrix.html",
        status=refusal.status if refusal else 200,
        here="/admin/tips/board",
        error=refusal.words if refusal else "",
        tips=[
            {
                "id": tip.id,
                "number": tip_words.short_number(tip),
                "title": tip.title,
                "note": desk.t(f"tips.state_{tip.state}") if tip.state is not TipState.RELEASED else "",
                "read": sum(1 for unit in board.units if board.owed(unit, tip) and board.cell(unit, tip)),
                "addressed": sum(1 for unit in board.units if board.owed(unit, tip)),
            }
            for tip in board.tips
        ],
        rows=[
            {"unit": unit.name, "cells": [_cell(desk, board, covers, unit, tip) for tip in board.tips]}
            for unit in within
        ],
        partly=len(within) < len(board.units),
        chase=_chase(desk, board, covers, within),
        may_export=desk.may(Permission.EXPORT_TICKETS) and bool(within),
    )


async def _found(desk: Desk) -> tuple[Board, list[Unit], Covers]:
    rows = await desk.session.scalars(
        select(WorkTip)
        .where(WorkTip.state.in_(tips.NUMBERED), WorkTip.receipt_wanted.is_(True))
        .where(or_(WorkTip.send_at.is_(None), WorkTip.send_at <= desk.now))
        .order_by(WorkTip.year.desc(), WorkTip.issue_no.desc())
        .limit(MOST)
    )
    board = await tip_receipts.board(desk.session, rows.all())
    reach = await staff.reach(desk.session, desk.person)
    covers = await tip_coverage.covers(desk.session, board.tips)
    return board, [unit for unit in board.units if contains(reach, unit.path)], covers


def _cell(desk: Desk, board: Board, covers: Covers, unit: Unit, tip: WorkTip) -> dict[str, str]:
    """Read and when, or not read and, where the tip did not come to the unit either, why not."""
    if not board.owed(unit, tip):
        return {"kind": "none", "words": ""}
    receipt = board.cell(unit, tip)
    if receipt is None:
        return {"kind": "unread", "words": _not_there(desk, covers[(unit.id, tip.id)])}
    return {"kind": "read", "words": tip_receipts.when(receipt, desk.now)}


def _not_there(desk: Desk, cover: Cover) -> str:
    return tip_readers.cover_words(desk, cover) if cover in WITHOUT else ""


def _chase(desk: Desk, board: Board, covers: Covers, within: Sequence[Unit]) -> list[dict[str, Any]]:
    """The units that still owe a receipt of a tip that stands; who owes most comes first."""
    standing = [tip for tip in board.tips if tip.state is TipState.RELEASED]
    found = []
    for unit in within:
        owed = [tip for tip in standing if board.owed(unit, tip) and board.cell(unit, tip) is None]
        if owed:
            numbers = [
                {
                    "id": tip.id,
                    "number": tip_words.short_number(tip),
                    "note": _not_there(desk, covers[(unit.id, tip.id)]),
                }
                for tip in owed
            ]
            notes = {one["note"] for one in numbers}
            # What holds of all of them is said once.
            common = notes.pop() if len(notes) == 1 else ""
            found.append(
                {
                    "name": unit.name,
                    "phone": unit.phone,
                    "tips": [one | {"note": "" if common else one["note"]} for one in numbers],
                    "note": common,
                }
            )
    return sorted(found, key=lambda row: -len(row["tips"]))


def _sheet(desk: Desk, board: Board, within: Sequence[Unit], covers: Covers) -> Sheet:
    def cell(unit: Unit, tip: WorkTip) -> str:
        receipt = board.cell(unit, tip) if board.owed(unit, tip) else None
        if receipt is not None:
            return f"✓ {tip_receipts.when_in_full(receipt)}"
        found = _cell(desk, board, covers, unit, tip)
        said = desk.t(f"tipboard.cell_{found['kind']}")
        return desk.t("tipboard.cell_note", said=said, note=found["words"]) if found["words"] else said

    heads = [tip_words.number(tip) for tip in board.tips]
    return export_rows.sheet(
        desk.t("tipboard.matrix_title"),
        [desk.t("tipboard.unit"), *heads],
        [[unit.name, *(cell(unit, tip) for tip in board.tips)] for unit in within],
        [3, *(2 for _ in heads)],
        notes=[desk.t("tipboard.export_note")],
    )
