"""The console as one piece: its routes, its files, its refusals and its headers."""

from __future__ import annotations

from fastapi import APIRouter, FastAPI
from starlette.responses import Response
from starlette.staticfiles import StaticFiles
from starlette.types import Scope

from admin import (
    accuracy,
    answers,
    attachments,
    audit,
    bindings,
    bulk,
    bulk_questions,
    calendar,
    call_backs,
    calls,
    changes,
    clusters,
    counter,
    cross_area,
    day_end,
    editor,
    entries,
    exports,
    golden,
    group_page,
    handover,
    health,
    login,
    lookups,
    macros,
    missed,
    notices,
    office,
    offline_acts,
    pack_rows,
    packs,
    palette,
    posters,
    queue,
    recalls,
    record_edit,
    refusals,
    replay,
    robots,
    roll,
    roll_cases,
    roll_purge,
    roll_signer,
    roster,
    roster_plans,
    station_imports,
    station_page,
    stations,
    steps,
    ticket_posts,
    tickets,
    tip_board,
    tip_edit,
    tip_matrix,
    tip_preview,
    tip_review,
    tips,
    trybox,
    unit_phones,
    work_groups,
    worktime,
)
from admin.headers import SecurityHeaders
from admin.pages import STATIC

# In this order: the editor's `/entries/new` must be asked before `/entries/{entry_id}`, and so on.
PARTS = (
    login,
    palette,
    bulk_questions,
    calls,
    queue,
    bulk,
    exports,
    tickets,
    record_edit,
    answers,
    call_backs,
    macros,
    ticket_posts,
    offline_acts,
    cross_area,
    attachments,
    roll_cases,
    editor,
    entries,
    steps,
    replay,
    golden,
    recalls,
    trybox,
    accuracy,
    office,
    group_page,
    bindings,
    robots,
    unit_phones,
    notices,
    work_groups,
    audit,
    health,
    changes,
    packs,
    pack_rows,
    posters,
    calendar,
    worktime,
    roster_plans,
    roster,
    handover,
    day_end,
    station_imports,
    stations,
    station_page,
    roll_purge,
    roll_signer,
    roll,
    counter,
    lookups,
    clusters,
    missed,
    tip_matrix,
    tip_board,
    tip_edit,
    tip_preview,
    tip_review,
    tips,
)


class KeptFiles(StaticFiles):
    """Files whose address changes with their content, so browsers may keep them."""

    async def get_response(self, path: str, scope: Scope) -> Response:
        response = await super().get_response(path, scope)
        if response.status_code == 200:
            named = b"v=" in scope.get("query_string", b"")
            response.headers["Cache-Control"] = "public, max-age=31536000, immutable" if named else "no-cache"
        return response


def build() -> APIRouter:
    """All routes of the console, with `/admin` in front of each."""
    router = APIRouter(include_in_schema=False)
    for part in PARTS:
        router.include_router(part.router, prefix="/admin")
    return router


def install(app: FastAPI, *, secure: bool = False) -> None:
    """Put the console, its files, its error pages and the headers of all responses into `app`.

    `secure`: the service is reached by https only. `app.state.services` must be set before the first
    request.
    """
    app.include_router(build())
    app.mount("/static", KeptFiles(directory=STATIC), name="static")
    refusals.install(app)
    app.add_middleware(SecurityHeaders, on_error=refusals.broken, secure=secure)
