"""Exports as pages to print: the same rows, marks and places to sign as in the files."""

from __future__ import annotations

from fastapi.responses import Response

from admin.pages import Desk
from ticketing import documents
from ticketing.export_rows import Snapshot


def page(desk: Desk, snapshot: Snapshot, back: str) -> Response:
    """The snapshot as a page; the marks stand under the table on every printed page. `back` leads back."""
    sheet = snapshot.sheet
    return desk.render(
        "console/printed.html",
        here=back,
        back=back,
        sheet=sheet,
        shares=[round(100 * width / sum(sheet.widths), 2) for width in sheet.widths],
        rows=[[str(cell) for cell in row] for row in sheet.rows],
        marks=snapshot.marks.line(),
        upright=documents.upright(sheet),
    )
