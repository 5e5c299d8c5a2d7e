"""Stations on the console: all of them as a list and a plot, what is missing, and the file of them."""

from __future__ import annotations

from dataclasses import replace
from typing import Annotated, Any
from urllib.parse import urlencode

from fastapi import APIRouter, Depends
from fastapi.responses import Response

from admin import forms, station_plot
from admin.downloads import attached
from admin.pages import Desk, signed_in
from admin.station_plot import Plot, Point
from knowledge import station_files, station_gaps, station_imports, station_shelf
from knowledge.opening import opening_words
from knowledge.station_gaps import StationGaps
from knowledge.station_shelf import PAGE, Filter, Listed, Standing
from knowledge.stations import Station, StationKind
from office import units
from office.errors import Invalid
from office.staff import Permission

router = APIRouter(prefix="/stations")
Reading = Annotated[Desk, Depends(signed_in(Permission.SEE_RULES))]
TONES = {
    Standing.OPEN: "good",
    Standing.CLOSED: "neutral",
    Standing.NO_HOURS: "warn",
    Standing.HIDDEN: "danger",
}
FORMATS = ("csv", "xlsx")
SHOWN_GAPS = 12


@router.get("")
async def show(desk: Reading) -> Response:
    """The stations that fit what was asked for, as a plot and as a list, and what is missing."""
    stations = await station_shelf.everything(desk.session, now=desk.now)
    wanted = _filter(desk)
    # The tabs count what the other filters leave.
    among = [station for station in stations if replace(wanted, standing=None).fits(station)]
    found = [station for station in among if wanted.fits(station)]
    counts = station_shelf.counted(among)
    page = _page_number(desk)
    streets = sorted({station.street.id: station.street.name for station in stations}.items())
    plot = station_plot.plot([_point(station, streets) for station in found if station.position])
    return desk.render(
        "console/stations.html",
        here="/admin/stations",
        done=desk.request.query_params.get("done", ""),
        search=wanted.words,
        filtered=wanted != Filter(),
        tabs=[
            {
                "href": "/admin/stations" + _query(replace(wanted, standing=standing)),
                "label": desk.t(f"stationdesk.standing.{standing.value}" if standing else "stationdesk.all"),
                "active": wanted.standing is standing,
                "count": counts[standing] if standing else len(among),
            }
            for standing in (None, *Standing)
        ],
        standing=wanted.standing.value if wanted.standing else "",
        kind=wanted.kind.value if wanted.kind else "",
        kinds=[
            ("", desk.t("stationdesk.any_kind")),
            *((k.value, desk.t(f"sta.kind.{k.value}")) for k in StationKind),
        ],
        street=wanted.street,
        streets=[("", desk.t("stationdesk.any_street")), *streets],
        rows=[_row(desk, station) for station in found[(page - 1) * PAGE : page * PAGE]],
        total=len(found),
        everything=len(stations),
        by_kind=[(desk.t(f"sta.kind.{k.value}"), counts[k]) for k in StationKind],
        page=page,
        pages=max(1, -(-len(found) // PAGE)),
        page_base="/admin/stations" + _query(wanted, page=""),
        plot=_drawn(desk, plot, [station for station in found if station.position], streets),
        unplaced=sum(station.position is None for station in found),
        gaps=_gaps(desk, await station_gaps.gaps(desk.session)),
        may_draft=desk.may(Permission.DRAFT_RULES),
    )


@router.get("/export")
async def export(desk: Reading) -> Response:
    """All stations as a file that can be imported again."""
    kind = file_format(desk)
    office = await units.election_office(desk.session)
    rows = await station_imports.exported(desk.session, office.path)
    content = station_files.to_csv(rows) if kind == "csv" else station_files.to_xlsx(rows, desk.now)
    return attached(content, f"stations.{kind}", desk.t("stationdesk.title"))


@router.get("/template")
async def template(desk: Reading) -> Response:
    """An empty workbook to be filled in."""
    return attached(
        station_files.template(desk.now), "stations-template.xlsx", desk.t("stationdesk.template_name")
    )


def file_format(desk: Desk) -> str:
    """The kind of file that is asked for; raises `Invalid("form_broken")` for one we do not make."""
    kind = desk.request.query_params.get("format", "xlsx")
    if kind not in FORMATS:
        raise Invalid("form_broken")
    return kind


def _filter(desk: Desk) -> Filter:
    asked = desk.request.query_params
    street, kind, standing = (asked.get(name, "") for name in ("street", "kind", "state"))
    return Filter(
        words=forms.clean(asked.get("q", "")).strip()[:100],
        street=int(street) if street.isascii() and street.isdigit() and len(street) < 10 else 0,
        kind=StationKind(kind) if kind in tuple(StationKind) else None,
        standing=Standing(standing) if standing in tuple(Standing) else None,
    )


def _page_number(desk: Desk) -> int:
    text = desk.request.query_params.get("page", "")
    return max(1, int(text)) if text.isascii() and text.isdigit() and len(text) < 7 else 1


def _query(wanted: Filter, **more: str) -> str:
    fields = {
        "q": wanted.words,
        "street": str(wanted.street or ""),
        "kind": wanted.kind.value if wanted.kind else "",
        "state": wanted.standing.value if wanted.standing else "",
    }
    asked = urlencode({name: value for name, value in fields.items() if value} | more)
    return f"?{asked}" if asked else ""


def _row(desk: Desk, station: Listed) -> dict[str, Any]:
    return {
        "id": station.id,
        "code": station.code,
        "name": station.name,
        "kind": desk.t(f"sta.kind.{station.kind.value}"),
        "street": station.street.name,
        "neighbourhood": station.neighbourhood,
        "address": station.address,
        "state": _standing_words(desk, station),
        "tone": TONES[station.standing],
        "placed": station.position is not None,
    }


def _standing_words(desk: Desk, station: Listed) -> str:
    if station.standing in (Standing.HIDDEN, Standing.NO_HOURS):
        return desk.t(f"stationdesk.standing.{station.standing.value}")
    return opening_words(station.opening, desk.now, desk.frame.language)


def _point(station: Listed, streets: list[tuple[int, str]]) -> Point:
    assert station.position is not None
    return Point(*station.position, [number for number, _ in streets].index(station.street.id))


def _drawn(
    desk: Desk, plot: Plot | None, stations: list[Listed], streets: list[tuple[int, str]]
) -> dict[str, Any] | None:
    """The sheet for the template: marks with where they lead and what they say, and the key to them."""
    if plot is None:
        return None
    marks = []
    for mark in plot.marks:
        first = stations[mark.members[0]]
        many = len(mark.members) > 1
        words = (
            desk.t("stationdesk.mark_many", street=first.street.name, n=len(mark.members))
            if many
            else desk.t("stationdesk.mark", code=first.code, name=first.name, street=first.street.name)
        )
        if mark.outside:
            words = desk.t("stationdesk.mark_outside", words=words)
        marks.append(
            {
                "x": mark.x,
                "y": mark.y,
                "shape": mark.shape,
                "colour": mark.colour,
                "n": len(mark.members) if many else 0,
                "outside": mark.outside,
                "hidden": not many and first.standing is Standing.HIDDEN,
                "words": words,
                "href": f"/admin/stations?street={first.street.id}"
                if many
                else f"/admin/stations/{first.id}",
            }
        )
    seen = {station.street.id for station in stations}
    key = [
        {"shape": sample.shape, "colour": sample.colour, "name": name}
        for number, (street, name) in enumerate(streets)
        if street in seen
        for sample in (station_plot.Mark(0, 0, number, ()),)
    ]
    metres, length = plot.scale
    return {
        "width": plot.width,
        "height": plot.height,
        "marks": marks,
        "key": key,
        "bar": round(length, 1),
        "bar_words": desk.t("stationdesk.km", n=f"{metres / 1000:g}")
        if metres >= 1000
        else desk.t("stationdesk.m", n=metres),
        "outside": [mark for mark in marks if mark["outside"]],
    }


def _gaps(desk: Desk, found: StationGaps) -> list[dict[str, Any]]:
    """What is missing, each with how many, a few of them by name, and where to look."""
    lists: list[tuple[str, list[tuple[str, str]]]] = [
        ("units", [(unit.name, "") for unit in found.units]),
        ("hours", [_named(station) for station in found.without_hours]),
        ("position", [_named(station) for station in found.without_position]),
        ("hidden", [_named(station) for station in found.hidden]),
        ("unserved", [(group, "") for group in found.unserved]),
    ]
    return [
        {
            "words": desk.t(f"stationdesk.gap.{key}", n=len(items)),
            "items": items[:SHOWN_GAPS],
            "more": max(0, len(items) - SHOWN_GAPS),
        }
        for key, items in lists
        if items
    ]


def _named(station: Station) -> tuple[str, str]:
    return f"{station.code} {station.name}", f"/admin/stations/{station.id}"
