"""The counter: one lookup for the person who stands there with their card, and what is done for them there.

What is typed here is used and gone: it comes by POST, is never shown again, not even where a form is refused,
and nothing of it is in the audit. There is no list, no search and no export.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Request
from fastapi.responses import Response

from admin import forms
from admin.forms import Form
from admin.pages import Desk, Refusal, signed_in
from knowledge.roll import acts, receipt_stops, suppressions
from knowledge.roll.acts import Reason
from knowledge.roll.lookup import Found
from knowledge.roll.lookups import OFFICER_TRIES
from knowledge.roll.opening import LookupClosed
from knowledge.roll.records import LookupResult
from knowledge.stations import StationKind
from office.errors import Conflict
from office.hours import beijing_day
from office.staff import Permission

router = APIRouter(prefix="/counter")
TONES = {
    LookupResult.REGISTERED: "good",
    LookupResult.NOT_FOUND: "warn",
    LookupResult.ASK_STATION: "info",
}


@dataclass(frozen=True, slots=True)
class Unsaid(Form):
    """A form of which nothing is ever shown again."""

    @property
    def typed(self) -> dict[str, str]:
        return {}


async def read(request: Request) -> Form:
    """The posted form, to be used once; see `forms.read`."""
    return Unsaid((await forms.read(request)).fields)


Looking = Annotated[Desk, Depends(signed_in(Permission.LOOK_UP, read))]


@router.get("")
async def show(desk: Looking) -> Response:
    """The forms, empty, and how many lookups this officer has made today."""
    return await _page(desk)


@router.post("/person")
async def person(desk: Looking) -> Response:
    """Look up who stands at the counter, by name and number."""
    desk.on_refusal(_page)
    form, looking = desk.form, desk.services.lookups
    with cause_told():
        found = await looking.at_counter(
            desk.session, desk.person, form.text("name"), form.text("number"),
            reason=form.text("reason"), now=desk.now,
        )  # fmt: skip
    return await _page(desk, found=found)


@router.post("/receipt")
async def receipt(desk: Looking) -> Response:
    """Look up by the code on a receipt."""
    desk.on_refusal(_page)
    form, looking = desk.form, desk.services.lookups
    with cause_told():
        found = await looking.at_counter_by_receipt(
            desk.session, desk.person, form.text("code"), reason=form.text("reason"), now=desk.now
        )
    return await _page(desk, found=found)


@router.post("/stop")
async def stop(desk: Looking) -> Response:
    """Stop a receipt code that was lost."""
    desk.on_refusal(_page)
    key = desk.services.roll_key.key()
    await receipt_stops.stop(desk.session, key, desk.form.text("code"), actor=desk.person, now=desk.now)
    return await _page(desk, done="stopped")


@router.post("/suppress")
async def suppress(desk: Looking) -> Response:
    """Take a protected person out of sight at once."""
    desk.on_refusal(_page)
    form, key = desk.form, desk.services.roll_key.key()
    await suppressions.suppress(
        desk.session, key, form.text("name"), form.text("number"), basis=form.text("basis"),
        actor=desk.person, now=desk.now,
    )  # fmt: skip
    return await _page(desk, done="suppressed")


@router.post("/lift")
async def lift(desk: Looking) -> Response:
    """Ask that a protection ends, or end it as the second person who asks."""
    desk.on_refusal(_page)
    form, key = desk.form, desk.services.roll_key.key()
    lifted = await suppressions.lift(
        desk.session, key, form.text("name"), form.text("number"), actor=desk.person, now=desk.now
    )
    return await _page(desk, done="lifted" if lifted else "lift_asked")


@contextmanager
def cause_told() -> Iterator[None]:
    """Tell staff why lookup is closed, which voters are not told."""
    try:
        yield
    except LookupClosed as error:
        if error.cause is None:
            raise
        raise Conflict(f"roll.closed_{error.cause.value}") from error


async def _page(
    desk: Desk, refusal: Refusal | None = None, *, found: Found | None = None, done: str = ""
) -> Response:
    made = await acts.of_person(desk.session, desk.person.id, beijing_day(desk.now))
    opened = desk.request.url.path.rpartition("/")[2] if refusal or done else ""
    return desk.render(
        "console/counter.html",
        status=refusal.status if refusal else 200,
        # A page that answers a form is asked for again without it.
        here="/admin/counter",
        error=refusal.words if refusal else "",
        done=desk.t(f"counter.done_{done}") if done else "",
        opened=opened,
        found=await _said(desk, found) if found else None,
        reasons=[("", desk.t("counter.choose_reason"))]
        + [(reason.value, desk.t(f"lookup.reason.{reason.value}")) for reason in Reason],
        made=made,
        limit=OFFICER_TRIES,
        longest_basis=suppressions.LONGEST_BASIS,
    )


async def _said(desk: Desk, found: Found) -> Mapping[str, Any]:
    await desk.services.stations.refresh(desk.session)
    place = desk.services.stations.index.by_code(found.station, StationKind.REGISTRATION)
    station = f"{place.code} {place.name} · {place.address}" if place else found.station
    return {
        "words": desk.t(f"counter.result_{found.result.value}"),
        "next": desk.t(f"counter.next_{found.result.value}"),
        "tone": TONES[found.result],
        "place": [
            (desk.t("counter.district"), found.district),
            (desk.t("counter.group"), found.group_no),
            (desk.t("counter.station"), station),
        ]
        if found.result is LookupResult.REGISTERED
        else [],
    }
