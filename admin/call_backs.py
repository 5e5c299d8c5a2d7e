"""The call-back list: who has to be telephoned, opened by whoever calls, with every try written down."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import APIRouter, Depends
from fastapi.responses import Response

from admin import delivery_truth, times
from admin.pages import Desk, Number, Refusal, done, signed_in
from office.errors import Invalid
from office.staff import Permission, mask_name
from office.units import Unit
from ticketing import call_backs, call_list
from ticketing.call_backs import CallBack, CallBackState, CallResult

router = APIRouter(prefix="/call-backs")
Calling = Annotated[Desk, Depends(signed_in(Permission.WORK_TICKETS))]
TONES = {CallBackState.DUE: "warn", CallBackState.REACHED: "good", CallBackState.GIVEN_UP: "danger"}
DONE = (CallBackState.REACHED, CallBackState.GIVEN_UP)
MOST_PRINTED = 200


@router.get("")
async def show(desk: Calling) -> Response:
    """Who is to be called, names and numbers masked; with `view=ask` who left no number, `done` who was."""
    return await _page(desk)


@router.get("/print")
async def printed(desk: Calling) -> Response:
    """The list as it is printed, with the last four digits of each number."""
    rows, total = await call_list.listed(desk.session, desk.person, limit=MOST_PRINTED)
    shown = await _shown(desk, rows)
    return desk.render(
        "console/call_backs_print.html",
        calls=shown,
        total=total,
        at=times.moment(desk.now, desk.frame.language),
    )


@router.post("/{call_id}/open")
async def opened(desk: Calling, call_id: Number) -> Response:
    """Show name and number to the officer who calls now, once, in the answer to this form alone."""
    desk.on_refusal(_page)
    call, _ = await call_list.seen_by(desk.session, desk.person, call_id)
    found = await call_backs.opened(desk.session, call, desk.services.sealer, actor=desk.person, now=desk.now)
    response = await _page(desk, open_id=call_id, found=found)
    # Not into the browser's memory either: going back asks again, and is written down again.
    response.headers["Cache-Control"] = "no-store"
    return response


@router.post("/{call_id}/try")
async def tried(desk: Calling, call_id: Number) -> Response:
    """Write the result of one try down."""
    desk.on_refusal(_page)
    call, _ = await call_list.seen_by(desk.session, desk.person, call_id)
    result = next((one for one in CallResult if one.value == desk.form.text("result")), None)
    if result is None:
        raise Invalid("call_result_needed")
    note, seen = desk.form.text("call_note"), desk.form.number("version")
    await call_backs.tried(
        desk.session, call, result, note, actor=desk.person, hours=desk.hours, now=desk.now, seen=seen
    )
    return done("/admin/call-backs", "call_tried")


@router.post("/{call_id}/give-up")
async def give_up(desk: Calling, call_id: Number) -> Response:
    """End a call without having reached anybody."""
    desk.on_refusal(_page)
    call, _ = await call_list.seen_by(desk.session, desk.person, call_id)
    seen = desk.form.number("version")
    await call_backs.give_up(desk.session, call, actor=desk.person, now=desk.now, seen=seen)
    return done("/admin/call-backs", "call_given_up")


async def _page(
    desk: Desk,
    refusal: Refusal | None = None,
    *,
    open_id: int = 0,
    found: tuple[str, str] = ("", ""),
) -> Response:
    asked = desk.request.query_params
    view = asked.get("view", "")
    over, to_ask = view == "done", view == "ask"
    page = int(asked["page"]) if asked.get("page", "").isdecimal() else 1
    rows, total = await call_list.listed(
        desk.session, desk.person, states=DONE if over else (CallBackState.DUE,), to_ask=to_ask, page=page
    )
    base = "/admin/call-backs"
    return desk.render(
        "console/call_backs.html",
        status=refusal.status if refusal else 200,
        here=base,
        calls=await _shown(desk, rows, open_id=open_id, found=found),
        total=total,
        over=over,
        to_ask=to_ask,
        tabs=[
            _tab(desk, "due", base, not (over or to_ask)),
            _tab(desk, "ask", f"{base}?view=ask", to_ask),
            _tab(desk, "done", f"{base}?view=done", over),
        ],
        results=[
            ("", desk.t("macro.choose")),
            *((one.value, desk.t(f"call_back.result.{one}")) for one in CallResult),
        ],
        page=page,
        pages=-(-total // call_list.PAGE),
        error=refusal.words if refusal else "",
        typed=refusal.typed if refusal else {},
        done=asked.get("done", ""),
    )


def _tab(desk: Desk, name: str, address: str, active: bool) -> dict[str, Any]:
    return {"href": address, "label": desk.t(f"call_back.{name}"), "active": active, "count": None}


async def _shown(
    desk: Desk,
    rows: list[tuple[CallBack, Unit]],
    *,
    open_id: int = 0,
    found: tuple[str, str] = ("", ""),
) -> list[dict[str, Any]]:
    language = desk.frame.language
    tries = await call_list.tries_of(desk.session, [call.id for call, _ in rows])
    numbers = await call_list.ticket_numbers(desk.session, [call for call, _ in rows])
    return [
        {
            "id": call.id,
            "version": call.version,
            "ticket_id": call.ticket_id,
            "no": numbers.get(call.ticket_id or 0, ""),
            "unit": unit.name,
            "kind": desk.t(f"call_back.kind.{call.kind}"),
            "state": delivery_truth.call_state(desk, call),
            "to_ask": call.state is CallBackState.DUE and call.to_ask,
            "tone": TONES[call.state],
            "is_due": call.state is CallBackState.DUE,
            "late": call.state is CallBackState.DUE and call.due_at < desk.now,
            "due": times.moment(call.due_at, language),
            "opened": call.id == open_id,
            "name": found[0] if call.id == open_id else "",
            "phone": found[1] if call.id == open_id else "",
            "masked_name": _name(desk, call),
            "masked_phone": _phone(desk, call),
            "point": call.point,
            "tries": call.tries,
            "tried": [
                {
                    "at": times.moment(one.at, language),
                    "result": desk.t(f"call_back.result.{one.result}"),
                    "note": one.note,
                }
                for one in tries
                if one.call_back_id == call.id
            ],
            "may_give_up": call.phone is None
            or call.tries >= call_backs.FEWEST_TRIES
            or any(one.call_back_id == call.id and one.result is CallResult.DEAD_NUMBER for one in tries),
        }
        for call, unit in rows
    ]


def _name(desk: Desk, call: CallBack) -> str:
    if call.state is not CallBackState.DUE:
        return desk.t("call_back.forgotten")
    name = desk.services.sealer.open(call.asker_name)
    return mask_name(name) if name else desk.t("call_back.nameless")


def _phone(desk: Desk, call: CallBack) -> str:
    if call.state is not CallBackState.DUE:
        return desk.t("call_back.forgotten")
    return call_backs.masked_phone(desk.services.sealer.open(call.phone)) or desk.t("call_back.phoneless")
